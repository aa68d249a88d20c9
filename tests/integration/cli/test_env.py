"""`previewbot env` on a data directory, as its operator types it."""

import io
import json
import sqlite3
import sys
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from bot.adapters.local.repositories import Repositories
from bot.bootstrap.variables import open_safe
from bot.cli.main import main
from bot.settings import Settings

SECRET = "correct horse battery staple"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    Repositories(tmp_path).create("octo/app")
    return tmp_path


def typed(content: bytes) -> io.TextIOWrapper:
    """Return a standard input that is a pipe."""
    return io.TextIOWrapper(io.BytesIO(content))


def env(data: Path, *words: str) -> int:
    return main(["env", *words, "--data", str(data)])


def put(data: Path, monkeypatch: pytest.MonkeyPatch, *words: str, value: bytes = b"x\n") -> int:
    monkeypatch.setattr(sys, "stdin", typed(value))
    return env(data, "set", "octo/app", *words)


def values(data: Path) -> dict[str, str]:
    with open_safe(Settings(data_dir=data), "octo/app") as safe:
        opened = safe.variables.opened(safe.repository)
    return {each.kept.key: each.value for each in opened}


def test_a_value_from_standard_input_is_kept_sealed(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert put(data, monkeypatch, "TOKEN", value=SECRET.encode() + b"\n") == 0

    assert capsys.readouterr().out == "Kept TOKEN for preview; the next deployment gets it.\n"
    assert values(data) == {"TOKEN": SECRET}
    on_disk = b"".join(path.read_bytes() for path in data.glob("previewbot.db*"))
    assert b"TOKEN" in on_disk
    assert SECRET.encode() not in on_disk


def test_a_value_from_a_file_is_kept(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    file.write_text("one\ntwo\n")

    assert env(data, "set", "octo/app", "PEM", "--from-file", str(file)) == 0
    assert values(data) == {"PEM": "one\ntwo"}


def test_the_list_shows_everything_but_values(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    put(data, monkeypatch, "TOKEN", "--context", "branch:release/**", value=SECRET.encode())
    put(data, monkeypatch, "TOKEN", "--app", "web", "--context", "production")
    capsys.readouterr()

    assert env(data, "list", "octo/app") == 0
    shown = capsys.readouterr().out
    assert [line.split("\t")[:2] for line in shown.splitlines()] == [
        ["TOKEN", "branch:release/**"],
        ["TOKEN", "production of web"],
    ]
    assert env(data, "list", "octo/app", "--json") == 0
    printed = capsys.readouterr().out
    assert [(each["context"], each["app"]) for each in json.loads(printed)] == [
        ("branch:release/**", None),
        ("production", "web"),
    ]
    assert SECRET not in shown + printed


def test_a_value_is_forgotten_in_its_context_alone(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    put(data, monkeypatch, "A")
    put(data, monkeypatch, "A", "--context", "production")

    assert env(data, "unset", "octo/app", "A") == 0
    assert env(data, "unset", "octo/app", "A") == 1
    assert "A: there is none for preview" in capsys.readouterr().err
    assert env(data, "unset", "octo/app", "A", "--context", "production") == 0
    assert values(data) == {}


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("9A",), "KEY: '9A' is no name of a variable"),
        (("DENO_DIR",), "KEY: 'DENO_DIR' is reserved for the platform"),
        (("A", "--context", "prod"), "--context: 'prod' is no context"),
    ],
)
def test_what_cannot_be_kept_is_told(
    data: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    problem: str,
) -> None:
    assert put(data, monkeypatch, *words) == 1
    assert problem in capsys.readouterr().err


def test_a_value_that_is_refused_is_not_quoted(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert put(data, monkeypatch, "A", value=b"hush\0hush") == 1
    assert put(data, monkeypatch, "A", value=b"hush\xff") == 1
    captured = capsys.readouterr()
    assert "the value has a NUL" in captured.err
    assert "hush" not in captured.err + captured.out


def test_a_repository_that_nobody_knows_needs_its_id(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", typed(b"x"))

    assert env(data, "set", "octo/other", "A") == 1
    assert "--repository-id" in capsys.readouterr().err
    assert env(data, "set", "octo/other", "A", "--repository-id", "12") == 0
    assert env(data, "list", "nonsense") == 1
    assert "'nonsense' is not of the form owner/name" in capsys.readouterr().err


def test_a_key_is_changed_without_losing_a_value(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    monkeypatch.setenv("PREVIEWBOT_ENCRYPTION_KEY", old)
    put(data, monkeypatch, "A", value=SECRET.encode())
    monkeypatch.setenv("PREVIEWBOT_ENCRYPTION_KEY", f"{new},{old}")

    assert env(data, "seal") == 0

    assert "Sealed 1 values" in capsys.readouterr().out
    monkeypatch.setenv("PREVIEWBOT_ENCRYPTION_KEY", old)
    assert env(data, "seal") == 1
    assert "PREVIEWBOT_ENCRYPTION_KEY" in capsys.readouterr().err
    monkeypatch.setenv("PREVIEWBOT_ENCRYPTION_KEY", new)
    assert env(data, "seal") == 0


def test_the_database_says_who_set_what_and_no_value(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(data, monkeypatch, "A", value=SECRET.encode())

    with sqlite3.connect(data / "previewbot.db") as database:
        (row,) = database.execute("SELECT app, context, branches, key, sealed FROM variables")
    database.close()
    assert row[:4] == ("*", "preview", "", "A")
    assert row[4].startswith("gAAAA")
