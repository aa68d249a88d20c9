"""Git's listings as entries: what `ls-tree` and `diff-tree` print, and nothing decided yet."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from bot.core.model.errors import TreeRefused

# Whatever stands in a tree, git prints as one of these two or as a file (or folder): its
# canon_mode() makes a submodule of everything else.
SYMLINK = 0o120000
FOLDER = 0o040000  # only where a listing does not go into folders
SUBMODULE = 0o160000
_ANY_EXECUTE = 0o111

_REMOVED = "000000"
_SUBMODULE = "160000"


# As many as the embedded server takes.
MAX_FILES = 100_000

# The embedded server's own limit of a file, and more than any platform documents. A gigabyte of
# zeros is a megabyte in a pack.
MAX_FILE_BYTES = 512 * 1024 * 1024

# As many paths are looked at, most of which may be no part of the app. At a quarter of a kilobyte
# each, this is memory.
MAX_LISTED = 250_000


class Entry(NamedTuple):
    """One path of a tree; a path that is not UTF-8 carries surrogates and is refused later."""

    path: str
    mode: int
    oid: str

    @property
    def is_executable(self) -> bool:
        """Tell whether it has an execute bit."""
        return bool(self.mode & _ANY_EXECUTE)


class Difference(NamedTuple):
    """What lies between two trees."""

    changed: list[Entry]  # added or modified, as they are now
    removed: list[str]
    grew: bool  # some of `changed` were not there before
    submodules: bool  # some of either are submodules, or were


def is_file(entry: Entry) -> bool:
    """Tell whether it is a plain file."""
    return entry.mode not in {SYMLINK, SUBMODULE, FOLDER}


def listed(records: Iterable[bytes]) -> Iterator[Entry]:
    """Yield the entries in the records of `ls-tree -r -z`.

    Raises:
        TreeRefused: there are more than `MAX_LISTED`.

    """
    for line in _texts(records, MAX_LISTED):
        facts, _, path = line.partition("\t")
        mode, _type, oid = facts.split(" ")
        yield Entry(path, int(mode, 8), oid)


def difference(records: Iterable[bytes]) -> Difference:
    """Return what the records of `diff-tree -r -z --no-renames` say.

    Raises:
        TreeRefused: more paths differ than two trees of `MAX_LISTED` can have.

    """
    fields = list(_texts(records, 2 * 2 * MAX_LISTED))
    changed: list[Entry] = []
    removed: list[str] = []
    modes: set[str] = set()
    for facts, path in zip(fields[::2], fields[1::2], strict=True):
        old_mode, mode, _old_oid, oid, _status = facts.split(" ")
        modes |= {old_mode, mode}
        if mode == _REMOVED:
            removed.append(path)
        else:
            changed.append(Entry(path, int(mode, 8), oid))
    return Difference(
        changed,
        removed,
        grew=f":{_REMOVED}" in modes,
        submodules=not modes.isdisjoint({_SUBMODULE, f":{_SUBMODULE}"}),
    )


def _texts(records: Iterable[bytes], most: int) -> Iterator[str]:
    for number, record in enumerate(records):
        text = record.decode(errors="surrogateescape")
        if number >= most:
            problem = f"is one more than the {MAX_LISTED:,} paths that are looked at"
            raise TreeRefused(text.rpartition("\t")[2], problem)
        yield text
