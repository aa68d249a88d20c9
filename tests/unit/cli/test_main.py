import gc

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


def test_a_brief_command_leaves_the_collector_as_it_was() -> None:
    usual = gc.get_threshold()

    with pytest.raises(SystemExit):
        main(["deploy", "--help"])

    assert gc.get_threshold() == usual
