"""A directory that another process looks at meanwhile is seen as it is, or not at all."""

import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bot.adapters.git.ahead import Ahead
from bot.adapters.git.directory import DirectorySource
from bot.adapters.git.sights import sights_below
from bot.core.model.errors import SourceUnavailable
from bot.core.model.ids import CommitSha
from bot.core.model.selection import Selection
from tests.contract.source.places import REPOSITORY
from tests.integration.git.origin import git

NOBODY = CommitSha("")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Make one with something of everything, half of it as git has noted it."""
    root = tmp_path / "checkout"
    (root / "d" / "e").mkdir(parents=True)
    (root / "d" / "e" / "large").write_bytes(b"x" * 5000)
    (root / "run").write_bytes(b"#!" * 1000)
    (root / "run").chmod(0o755)
    (root / "ünï\n").write_text("odd\n")
    (root / "link").symlink_to("d/../run")
    git("init", "--quiet", cwd=root)
    git("add", ".", cwd=root)
    git("commit", "--quiet", "--message=x", cwd=root)
    (root / "d" / "e" / "new").write_bytes(b"y" * 5000)
    (root / ".env").write_text("SECRET=1\n")
    (root / "node_modules" / "x").mkdir(parents=True)
    (root / "node_modules" / "x" / "index.js").write_text("")
    return root


def seen(directory: Path) -> object:
    with closing(Ahead(directory)) as ahead:
        return ahead.sights()


def test_it_sees_what_we_would(checkout: Path) -> None:
    kinds = {path: (kind, bool(detail)) for path, kind, detail, _ in sights_below(checkout)}

    assert kinds == {
        ".env": ("file", False),
        "d/e/large": ("file", True),
        "d/e/new": ("file", False),
        "link": ("link", True),
        "node_modules": ("modules", False),
        "run": ("file", True),
        "ünï\n": ("file", False),  # too short to tell it from a pointer of LFS
    }
    assert seen(checkout) == sights_below(checkout)


def test_a_socket_is_seen_and_not_opened(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))

        assert seen(tmp_path) == [("s", "special", "", False)]


def test_a_manifest_is_the_same_with_it(checkout: Path) -> None:
    alone = DirectorySource(checkout).manifest(REPOSITORY, NOBODY)

    with closing(Ahead(checkout)) as ahead:
        source = DirectorySource(checkout, ahead=ahead)
        assert source.manifest(REPOSITORY, NOBODY) == alone
        (checkout / "run").write_bytes(b"changed" * 1000)
        again = source.manifest(REPOSITORY, NOBODY)

    assert again == DirectorySource(checkout).manifest(REPOSITORY, NOBODY) != alone


def test_an_apps_folder_is_looked_at_by_itself(checkout: Path) -> None:
    selection = Selection(root="d")

    with closing(Ahead(checkout)) as ahead:
        source = DirectorySource(checkout, ahead=ahead)
        manifest = source.manifest(REPOSITORY, NOBODY, selection=selection)

    assert list(manifest.assets) == ["e/large", "e/new"]


def test_what_cannot_be_looked_at_is_told_by_who_looks_again(tmp_path: Path) -> None:
    gone = tmp_path / "gone"

    assert seen(gone) is None
    with closing(Ahead(gone)) as ahead, pytest.raises(SourceUnavailable, match="gone: No such"):
        DirectorySource(gone, ahead=ahead).manifest(REPOSITORY, NOBODY)


@pytest.fixture
def hostile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Be in a directory whose modules are called like those that everybody imports."""
    directory = tmp_path / "hostile"
    (directory / "bot").mkdir(parents=True)
    mark = tmp_path / "imported"
    for name in ("stat", "struct", "marshal", "os", "re", "sitecustomize", "bot/__init__"):
        (directory / f"{name}.py").write_text(f"open({str(mark)!r}, 'w').close()\n")
    monkeypatch.chdir(directory)
    yield directory
    assert not mark.exists()


def test_nothing_of_the_directory_is_imported(hostile: Path) -> None:
    found = seen(hostile)

    assert found == sights_below(hostile)
    assert len(sights_below(hostile)) == 7


def instead_of_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))


def test_it_knows_nothing_of_our_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREVIEWBOT_TARGET_TOKEN", "ddo_secret")
    instead_of_python(tmp_path, monkeypatch, f"env > {tmp_path}/environment; exit 1")

    assert seen(tmp_path) is None
    names = {line.partition("=")[0] for line in (tmp_path / "environment").read_text().split()}
    assert names - {"PWD", "SHLVL", "_"} == {"PATH", "LANG", "PYTHONPATH"}


def children() -> set[str]:
    """Return the processes that this thread has started and not waited for."""
    listed = Path(f"/proc/self/task/{threading.get_native_id()}/children")
    return set(listed.read_text().split())


def test_one_that_nobody_waits_for_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    instead_of_python(tmp_path, monkeypatch, "exec sleep 600")
    before = children()
    ahead = Ahead(tmp_path)
    assert len(children() - before) == 1

    ahead.close()

    assert children() == before
