"""A source in memory: repositories, branches and commits, with the manners of the real one."""

import hashlib
import io
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from threading import RLock

from bot.core.decide.rules import Rules, is_rule, rules_above
from bot.core.model.errors import CommitGone, SourceUnavailable, TreeRefused
from bot.core.model.ids import BlobSha, Branch, CommitSha, Repository, RepositoryId
from bot.core.model.manifest import Asset, FileAsset, LeftOut, Manifest, SymlinkAsset
from bot.core.model.selection import WHOLE, Selection
from bot.kernel.contents import Content, each_closed, whole
from bot.kernel.git_hash import blob_sha1
from bot.kernel.paths import escaping_symlinks, path_problem
from bot.kernel.spool import taken
from bot.ports.source import MAX_LOOK_BYTES, KnownManifest, Look, Source

# https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md
LFS_POINTER = b"version https://git-lfs.github.com/spec/v1\n"


@dataclass(frozen=True, slots=True)
class Executable:
    """A file with the execute bit."""

    content: bytes


@dataclass(frozen=True, slots=True)
class Submodule:
    """Another repository's commit."""

    commit: str | None = None  # None: one that nobody has


File = bytes | Executable | SymlinkAsset | Submodule
Files = Mapping[str, File]


@dataclass
class FakeSource:
    """Commits appear on the server by `commit`; the lists tell what was asked for."""

    away: bool = False  # the server does not answer
    fetched: list[CommitSha] = field(default_factory=list)  # over the network, in order
    read: list[BlobSha] = field(default_factory=list)
    elsewhere: list[str] = field(
        default_factory=list
    )  # paths whose content lies there, and we asked
    _branches: dict[tuple[RepositoryId, Branch], CommitSha] = field(default_factory=dict)
    _trees: dict[CommitSha, Files] = field(default_factory=dict)
    _messages: dict[CommitSha, str] = field(default_factory=dict)
    _parents: dict[CommitSha, CommitSha | None] = field(default_factory=dict)
    _on_server: set[CommitSha] = field(default_factory=set)
    _here: set[CommitSha] = field(default_factory=set)
    _lock: RLock = field(default_factory=RLock)

    def commit(
        self,
        repository: Repository,
        branch: str,
        files: Files,
        *,
        message: str = "Change",
        parent: CommitSha | None = None,
        named: CommitSha | None = None,
    ) -> CommitSha:
        """Push a commit of exactly `files`, on top of `parent` or of the branch; return its id.

        It is `named` by a test that has read of it elsewhere.
        """
        with self._lock:
            seed = f"{repository.id} {branch} {len(self._trees)}"
            made = hashlib.sha1(seed.encode(), usedforsecurity=False).hexdigest()
            commit = named or CommitSha(made)
            self._trees[commit] = dict(files)
            self._messages[commit] = message
            self._parents[commit] = parent or self._branches.get((repository.id, Branch(branch)))
            self._on_server.add(commit)
            self._branches[repository.id, Branch(branch)] = commit
            return commit

    def force(self, repository: Repository, branch: str, commit: CommitSha) -> None:
        """Let `branch` point at `commit`, wherever it pointed before."""
        with self._lock:
            self._branches[repository.id, Branch(branch)] = commit

    def delete(self, repository: Repository, branch: str) -> None:
        """Delete `branch`."""
        with self._lock:
            del self._branches[repository.id, Branch(branch)]

    def forget(self, commit: CommitSha) -> None:
        """Let the server lose `commit`; who fetched it before still has it."""
        with self._lock:
            self._on_server.discard(commit)

    def head(self, repository: Repository, branch: Branch) -> CommitSha | None:
        with self._lock:
            self._reach()
            return self._branches.get((repository.id, branch))

    def heads(self, repository: Repository) -> Mapping[str, CommitSha]:
        with self._lock:
            self._reach()
            return {
                f"refs/heads/{branch}": commit
                for (owner, branch), commit in self._branches.items()
                if owner == repository.id
            }

    def fetch(self, repository: Repository, commit: CommitSha) -> None:  # noqa: ARG002 - the port
        with self._lock:
            if commit in self._here:
                return
            self._reach()
            if commit not in self._on_server:
                raise CommitGone(commit)
            self._here.add(commit)
            self.fetched.append(commit)

    def manifest(
        self,
        repository: Repository,
        commit: CommitSha,
        known: KnownManifest | None = None,  # noqa: ARG002 - patching gives the same
        *,
        selection: Selection = WHOLE,
    ) -> Manifest:
        with self._lock:
            if commit not in self._here:
                raise SourceUnavailable(f"{commit} of {repository.name} was not fetched")
            files = self._trees[commit]
        inside = f"{selection.root}/" if selection.root else ""
        self.elsewhere += (path for path, file in files.items() if _is_fetched(file, selection))
        below = {p.removeprefix(inside): f for p, f in files.items() if p.startswith(inside)}
        if selection.root and not below:
            raise TreeRefused(selection.root, "is no folder")
        ruling = {*rules_above(selection), *(p for p in files if p.startswith(inside))}
        contents = {
            path: _bytes(files[path])
            for path in ruling & files.keys()
            if is_rule(path, selection) and isinstance(files[path], bytes | Executable)
        }
        rules = Rules(selection, contents)
        assets: dict[str, Asset] = {}
        left_out: list[LeftOut] = []
        for path, file in sorted(below.items()):
            if not rules.takes(path, is_folder=isinstance(file, Submodule)):
                continue
            if (problem := path_problem(path)) is not None:
                raise TreeRefused(selection.in_repository(path), problem)
            if isinstance(file, Submodule):
                left_out.append(LeftOut(path=path, reason="is a submodule"))
            else:
                assets[path] = _asset(file)
        links = {p: a.target for p, a in assets.items() if isinstance(a, SymlinkAsset)}
        for path in escaping_symlinks(links):
            problem = f"is a symbolic link that leads out, to {links[path]!r}"
            raise TreeRefused(selection.in_repository(path), problem)
        return Manifest(assets=assets, left_out=tuple(left_out), rules=contents)

    def blobs(
        self, repository: Repository, wanted: Collection[BlobSha]
    ) -> Iterator[tuple[BlobSha, Content]]:
        return each_closed(self._blobs(repository, wanted))

    def _blobs(
        self, repository: Repository, wanted: Collection[BlobSha]
    ) -> Iterator[tuple[BlobSha, Content]]:
        with self._lock:
            contents = self._contents()
        for sha1 in wanted:
            if sha1 not in contents:
                raise SourceUnavailable(f"{repository.name} has no blob {sha1}")
            self.read.append(sha1)
            content = contents[sha1]
            yield sha1, taken(io.BytesIO(content), len(content), no_room)

    def look(
        self,
        repository: Repository,
        commit: CommitSha,
        *,
        files: Collection[str] = (),
        folders: Collection[str] = (),
    ) -> Look:
        with self._lock:
            tree = self._tree(repository, commit)
            found = {path: _bytes(tree[path]) for path in files if _is_file(tree.get(path))}
            for path, content in found.items():
                if len(content) > MAX_LOOK_BYTES:
                    raise TreeRefused(path, f"has {len(content):,} bytes")
            ids = {folder: _folder_id(tree, folder) for folder in folders}
            return Look(
                message=self._messages[commit],
                files=found,
                folders={folder: known for folder, known in ids.items() if known is not None},
            )

    def changed(
        self,
        repository: Repository,  # noqa: ARG002 - the port
        old: CommitSha,
        new: CommitSha,
    ) -> frozenset[str] | None:
        with self._lock:
            if not {old, new} <= self._here:
                return None
            before, after = self._trees[old], self._trees[new]
        paths = before.keys() | after.keys()
        return frozenset(path for path in paths if before.get(path) != after.get(path))

    def common_ancestor(
        self,
        repository: Repository,  # noqa: ARG002 - the port
        one: CommitSha,
        other: CommitSha,
    ) -> CommitSha | None:
        with self._lock:
            line = self._ancestry(other)
            return next((commit for commit in self._ancestry(one) if commit in line), None)

    def _tree(self, repository: Repository, commit: CommitSha) -> Files:
        if commit not in self._here:
            raise SourceUnavailable(f"{commit} of {repository.name} was not fetched")
        return self._trees[commit]

    def _ancestry(self, commit: CommitSha | None) -> list[CommitSha]:
        found: list[CommitSha] = []
        while commit is not None:
            found.append(commit)
            commit = self._parents.get(commit)
        return found

    def _reach(self) -> None:
        if self.away:
            raise SourceUnavailable("the fake server is away")

    def _contents(self) -> dict[BlobSha, bytes]:
        files = (file for commit in self._here for file in self._trees[commit].values())
        contents = (_bytes(file) for file in files)
        return {BlobSha(blob_sha1(content)): content for content in contents}


def contents_of(
    source: Source, repository: Repository, wanted: Collection[BlobSha]
) -> dict[BlobSha, bytes]:
    """Return what any source yields, all of it."""
    return {sha1: whole(content) for sha1, content in source.blobs(repository, wanted)}


def _is_fetched(file: File, selection: Selection) -> bool:
    """Tell whether the real source would ask somebody else for it."""
    match file:
        case Submodule():
            return selection.submodules
        case bytes():
            return selection.lfs and file.startswith(LFS_POINTER)
        case _:
            return False


def _is_file(file: File | None) -> bool:
    return isinstance(file, bytes | Executable)


def _folder_id(tree: Files, folder: str) -> str | None:
    """Return a name for what a folder holds, None for one that is not there."""
    inside = f"{folder}/" if folder else ""
    held = sorted(
        (p.removeprefix(inside), repr(f)) for p, f in tree.items() if p.startswith(inside)
    )
    if not held and folder:
        return None
    return hashlib.sha1(repr(held).encode(), usedforsecurity=False).hexdigest()


def _asset(file: bytes | Executable | SymlinkAsset) -> Asset:
    if isinstance(file, SymlinkAsset):
        return file
    return FileAsset(BlobSha(blob_sha1(_bytes(file))), isinstance(file, Executable))


def _bytes(file: File) -> bytes:
    match file:
        case bytes():
            return file
        case Executable(content):
            return content
        case SymlinkAsset(target):
            return target.encode()
        case Submodule():
            return b""


def no_room(error: OSError) -> SourceUnavailable:
    """Say that a large content cannot be kept."""
    return SourceUnavailable(str(error))
