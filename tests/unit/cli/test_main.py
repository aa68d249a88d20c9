import gc
import subprocess
import sys

import pytest

from bot.cli.main import COMMANDS, main


@pytest.mark.parametrize("words", [[], ["--help"], ["help"]])
def test_the_overview_names_every_command(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 0

    printed = capsys.readouterr().out
    assert all(f"  {command} " in printed for command in COMMANDS)


def test_an_unknown_command_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["depoly"]) == 2

    assert "'depoly'" in capsys.readouterr().err


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])

    assert ended.value.code == 0
    assert f"usage: previewbot {command}" in capsys.readouterr().out


def test_a_command_within_another_process_leaves_the_collector_as_it_was() -> None:
    usual = gc.get_threshold()

    with pytest.raises(SystemExit):
        main(["deploy", "--help"])

    assert gc.get_threshold() == usual


@pytest.mark.parametrize(
    ("call", "frozen"), [("main()", True), ("main(['config', 'schema'])", False)]
)
def test_only_a_process_of_its_own_ends_without_a_last_look_for_garbage(
    call: str, *, frozen: bool
) -> None:
    program = (
        "import atexit, gc, sys; from bot.cli.main import main;"
        "atexit.register(lambda: print(gc.get_freeze_count() > 0, file=sys.stderr));"
        f"sys.argv[1:] = ['config', 'schema']; sys.exit({call})"
    )

    command = [sys.executable, "-c", program]
    ended = subprocess.run(command, check=False, capture_output=True, text=True)

    assert (ended.returncode, ended.stderr) == (0, f"{frozen}\n")
