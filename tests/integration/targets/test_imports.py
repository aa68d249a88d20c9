import json
import subprocess
import sys

HEAVY = ("dbos", "flask", "sqlalchemy", "git", "github")


def test_a_target_can_be_used_without_the_engine_and_the_pages() -> None:
    code = (
        "import json, sys; import bot.bootstrap.targets;"
        f"print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert json.loads(done.stdout) == []
