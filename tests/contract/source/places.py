"""The three sources behind one set of sentences, for one suite."""

import shutil
from pathlib import Path
from typing import Protocol

from bot.adapters.git.directory import DirectorySource
from bot.adapters.git.source import GitSource
from bot.core.model.ids import Branch, CommitSha, RepoName, Repository, RepositoryId
from bot.core.model.manifest import SymlinkAsset
from bot.ports.source import Source
from tests.fakes.source import Executable, FakeSource, Files
from tests.integration.git.origin import Origin

REPOSITORY = Repository(
    id=RepositoryId(7), name=RepoName("acme/site"), default_branch=Branch("main")
)


class Place(Protocol):
    """A source, and the hand that pushes to it."""

    source: Source

    def commit(self, branch: str, files: Files) -> CommitSha: ...

    def force(self, branch: str, commit: CommitSha) -> None: ...

    def delete(self, branch: str) -> None: ...

    def forget(self, commit: CommitSha) -> None: ...


class InMemory:
    """The fake."""

    def __init__(self, directory: Path) -> None:
        self._fake = FakeSource()
        self.source: Source = self._fake
        self.directory = directory

    def commit(self, branch: str, files: Files) -> CommitSha:
        return self._fake.commit(REPOSITORY, branch, files)

    def force(self, branch: str, commit: CommitSha) -> None:
        self._fake.force(REPOSITORY, branch, commit)

    def delete(self, branch: str) -> None:
        self._fake.delete(REPOSITORY, branch)

    def forget(self, commit: CommitSha) -> None:
        self._fake.forget(commit)


class OnDisk:
    """Real git over file://."""

    def __init__(self, directory: Path, algorithm: str = "sha1") -> None:
        self._origin = Origin(directory / "server", algorithm=algorithm)
        self.source: Source = GitSource(
            directory / "mirrors", self._origin.base_url, lambda _repository: None
        )

    def commit(self, branch: str, files: Files) -> CommitSha:
        return self._origin.commit(branch, files)

    def force(self, branch: str, commit: CommitSha) -> None:
        self._origin.force(branch, commit)

    def delete(self, branch: str) -> None:
        self._origin.delete(branch)

    def forget(self, commit: CommitSha) -> None:
        self._origin.forget(commit)


class OnDiskSha256(OnDisk):
    """A repository whose object ids no platform knows."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory, "sha256")


class PlainDirectory:
    """Files without a history."""

    def __init__(self, directory: Path) -> None:
        self._root = directory / "site"
        self.source: Source = DirectorySource(self._root)

    def commit(self, branch: str, files: Files) -> CommitSha:  # noqa: ARG002 - it has none
        shutil.rmtree(self._root, ignore_errors=True)
        self._root.mkdir()
        for name, file in files.items():
            path = self._root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            match file:
                case bytes():
                    path.write_bytes(file)
                case Executable(content):
                    path.write_bytes(content)
                    path.chmod(0o755)
                case SymlinkAsset(target):
                    path.symlink_to(target)
                case _:
                    raise TypeError(file)
        return CommitSha("0" * 40)
