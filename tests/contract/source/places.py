"""The sources behind one set of sentences, for one suite."""

import shutil
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

from typing_extensions import override

from bot.adapters.git.directory import DirectorySource
from bot.adapters.git.source import GitSource
from bot.core.model.ids import Branch, CommitSha, RepoName, Repository, RepositoryId
from bot.core.model.manifest import SymlinkAsset
from bot.ports.source import Source
from tests.fakes.smart_http import serving_git
from tests.fakes.source import Executable, FakeSource, Files
from tests.integration.git.origin import Origin

REPOSITORY = Repository(
    id=RepositoryId(7), name=RepoName("acme/site"), default_branch=Branch("main")
)


class Place(Protocol):
    """A source, and the hand that pushes to it."""

    source: Source

    def close(self) -> None: ...

    def commit(
        self,
        branch: str,
        files: Files,
        *,
        message: str = "Change",
        parent: CommitSha | None = None,
    ) -> CommitSha: ...

    def force(self, branch: str, commit: CommitSha) -> None: ...

    def delete(self, branch: str) -> None: ...

    def forget(self, commit: CommitSha) -> None: ...

    def hide(self, branch: str, number: int) -> None:
        """Keep the branch's commit under refs/pull alone, as that of a fork is kept."""


class InMemory:
    """The fake."""

    def __init__(self, directory: Path) -> None:
        self._fake = FakeSource()
        self.source: Source = self._fake
        self.directory = directory

    def close(self) -> None:
        """There is nothing to close."""

    def commit(
        self,
        branch: str,
        files: Files,
        *,
        message: str = "Change",
        parent: CommitSha | None = None,
    ) -> CommitSha:
        return self._fake.commit(REPOSITORY, branch, files, message=message, parent=parent)

    def force(self, branch: str, commit: CommitSha) -> None:
        self._fake.force(REPOSITORY, branch, commit)

    def delete(self, branch: str) -> None:
        self._fake.delete(REPOSITORY, branch)

    def forget(self, commit: CommitSha) -> None:
        self._fake.forget(commit)

    def hide(self, branch: str, number: int) -> None:  # noqa: ARG002 - it has branches only
        self._fake.delete(REPOSITORY, branch)


class OnDisk:
    """Real git over file://."""

    def __init__(self, directory: Path, algorithm: str = "sha1", base_url: str = "") -> None:
        self._origin = Origin(directory / "server", algorithm=algorithm)
        self._git_source = GitSource(
            directory / "mirrors", base_url or self._origin.base_url, lambda _repository: None
        )
        self.source: Source = self._git_source

    def close(self) -> None:
        self._git_source.close()

    def commit(
        self,
        branch: str,
        files: Files,
        *,
        message: str = "Change",
        parent: CommitSha | None = None,
    ) -> CommitSha:
        return self._origin.commit(branch, files, message=message, parent=parent)

    def force(self, branch: str, commit: CommitSha) -> None:
        self._origin.force(branch, commit)

    def delete(self, branch: str) -> None:
        self._origin.delete(branch)

    def forget(self, commit: CommitSha) -> None:
        self._origin.forget(commit)

    def hide(self, branch: str, number: int) -> None:
        self._origin.hide(branch, number)


class OnDiskSha256(OnDisk):
    """A repository whose object ids no platform knows."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory, "sha256")


class OverHttp(OnDisk):
    """A server of git's own, as GitHub is one."""

    def __init__(self, directory: Path, algorithm: str = "sha1") -> None:
        self._running = ExitStack()
        served = self._running.enter_context(serving_git(directory / "server"))
        super().__init__(directory, algorithm, served.url)

    @override
    def close(self) -> None:
        super().close()
        self._running.close()


class OverHttpSha256(OverHttp):
    """The same with object ids that no platform knows."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory, "sha256")


class PlainDirectory:
    """Files without a history."""

    def __init__(self, directory: Path) -> None:
        self._root = directory / "site"
        self.source: Source = DirectorySource(self._root)

    def close(self) -> None:
        """There is nothing to close."""

    def commit(
        self,
        branch: str,  # noqa: ARG002 - it has none
        files: Files,
        *,
        message: str = "Change",  # noqa: ARG002 - nor this
        parent: CommitSha | None = None,  # noqa: ARG002 - nor this
    ) -> CommitSha:
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
