"""From entries to a manifest: which paths are deployed, left out or refused."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import NamedTuple, Protocol

from bot.adapters.git import lfs
from bot.adapters.git.trees import MAX_FILES, SUBMODULE, SYMLINK, Entry, difference, is_file
from bot.core.decide.rules import GITMODULES, MAX_RULES_BYTES, Rules, is_rule
from bot.core.model.errors import TreeRefused
from bot.core.model.ids import BlobSha
from bot.core.model.manifest import Asset, FileAsset, LeftOut, Manifest, SymlinkAsset
from bot.core.model.selection import Selection
from bot.kernel.lfs_pointer import MAX_POINTER_BYTES, Pointer, is_pointer, pointer_of
from bot.kernel.paths import escaping_symlinks, path_problem
from bot.ports.source import KnownManifest

# As long as Linux lets a link's target be (PATH_MAX with its NUL).
MAX_LINK_BYTES = 4095

SUBMODULE_REASON = (
    "is a submodule, which is not fetched, so the preview has no files there "
    "(`submodules: true` in the default branch's configuration changes that)"
)

ROOT_REASON = "is to be the app's folder, and there is no such folder"

# What is read to be understood rather than sent, all together.
MAX_READ_BYTES = 16 * 1024 * 1024


class Reading(Protocol):
    """How blobs are named and read: the part of `bot.adapters.git.objects` that is used here."""

    def names(self, oids: Collection[str]) -> Mapping[str, BlobSha]:
        """Return the SHA-1 names of blobs by their ids."""
        ...

    def small(
        self, wanted: Collection[BlobSha], most_bytes: int
    ) -> Iterator[tuple[BlobSha, bytes]]:
        """Yield contents; the first that is larger than `most_bytes` is refused by its name."""
        ...

    def starts(self, wanted: Collection[BlobSha], length: int) -> Iterator[tuple[BlobSha, bytes]]:
        """Yield how contents begin."""
        ...

    def lfs(self, pointers: Mapping[str, Pointer]) -> lfs.Resolved:
        """Return what pointers stand for, by path."""
        ...


class Expansion(NamedTuple):
    """What became of submodules."""

    entries: Sequence[Entry]  # what lies in those that were opened
    opened: AbstractSet[str]  # their paths
    reasons: Mapping[str, str]  # why another stays outside, by its path


# (submodules, .gitmodules, whether anything below a path is wanted) -> what became of them
Expand = Callable[[Sequence[Entry], bytes, Callable[[str], bool]], Expansion]


def full(
    entries: Iterable[Entry], selection: Selection, reading: Reading, expand: Expand | None = None
) -> Manifest:
    """Return the manifest of an app from all entries below its root, and the rules above it.

    Without `expand`, submodules are left out.

    Raises:
        TreeRefused: a path, mode or symlink is unsafe, or the root is no folder; the message
            names it.

    """
    inside = f"{selection.root}/" if selection.root else ""
    found = list(entries)
    below = [entry for entry in found if entry.path.startswith(inside)]
    if selection.root and not below:
        raise TreeRefused(selection.root, ROOT_REASON)
    small, rules = _read(found, below, selection, reading)
    modules = [entry for entry in below if entry.mode == SUBMODULE]
    reasons: Mapping[str, str] = {}
    if expand is not None and modules:
        draft = _Draft(Rules(selection, rules), selection, reading)
        expansion = expand(modules, rules.get(GITMODULES, b""), draft.may_take)
        reasons = expansion.reasons
        more, more_rules = _read(expansion.entries, expansion.entries, selection, reading)
        small, rules = small | more, rules | more_rules
        below = [e for e in (*below, *expansion.entries) if e.path not in expansion.opened]
    draft = _Draft(Rules(selection, rules), selection, reading, reasons)
    draft.add([entry for entry in below if draft.takes(entry)], small)
    return draft.manifest(rules, grew=True)


def _read(
    found: Sequence[Entry], below: Sequence[Entry], selection: Selection, reading: Reading
) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """Return the contents of rules in `found` and of links `below`, and of the rules alone."""
    ruling = [each for each in found if is_file(each) and is_rule(each.path, selection)]
    # One batch for both: on a first deploy they are one connection.
    small = _small([*ruling, *(each for each in below if each.mode == SYMLINK)], reading)
    return small, {entry.path: small[entry.path] for entry in ruling}


def patched(
    known: KnownManifest, differences: Iterable[bytes], reading: Reading
) -> Manifest | None:
    """Return a known manifest with changes made, or None when only the whole tree can tell.

    `differences` are the records of `diff-tree -r -z --no-renames`, which git is still making.

    Raises:
        TreeRefused: as for `full`.

    """
    selection, before = known.selection, known.manifest
    draft = _Draft(Rules(selection, before.rules), selection, reading)
    draft.begin_from(before)  # while git works
    changes = difference(differences)
    touched = [*(entry.path for entry in changes.changed), *changes.removed]
    if any(is_rule(path, selection) for path in touched) or selection.root in touched:
        return None
    if selection.submodules and changes.submodules:
        return None
    draft.drop(touched)
    changed = [entry for entry in changes.changed if draft.takes(entry)]
    draft.add(changed, _small([each for each in changed if each.mode == SYMLINK], reading))
    # Without one file left, the root may be gone.
    return draft.manifest(before.rules, grew=changes.grew) if draft.assets else None


class _Draft:
    """A manifest that is being made. Entries have the repository's paths, assets the app's."""

    def __init__(
        self,
        rules: Rules,
        selection: Selection,
        reading: Reading,
        reasons: Mapping[str, str] | None = None,
    ) -> None:
        self._rules = rules
        self._reasons = reasons or {}
        self._selection = selection
        self._reading = reading
        self._cut = len(selection.root) + 1 if selection.root else 0
        self.assets: dict[str, Asset] = {}
        self._left_out: dict[str, LeftOut] = {}
        self._same_links = False  # as in a manifest that was checked

    def begin_from(self, before: Manifest) -> None:
        """Take over a manifest."""
        self.assets = dict(before.assets)
        self._left_out = {item.path: item for item in before.left_out}
        self._same_links = True

    def drop(self, touched: Iterable[str]) -> None:
        """Take out what is not as it was, by the repository's paths."""
        for path in touched:
            gone = self.assets.pop(path[self._cut :], None)
            self._same_links = self._same_links and not isinstance(gone, SymlinkAsset)
            self._left_out.pop(path[self._cut :], None)

    def takes(self, entry: Entry) -> bool:
        """Tell whether an entry is part of the app."""
        return self._rules.takes(entry.path[self._cut :], is_folder=entry.mode == SUBMODULE)

    def may_take(self, path: str) -> bool:
        """Tell whether something in the submodule `path` of the repository may be part of it."""
        return self._rules.leaves(path[self._cut :], is_folder=True)

    def add(self, entries: Sequence[Entry], links: Mapping[str, bytes]) -> None:
        """Put entries in; `links` are the targets of those that are links."""
        names = self._reading.names([e.oid for e in entries if is_file(e)])
        added: dict[str, Asset] = {}
        for entry in entries:
            path = entry.path[self._cut :]
            _refuse_odd(entry, taken=path in added)
            if entry.mode == SUBMODULE:
                reason = self._reasons.get(entry.path, SUBMODULE_REASON)
                self._left_out[path] = LeftOut(path=path, reason=reason)
            elif entry.mode == SYMLINK:
                added[path] = _link(entry.path, links[entry.path])
                self._same_links = False
            else:
                added[path] = FileAsset(names[entry.oid], entry.is_executable)
        self._resolve(self._pointers(added), added)
        self.assets |= added

    def manifest(self, rules: Mapping[str, bytes], *, grew: bool) -> Manifest:
        """Return what came out, if it can be a tree; `grew` is whether paths are new."""
        if len(self.assets) > MAX_FILES:
            path = next(reversed(self.assets))
            problem = f"is one more than the {MAX_FILES:,} files of a preview"
            raise TreeRefused(self._selection.in_repository(path), problem)
        if grew:
            _refuse_collisions(self.assets, self._selection)
        if not self._same_links:  # where one leads depends on nothing but the others
            _refuse_escapes(self.assets, self._selection)
        left_out = tuple(self._left_out[path] for path in sorted(self._left_out))
        return Manifest(assets=self.assets, left_out=left_out, rules=rules)

    def _resolve(self, pointers: Mapping[str, Pointer | None], added: dict[str, Asset]) -> None:
        """Put files in place of their pointers, or leave them out."""
        good = {path: pointer for path, pointer in pointers.items() if pointer is not None}
        reasons = dict.fromkeys(pointers, lfs.BROKEN_REASON) | dict.fromkeys(
            good, lfs.POINTER_REASON
        )
        if good and self._selection.lfs:
            resolved = self._reading.lfs(good)
            reasons |= resolved.problems
            for path, sha1 in resolved.found.items():
                pointer_file = added[path]
                if isinstance(pointer_file, FileAsset):
                    added[path] = replace(pointer_file, sha1=sha1)
                    del reasons[path]
        for path, reason in reasons.items():
            del added[path]
            self._left_out[path] = LeftOut(path=path, reason=reason)

    def _pointers(self, added: Mapping[str, Asset]) -> Mapping[str, Pointer | None]:
        """Return what stands in those files that are handed to Git LFS, None for nonsense."""
        candidates = {
            path: asset.sha1
            for path, asset in added.items()
            if isinstance(asset, FileAsset) and self._rules.says_lfs(path)
        }
        if not candidates:
            return {}
        starts = self._reading.starts(set(candidates.values()), MAX_POINTER_BYTES)
        pointers = {sha1: pointer_of(start) for sha1, start in starts if is_pointer(start)}
        return {path: pointers[sha1] for path, sha1 in candidates.items() if sha1 in pointers}


def _small(entries: Sequence[Entry], reading: Reading) -> dict[str, bytes]:
    """Return contents by path, which then stand side by side; none asked, none read.

    Raises:
        TreeRefused: one is larger than `MAX_RULES_BYTES`, or all than `MAX_READ_BYTES`.

    """
    if not entries:
        return {}
    names = reading.names([entry.oid for entry in entries])
    wanted = {entry.path: names[entry.oid] for entry in entries}
    found: dict[BlobSha, bytes] = {}
    room = MAX_READ_BYTES
    try:
        for sha1, content in reading.small(set(wanted.values()), MAX_RULES_BYTES):
            found[sha1] = content
            room -= len(content)
            if room < 0:
                break
    except TreeRefused as error:
        raise TreeRefused(_first_of(error.path, wanted), error.problem) from error
    if room < 0:
        problem = f"and its like have more than {MAX_READ_BYTES:,} bytes"
        raise TreeRefused(_first_of(next(reversed(found)), wanted), problem)
    return {path: found[sha1] for path, sha1 in wanted.items()}


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


def _first_of(sha1: str, paths: Mapping[str, BlobSha]) -> str:
    return next((path for path, blob in paths.items() if blob == sha1), sha1)


def _refuse_collisions(assets: Mapping[str, Asset], selection: Selection) -> None:
    """Refuse a path below a file or link: written out, it would go where the link leads."""
    folders: set[str] = set()
    for path in assets:
        folder = path.rpartition("/")[0]
        while folder and folder not in folders:
            folders.add(folder)
            folder = folder.rpartition("/")[0]
    clashes = sorted(folders & assets.keys())
    if clashes:
        path = selection.in_repository(clashes[0])
        raise TreeRefused(path, "is a file or link and a folder at once")


def _refuse_escapes(assets: Mapping[str, Asset], selection: Selection) -> None:
    links = {p: asset.target for p, asset in assets.items() if isinstance(asset, SymlinkAsset)}
    escaping = escaping_symlinks(links)
    if escaping:
        target = links[escaping[0]]
        where = f"the app's folder {selection.root!r}" if selection.root else "the repository"
        raise TreeRefused(
            selection.in_repository(escaping[0]),
            f"is a symbolic link that leads out of {where}, to {target!r}",
        )


def checked(
    assets: dict[str, Asset],
    left_out: Iterable[LeftOut],
    selection: Selection,
    rules: Mapping[str, bytes],
) -> Manifest:
    """Return a manifest of assets whose paths were read from a disk rather than from git.

    Raises:
        TreeRefused: a path or symlink is unsafe; the message names it.

    """
    for path in assets:
        problem = path_problem(path)
        if problem is not None:
            raise TreeRefused(selection.in_repository(path), problem)
    _refuse_escapes(assets, selection)
    named = tuple(sorted(left_out, key=lambda item: item.path))
    return Manifest(assets=assets, left_out=named, rules=rules)
