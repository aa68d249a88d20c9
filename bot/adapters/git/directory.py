"""`DirectorySource`: the same port from a plain directory, for a deploy without a forge.

Starts fast: neither GitPython nor any other vendor library is imported here.
"""

# ruff: noqa: ARG002 - the port's parameters say which repository and commit; here is only one

import hashlib
import os
import stat
import subprocess
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import assert_never

from bot.adapters.git.ahead import Ahead
from bot.adapters.git.manifests import ROOT_REASON, checked
from bot.adapters.git.sights import Sight, sights_below
from bot.adapters.git.taking import no_room_for
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
from bot.kernel.lfs_pointer import is_pointer
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


class DirectorySource:
    """The files below one directory, as they are at the moment of asking."""

    def __init__(
        self, root: Path, commit: CommitSha | None = None, *, ahead: Ahead | None = None
    ) -> None:
        """Read below `root`; `commit` is what the files there are called, if it is known.

        `ahead` has begun to look at `root` just now.
        """
        self._root = root
        self._ahead = ahead
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
        found = self._sights(root)
        contents = _rules_above(self._root, selection) | {
            path: _rule(root / inner)
            for inner, kind, _, _ in found
            if may_be_rule(inner)
            and kind == "file"
            and is_rule(path := selection.in_repository(inner), selection)
        }
        rules = Rules(selection, contents)
        assets: dict[str, Asset] = {}
        left_out: list[LeftOut] = []
        paths: dict[BlobSha, str] = {}
        takes_all = rules.takes_all
        for sight in found:
            path = sight[0]
            if not takes_all and not rules.takes(path, is_folder=sight[1] == "modules"):
                continue
            asset = _asset(root, sight)
            if isinstance(asset, str):
                left_out.append(LeftOut(path=path, reason=asset))
                continue
            assets[path] = asset
            if isinstance(asset, FileAsset):
                paths[asset.sha1] = selection.in_repository(path)
        self._paths = paths
        return checked(assets, left_out, selection, contents)

    def _sights(self, folder: Path) -> list[Sight]:
        """Return what lies below the root or an app's folder; what was seen ahead counts once."""
        ahead, self._ahead = self._ahead, None
        seen = ahead.sights() if ahead is not None and folder == self._root else None
        return sights_below(folder) if seen is None else seen


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
        path: _rule(root / path)
        for path in rules_above(selection)
        if (root / path).is_file() and not (root / path).is_symlink()
    }


def _rule(place: Path) -> bytes:
    with place.open("rb") as file:
        return file.read(MAX_RULES_BYTES + 1)


def _asset(root: Path, sight: Sight) -> Asset | str:
    """Return what to deploy for what was seen, or why it is left out."""
    path, kind, detail, is_executable = sight
    if ".env" in path and _holds_secrets(path.rpartition("/")[2]):
        return _SECRETS_REASON
    match kind:
        case "file":
            return FileAsset(BlobSha(detail), is_executable) if detail else _read(root / path)
        case "link":
            return SymlinkAsset(detail)
        case "modules":
            return _MODULES_REASON
        case "special":
            return _SPECIAL_REASON
        case _:
            assert_never(kind)


def _read(place: Path) -> Asset | str:
    """Return a file by its content, or why it is left out."""
    with place.open("rb") as file:
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
        content = taken(stream, os.fstat(stream.fileno()).st_size, no_room_for(path))
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


def _unreadable(error: OSError) -> SourceUnavailable:
    return SourceUnavailable(f"{error.filename}: {error.strerror}")
