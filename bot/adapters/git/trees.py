"""Git's listings as entries: what `ls-tree` and `diff-tree` print, and nothing decided yet."""

from collections.abc import Iterator
from typing import NamedTuple

# Whatever stands in a tree, git prints as one of these two or as a file (or folder): its
# canon_mode() makes a submodule of everything else.
SYMLINK = 0o120000
SUBMODULE = 0o160000
_ANY_EXECUTE = 0o111

_REMOVED = "000000"


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


def listed(raw: bytes) -> Iterator[Entry]:
    """Yield the entries in the output of `ls-tree -r -z`."""
    for line in raw.decode(errors="surrogateescape").split("\0")[:-1]:
        facts, _, path = line.partition("\t")
        mode, _type, oid = facts.split(" ")
        yield Entry(path, int(mode, 8), oid)


def difference(raw: bytes) -> Difference:
    """Return what the output of `diff-tree -r -z --no-renames` says."""
    fields = raw.decode(errors="surrogateescape").split("\0")[:-1]
    found = Difference([], [], grew=any(":000000 " in facts for facts in fields[::2]))
    for facts, path in zip(fields[::2], fields[1::2], strict=True):
        _old_mode, mode, _old_oid, oid, _status = facts.split(" ")
        if mode == _REMOVED:
            found.removed.append(path)
        else:
            found.changed.append(Entry(path, int(mode, 8), oid))
    return found
