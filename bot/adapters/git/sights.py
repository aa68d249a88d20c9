"""What lies below a folder: names, kinds, and the hashes that git has noted of unchanged files.

It imports little, because a process of its own may do it: `bot.adapters.git.ahead`.
"""

import os
import stat
from collections.abc import Callable
from operator import attrgetter
from pathlib import Path
from typing import Literal

from bot.adapters.git.index import Index, index_around
from bot.kernel.lfs_pointer import MAX_POINTER_BYTES

# `modules` is a folder of installed packages, `special` a socket and its like.
Kind = Literal["file", "link", "modules", "special"]

# Path below the folder; kind; the SHA-1 that git has noted, or where the link leads, "" for
# neither; whether the owner may execute it.
Sight = tuple[str, Kind, str, bool]

_NAME = attrgetter("name")


def sights_below(folder: Path) -> list[Sight]:
    """Return everything below `folder` that is no folder, in a stable order, and not `.git`.

    Raises:
        OSError: something could not be looked at.

    """
    found: list[Sight] = []
    _look(str(folder), "", index_around(folder), found.append)
    return found


def _look(folder: str, prefix: str, index: Index, add: Callable[[Sight], None]) -> None:
    with os.scandir(folder) as entries:
        found = sorted(entries, key=_NAME)
    for entry in found:
        name = entry.name
        path = prefix + name
        if len(name) == 4 and name.lower() == ".git":  # noqa: PLR2004 - quicker than lower() of all
            continue
        if entry.is_file(follow_symlinks=False):
            facts = entry.stat(follow_symlinks=False)
            # A pointer of LFS is what it is whatever git says, and is short.
            noted = index.sha1_of(path, facts) if facts.st_size > MAX_POINTER_BYTES else None
            add((path, "file", noted or "", bool(facts.st_mode & stat.S_IXUSR)))
        elif entry.is_symlink():
            # Path would tidy the target.
            add((path, "link", os.readlink(entry.path), False))  # noqa: PTH115
        elif not entry.is_dir():
            add((path, "special", "", False))
        elif name == "node_modules":
            add((path, "modules", "", False))
        else:
            _look(entry.path, f"{path}/", index, add)
