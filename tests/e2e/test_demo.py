import json
import subprocess
import sys
from pathlib import Path

from bot.cli.demo_repository import EXAMPLE
from bot.kernel.processes import built_environment


def test_the_demo_shows_three_pushes_becoming_previews(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bot", "demo", "--once", "--json"],
        capture_output=True,
        text=True,
        check=False,
        env=built_environment(TMPDIR=str(tmp_path)),
    )

    assert done.returncode == 0, done.stderr
    shown = json.loads(done.stdout.splitlines()[-1])
    first, second, third = shown["previews"]
    files = sum(path.is_file() for path in EXAMPLE.rglob("*"))
    assert shown["ok"] is True
    assert [one["branch"] for one in shown["previews"]] == [
        "main",
        "feature/hello-world",
        "feature/hello-world",
    ]
    assert all(one["check"]["conclusion"] == "success" for one in shown["previews"])
    assert first["files_sent"] == first["files_total"] == files
    assert third["files_sent"] == 1
    assert third["url"] == second["url"] != first["url"]
    assert third["sha"] != second["sha"]
    assert "<h1>Hello from main</h1>" in first["body"]
    assert "<h1>Hello from feature/hello-world</h1>" in second["body"]
    assert "<h1>Hello again, one file later</h1>" in third["body"]
    assert list(tmp_path.iterdir()) == []
