from pathlib import Path

import pytest

from bot.cli.main import main


def test_a_repository_is_made_and_listed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["repository", "create", "octo/hello", "--data", str(tmp_path)]) == 0
    assert capsys.readouterr().out == (
        f"git remote add previews {tmp_path}/repositories/octo/hello.git\n"
    )

    assert main(["repository", "list", "--data", str(tmp_path)]) == 0
    assert capsys.readouterr().out.startswith("octo/hello\t")


def test_a_name_that_is_none_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["repository", "create", "../x", "--data", str(tmp_path)]) == 1

    assert "not of the form owner/name" in capsys.readouterr().err
