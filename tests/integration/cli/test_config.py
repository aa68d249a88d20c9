"""`previewbot config` on repositories that lie in a folder."""

import json
from pathlib import Path

import pytest

from bot.cli.main import main


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".github").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(repository: Path, text: str) -> None:
    (repository / ".github/previewbot.yml").write_text(text)


def test_a_right_file_ends_with_0_and_no_word(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (repository / "main.ts").touch()
    write(repository, "entrypoint: main.ts\nbranches: [main]\n")

    assert main(["config", "check"]) == 0
    assert capsys.readouterr().out == ""


def test_a_wrong_file_ends_with_1_and_a_line_a_mistake(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(repository, "rots: x\nspa: yes\n")

    assert main(["config", "check"]) == 1
    assert capsys.readouterr().out == (
        ".github/previewbot.yml:1:1: there is no key 'rots'; did you mean 'root'?\n"
        ".github/previewbot.yml:2:1: spa: write true instead of yes\n"
    )


def test_a_repository_or_a_file_may_be_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / ".github").mkdir()
    write(tmp_path, "rots: x\n")
    file = tmp_path / ".github/previewbot.yml"

    assert main(["config", "check", str(tmp_path)]) == 1
    assert main(["config", "check", str(file)]) == 1
    assert capsys.readouterr().out.count(f"{file}:1:1: ") == 2


def test_what_the_files_do_not_hold_is_told_at_the_key(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (repository / "docs").mkdir()
    write(
        repository,
        "apps:\n  - name: web\n    root: web\n  - name: docs\n    root: docs\n"
        "    entrypoint: main.ts\n",
    )

    assert main(["config", "check"]) == 1
    assert capsys.readouterr().out == (
        ".github/previewbot.yml:3:5: root: there is no folder 'web'\n"
        ".github/previewbot.yml:6:5: entrypoint: docs has no file 'main.ts'\n"
    )


def test_an_entry_point_that_a_build_makes_is_not_missed(repository: Path) -> None:
    write(repository, "entrypoint: dist/server.js\nbuild: deno task build\n")

    assert main(["config", "check"]) == 0


def test_a_deploy_key_is_checked_with_its_app(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (repository / "deno.json").write_text('{\n  "deploy": {"build": 7}\n}\n')

    assert main(["config", "check"]) == 1
    captured = capsys.readouterr()
    assert captured.out == "deno.json:2:14: deploy.build: must be a text\n"
    assert "no .github/previewbot.yml; defaults apply" in captured.err


def test_a_warning_alone_is_no_failure(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (repository / "deno.json").write_text("{'a': 1}")

    assert main(["config", "check"]) == 0
    assert capsys.readouterr().out.startswith("deno.json:1:2: warning: is no JSON")


def test_a_file_that_is_not_there_ends_with_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["config", "check", str(tmp_path / "none.yml")]) == 2
    assert "none.yml: No such file" in capsys.readouterr().err


def test_terminal_codes_of_strangers_do_not_reach_the_terminal(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(repository, '"\\e]0;pwned\\a": x\n')

    assert main(["config", "check"]) == 1
    assert "\x1b" not in capsys.readouterr().out


def test_the_schema_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "schema"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "ConfigDocument"
