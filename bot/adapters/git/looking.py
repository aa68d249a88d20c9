"""A look at a commit: two git processes, however much is asked, and the network only for blobs."""

from collections.abc import Callable, Collection, Iterator
from typing import TYPE_CHECKING

from bot.adapters.git.trees import FOLDER, SUBMODULE, SYMLINK, Entry, listed
from bot.core.model.errors import TreeRefused
from bot.core.model.ids import CommitSha
from bot.ports.source import MAX_LOOK_BYTES, Look

if TYPE_CHECKING:
    from bot.adapters.git.mirror import Mirror

# (object ids, most bytes of one) -> each with its content
Objects = Callable[[Collection[str], int], Iterator[tuple[str, bytes]]]


def looked(
    mirror: "Mirror",
    commit: CommitSha,
    files: Collection[str],
    folders: Collection[str],
    objects: Objects,
) -> Look:
    """Return what is asked of `commit`.

    Raises:
        TreeRefused: a file has more than `MAX_LOOK_BYTES`; the message names it.
        SourceUnavailable: the commit was not fetched, or a file could not be had.

    """
    entries = _entries(mirror, commit, {*files, *folders} - {""})
    blobs = {path: entries[path].oid for path in files if _is_file(entries.get(path))}
    try:
        contents = dict(objects([commit, *blobs.values()], MAX_LOOK_BYTES))
    except TreeRefused as error:
        path = next((path for path, oid in blobs.items() if oid == error.path), error.path)
        raise TreeRefused(path, error.problem) from error
    tree, message = _read_commit(contents[commit])
    ids = {path: entry.oid for path, entry in entries.items() if entry.mode == FOLDER}
    return Look(
        message=message,
        files={path: contents[oid] for path, oid in blobs.items()},
        folders={path: oid for path in folders if (oid := ids.get(path) if path else tree)},
    )


def _entries(mirror: "Mirror", commit: CommitSha, paths: Collection[str]) -> dict[str, Entry]:
    if not paths:
        return {}
    # -t: a folder is listed also when something below it is asked for.
    records = mirror.records("ls_tree", "-z", "-t", "--full-tree", "--", commit, *sorted(paths))
    return {entry.path: entry for entry in listed(records)}


def _is_file(entry: Entry | None) -> bool:
    return entry is not None and entry.mode not in {FOLDER, SYMLINK, SUBMODULE}


def _read_commit(content: bytes) -> tuple[str, str]:
    """Return tree and message of a commit object.

    Source: https://git-scm.com/docs/git-commit-tree; the tree comes first, the message last.
    """
    head, _, message = content.partition(b"\n\n")
    tree = head.split(b"\n", 1)[0].removeprefix(b"tree ").decode(errors="replace")
    return tree, message.decode(errors="replace")
