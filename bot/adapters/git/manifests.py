"""From entries to a manifest: which paths are deployed, left out or refused."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from bot.adapters.git import lfs
from bot.adapters.git.trees import SUBMODULE, SYMLINK, Difference, Entry
from bot.core.model.errors import TreeRefused
from bot.core.model.ids import BlobSha
from bot.core.model.manifest import Asset, FileAsset, LeftOut, Manifest, SymlinkAsset
from bot.kernel.paths import escaping_symlinks, path_problem

# As long as Linux lets a link's target be (PATH_MAX with its NUL).
MAX_LINK_BYTES = 4095

SUBMODULE_REASON = "is a submodule, which is not fetched; the preview has no files there"

Contents = Callable[[Collection[BlobSha]], Iterator[tuple[BlobSha, bytes]]]
Names = Callable[[Collection[str]], Mapping[str, BlobSha]]


class Reading:
    """How blobs are named and read: `names` (object id -> SHA-1) and `contents`."""

    def __init__(self, names: Names, contents: Contents) -> None:
        """Read with these two."""
        self.names = names
        self.contents = contents

    def all(self, wanted: Collection[BlobSha]) -> dict[BlobSha, bytes]:
        """Return contents that are small enough to stand side by side; none asked, none read."""
        return dict(self.contents(wanted)) if wanted else {}


def full(entries: Iterable[Entry], reading: Reading) -> Manifest:
    """Return the manifest of a whole tree.

    Raises:
        TreeRefused: a path, mode or symlink is unsafe; the message names it.

    """
    return _built({}, {}, Difference(list(entries), [], grew=True), reading)


def patched(known: Manifest, changes: Difference, reading: Reading) -> Manifest | None:
    """Return `known` with `changes` made, or None when only the whole tree can tell.

    Raises:
        TreeRefused: as for `full`.

    """
    touched = [*(entry.path for entry in changes.changed), *changes.removed]
    if any(map(lfs.is_attributes, touched)):
        return None
    assets = dict(known.assets)
    left_out = {item.path: item for item in known.left_out}
    for path in touched:
        assets.pop(path, None)
        left_out.pop(path, None)
    return _built(assets, left_out, changes, reading)


def _built(
    assets: dict[str, Asset],
    left_out: dict[str, LeftOut],
    changes: Difference,
    reading: Reading,
) -> Manifest:
    files: dict[str, FileAsset] = {}
    links: dict[str, BlobSha] = {}
    names = reading.names([e.oid for e in changes.changed if e.mode != SUBMODULE])
    for entry in changes.changed:
        _refuse_odd(entry, taken=entry.path in files or entry.path in links)
        if entry.mode == SUBMODULE:
            left_out[entry.path] = LeftOut(path=entry.path, reason=SUBMODULE_REASON)
        elif entry.mode == SYMLINK:
            links[entry.path] = names[entry.oid]
        else:
            files[entry.path] = FileAsset(names[entry.oid], entry.is_executable)
    assets |= files
    attributes = [
        (path, asset.sha1)
        for path, asset in assets.items()
        # The first question is asked of every path, at every push: a call would take 3 ms of 5.
        if path.endswith(lfs.ATTRIBUTES) and lfs.is_attributes(path)
        if isinstance(asset, FileAsset)
    ]
    # One batch for both: on a first deploy they are one connection.
    small = reading.all({*links.values(), *(sha1 for _, sha1 in attributes)})
    assets |= {path: _link(path, small[sha1]) for path, sha1 in links.items()}
    is_tracked = lfs.tracked({path: small[sha1] for path, sha1 in attributes})
    for path in _pointers({p: f.sha1 for p, f in files.items() if is_tracked(p)}, reading):
        del assets[path]
        left_out[path] = LeftOut(path=path, reason=lfs.POINTER_REASON)
    if changes.grew:
        _refuse_collisions(assets)
    _refuse_escapes(assets)
    return Manifest(assets=assets, left_out=tuple(left_out[path] for path in sorted(left_out)))


def _refuse_odd(entry: Entry, *, taken: bool) -> None:
    problem = path_problem(entry.path)
    if problem is None and taken:
        problem = "appears twice in its folder"
    if problem is not None:
        raise TreeRefused(entry.path, problem)


def _link(path: str, content: bytes) -> SymlinkAsset:
    try:
        target = content.decode()
    except UnicodeDecodeError:
        raise TreeRefused(path, "is a symbolic link to a path that is not valid UTF-8") from None
    if len(content) > MAX_LINK_BYTES:
        raise TreeRefused(path, f"is a symbolic link to a path of {len(content)} bytes")
    return SymlinkAsset(target)


def _pointers(candidates: Mapping[str, BlobSha], reading: Reading) -> list[str]:
    """Return those paths whose content is an LFS pointer."""
    if not candidates:
        return []
    contents = reading.contents(set(candidates.values()))
    pointers = {sha1 for sha1, content in contents if lfs.is_pointer(content)}
    return [path for path, sha1 in candidates.items() if sha1 in pointers]


def _refuse_collisions(assets: Mapping[str, Asset]) -> None:
    """Refuse a path below a file or link: written out, it would go where the link leads."""
    folders: set[str] = set()
    for path in assets:
        folder = path.rpartition("/")[0]
        while folder and folder not in folders:
            folders.add(folder)
            folder = folder.rpartition("/")[0]
    clashes = sorted(folders & assets.keys())
    if clashes:
        raise TreeRefused(clashes[0], "is a file or link and a folder at once")


def _refuse_escapes(assets: Mapping[str, Asset]) -> None:
    links = {p: asset.target for p, asset in assets.items() if isinstance(asset, SymlinkAsset)}
    escaping = escaping_symlinks(links)
    if escaping:
        target = links[escaping[0]]
        raise TreeRefused(
            escaping[0], f"is a symbolic link that leads out of the repository, to {target!r}"
        )


def checked(assets: dict[str, Asset], left_out: Iterable[LeftOut]) -> Manifest:
    """Return a manifest of assets whose paths were read from a disk rather than from git.

    Raises:
        TreeRefused: a path or symlink is unsafe; the message names it.

    """
    for path in assets:
        problem = path_problem(path)
        if problem is not None:
            raise TreeRefused(path, problem)
    _refuse_escapes(assets)
    return Manifest(assets=assets, left_out=tuple(sorted(left_out, key=lambda item: item.path)))
