"""Other mirrors whose objects are read as if they were a mirror's own: those of its submodules.

Written down beside the mirror, for whoever reads it next, in another process perhaps. Fetching
does not see them, so that what a mirror has it has by itself.
"""

from collections.abc import Collection
from pathlib import Path

_FILE = "lenders"


def lend(mirror: Path, names: Collection[str]) -> None:
    """Let the mirror borrow from the mirrors of these names beside it; under its lock."""
    known = _names(mirror)
    if not known >= set(names):
        fresh = mirror / f"{_FILE}.new"
        fresh.write_text("\n".join(sorted(known | set(names))))
        fresh.replace(mirror / _FILE)


def borrowed(mirror: Path) -> str:
    """Return GIT_ALTERNATE_OBJECT_DIRECTORIES; "" for none. Lenders that are gone are left out.

    Source: https://git-scm.com/docs/git#Documentation/git.txt-GITALTERNATEOBJECTDIRECTORIES
    """
    folders = (mirror.with_name(name) / "objects" for name in sorted(_names(mirror)))
    return ":".join(map(_quoted, filter(Path.is_dir, folders)))


def _names(mirror: Path) -> set[str]:
    file = mirror / _FILE
    return set(file.read_text().split("\n")) if file.is_file() else set()


def _quoted(folder: Path) -> str:
    text = str(folder).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'
