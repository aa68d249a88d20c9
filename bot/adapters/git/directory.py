"""`DirectorySource`: the same port from a plain directory, for a deploy without a forge.

Starts fast: neither GitPython nor any other vendor library is imported here.
"""

# ruff: noqa: ARG002 - the port's parameters say which repository and commit; here is only one

import hashlib
import os
import stat
import subprocess
import tempfile
from collections.abc import Collection, Iterator, Mapping
from operator import attrgetter
from pathlib import Path

from bot.adapters.git.index import Index, index_around
from bot.adapters.git.manifests import ROOT_REASON, checked
from bot.core.decide.rules import (
    MAX_RULES_BYTES,
    Rules,
    is_rule,
    may_be_rule,
    rules_above,
)
from bot.core.model.errors import SourceUnavailable, TreeRefused
from bot.core.model.ids import BlobSha, Branch, CommitSha, Repository, commit_sha
from bot.core.model.manifest import Asset, FileAsset, LeftOut, Manifest, SymlinkAsset
from bot.core.model.selection import WHOLE, Selection
from bot.kernel.contents import Content, close, each_closed
from bot.kernel.git_hash import blob_hasher, content_sha1
from bot.kernel.lfs_pointer import MAX_POINTER_BYTES, is_pointer
from bot.kernel.paths import path_problem
from bot.kernel.processes import built_environment
from bot.kernel.spool import taken
from bot.ports.source import MAX_LOOK_BYTES, KnownManifest, Look

_CHUNK_BYTES = 1 << 20

_GIT_TIMEOUT_S = 10.0

_SECRETS_REASON = "is left out: such files hold secrets; give the platform variables instead"

_POINTER_REASON = "is a Git LFS pointer instead of the file; fetch the file first: `git lfs pull`"

_SPECIAL_REASON = "is neither a file, a folder nor a symbolic link"
_MODULES_REASON = "is left out: packages are installed where the preview runs"


_NAME = attrgetter("name")


class DirectorySource:
    """The files below one directory, as they are at the moment of asking."""

    def __init__(self, root: Path, commit: CommitSha | None = None) -> None:
        """Read below `root`; `commit` is what the files there are called, if it is known."""
        self._root = root
        self._commit = commit
        self._paths: dict[BlobSha, str] = {}  # where each content was last seen

    def head(self, repository: Repository, branch: Branch) -> CommitSha | None:
        """Return the commit that the directory holds, whatever the branch; None if unknown."""
        return self._commit

    def heads(self, repository: Repository) -> Mapping[str, CommitSha]:
        """Return nothing: a directory has no branches."""
        return {}

    def fetch(self, repository: Repository, commit: CommitSha) -> None:
        """Do nothing: the files are here."""

    def manifest(
        self,
        repository: Repository,
        commit: CommitSha,
        known: KnownManifest | None = None,
        *,
        selection: Selection = WHOLE,
    ) -> Manifest:
        """Walk the selection's folder and hash what git has not hashed already.

        Anything named `.git`, in any letter case, is no part of it; `node_modules` and dotenv
        files are left out.

        Raises:
            TreeRefused: a path or symlink is unsafe, or there is no folder at the root; the
                message names it.
            SourceUnavailable: a file could not be read.

        """
        try:
            return self._walked(selection)
        except OSError as error:
            raise _unreadable(error) from error

    def blobs(
        self, repository: Repository, wanted: Collection[BlobSha]
    ) -> Iterator[tuple[BlobSha, Content]]:
        """Yield contents of the last manifest's files, one at a time in memory and no large one.

        Raises:
            SourceUnavailable: a file changed or went away since the manifest was made.

        """
        return each_closed(self._contents(wanted))

    def look(
        self,
        repository: Repository,
        commit: CommitSha,
        *,
        files: Collection[str] = (),
        folders: Collection[str] = (),
    ) -> Look:
        """Return some files' contents; a directory has no message and no ids.

        Raises:
            TreeRefused: a file has more than `MAX_LOOK_BYTES`; the message names it.
            SourceUnavailable: a file could not be read.

        """
        found: dict[str, bytes] = {}
        for path in files:
            file = self._root / path
            try:
                if file.is_symlink() or not file.is_file():
                    continue
                size = file.stat().st_size
                if size > MAX_LOOK_BYTES:
                    raise TreeRefused(path, f"has {size:,} bytes; {MAX_LOOK_BYTES:,} are taken")
                found[path] = file.read_bytes()
            except OSError as error:
                raise _unreadable(error) from error
        return Look(files=found)

    def changed(
        self, repository: Repository, old: CommitSha, new: CommitSha
    ) -> frozenset[str] | None:
        """Return None: there is only what is there now."""
        return None

    def common_ancestor(
        self, repository: Repository, one: CommitSha, other: CommitSha
    ) -> CommitSha | None:
        """Return None: there is only what is there now."""
        return None

    def _contents(self, wanted: Collection[BlobSha]) -> Iterator[tuple[BlobSha, Content]]:
        for sha1 in wanted:
            path = self._paths.get(sha1)
            if path is None:
                msg = f"no file below {self._root} has the content {sha1}"
                raise SourceUnavailable(msg)
            try:
                content = _content(self._root / path, path, sha1)
            except EOFError:
                raise _changed(path) from None
            except OSError as error:
                raise _unreadable(error) from error
            yield sha1, content

    def _walked(self, selection: Selection) -> Manifest:
        root = _app_folder(self._root, selection)
        found = list(_walk(root, ""))
        contents = _rules_above(self._root, selection) | {
            path: _rule(entry.path)
            for entry, inner in found
            if may_be_rule(inner)
            and is_rule(path := selection.in_repository(inner), selection)
            and entry.is_file(follow_symlinks=False)
        }
        rules = Rules(selection, contents)
        index = index_around(root)
        assets: dict[str, Asset] = {}
        left_out: list[LeftOut] = []
        paths: dict[BlobSha, str] = {}
        takes_all = rules.takes_all
        for entry, path in found:
            if not takes_all and not rules.takes(
                path, is_folder=entry.is_dir(follow_symlinks=False)
            ):
                continue
            asset = _asset(entry, path, index)
            if isinstance(asset, str):
                left_out.append(LeftOut(path=path, reason=asset))
                continue
            assets[path] = asset
            if isinstance(asset, FileAsset):
                paths[asset.sha1] = selection.in_repository(path)
        self._paths = paths
        return checked(assets, left_out, selection, contents)


def commit_of(root: Path) -> CommitSha | None:
    """Return the commit that is checked out around `root`, or None when git knows of none."""
    command = [
        "git",
        # The checkout may belong to another user (a container's mount); nothing of it is run.
        *("-c", "safe.directory=*", "-c", "core.fsmonitor=false"),
        *("rev-parse", "--verify", "--quiet", "HEAD^{commit}"),
    ]
    environment = built_environment(GIT_CONFIG_NOSYSTEM="1", GIT_CONFIG_GLOBAL=os.devnull)
    try:
        result = subprocess.run(  # noqa: S603 - a fixed list
            command,
            cwd=root,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_GIT_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return commit_sha(result.stdout.decode(errors="replace").strip())


def commit_for(manifest: Manifest) -> CommitSha:
    """Return an id for files that no commit has: the same files, the same id."""
    # A name in the shape of a commit's, not a signature.
    digest = hashlib.sha1(usedforsecurity=False)
    for path, asset in sorted(manifest.assets.items()):
        digest.update(f"{path}\0{_fingerprint(asset)}\0".encode())
    return CommitSha(digest.hexdigest())


def _fingerprint(asset: Asset) -> str:
    match asset:
        case FileAsset(sha1, executable):
            return f"{'x' if executable else '-'} {sha1}"
        case SymlinkAsset(target):
            return f"l {target}"


def _app_folder(root: Path, selection: Selection) -> Path:
    """Return the app's folder; no part of the way to it may be a link.

    Raises:
        TreeRefused: there is no such folder.

    """
    problem = path_problem(selection.root) if selection.root else None
    here = root
    for part in selection.root.split("/") if selection.root and problem is None else ():
        here /= part
        if here.is_symlink() or not here.is_dir():
            problem = ROOT_REASON
    if problem is not None:
        raise TreeRefused(selection.root, problem)
    return here


def _rules_above(root: Path, selection: Selection) -> dict[str, bytes]:
    return {
        path: _rule(str(root / path))
        for path in rules_above(selection)
        if (root / path).is_file() and not (root / path).is_symlink()
    }


def _rule(place: str) -> bytes:
    with open(place, "rb") as file:  # noqa: PTH123 - as below
        return file.read(MAX_RULES_BYTES + 1)


def _walk(folder: Path, prefix: str) -> Iterator[tuple[os.DirEntry[str], str]]:
    """Yield everything below `folder` that is no folder, in a stable order."""
    with os.scandir(folder) as entries:
        found = sorted(entries, key=_NAME)
    for entry in found:
        name = entry.name
        if name.lower() == ".git":
            continue
        if entry.is_dir(follow_symlinks=False) and name != "node_modules":
            yield from _walk(folder / name, f"{prefix}{name}/")
        else:
            yield entry, prefix + name


def _asset(entry: os.DirEntry[str], path: str, index: Index) -> Asset | str:
    """Return what to deploy for `entry`, or why it is left out."""
    if _holds_secrets(entry.name):
        return _SECRETS_REASON
    seen = entry.stat(follow_symlinks=False)
    if stat.S_ISREG(seen.st_mode):  # as nearly everything is
        # A pointer is what it is whatever git says, and is short.
        if seen.st_size > MAX_POINTER_BYTES and (sha1 := index.sha1_of(path, seen)) is not None:
            return FileAsset(sha1, bool(seen.st_mode & stat.S_IXUSR))
        return _read(entry)
    if entry.is_symlink():
        return SymlinkAsset(os.readlink(entry.path))  # noqa: PTH115 - Path would tidy the target
    if entry.is_dir():
        return _MODULES_REASON
    return _SPECIAL_REASON


def _read(entry: os.DirEntry[str]) -> Asset | str:
    """Return the file `entry` by its content, or why it is left out."""
    with open(entry.path, "rb") as file:  # noqa: PTH123 - a DirEntry is no Path, and there are many
        facts = os.fstat(file.fileno())
        start = file.read(_CHUNK_BYTES)
        if is_pointer(start):
            return _POINTER_REASON
        digest = blob_hasher(facts.st_size, start)
        for chunk in iter(lambda: file.read(_CHUNK_BYTES), b""):
            digest.update(chunk)
    executable = bool(facts.st_mode & stat.S_IXUSR)
    return FileAsset(BlobSha(digest.hexdigest()), executable)


def _content(file: Path, path: str, sha1: BlobSha) -> Content:
    """Return the content of a file, all of which was read and found to be as it was."""
    with file.open("rb") as stream:
        content = taken(stream, os.fstat(stream.fileno()).st_size, _no_room)
        try:
            found = content_sha1(content)
        except BaseException:
            close(content)
            raise
    if found != sha1:
        close(content)
        raise _changed(path)
    return content


def _holds_secrets(name: str) -> bool:
    """Tell whether a file is a dotenv file, which git would not have had; examples are none."""
    return name == ".env" or (
        name.startswith(".env.") and not name.endswith((".example", ".sample"))
    )


def _changed(path: str) -> SourceUnavailable:
    return SourceUnavailable(f"{path!r} changed while it was being deployed; deploy again")


def _no_room(error: OSError) -> SourceUnavailable:
    problem = f"{tempfile.gettempdir()} has no room for a copy of a large file"
    return SourceUnavailable(f"{problem}: {error.strerror}")


def _unreadable(error: OSError) -> SourceUnavailable:
    return SourceUnavailable(f"{error.filename}: {error.strerror}")
