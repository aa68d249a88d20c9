"""Trees that are laid out before anybody asks for them, so that the next one costs its change.

A deployment's files are links to blobs, and 10,000 of them take a tenth of a second. The next
deployment of the app will have nearly the same. So once one serves, its tree is laid out a second
time, while nobody waits; the next one takes that and changes what differs. Nothing ever runs in
such a tree, so it is exactly what its manifest says.
"""

import logging
import os
import secrets
import shutil
import threading
from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bot.subhosting.build.materialise import ContentLost, materialise, rearrange
from bot.subhosting.store.records import Manifest

LOG = logging.getLogger(__name__)

# Fewer are linked sooner than anybody could notice.
MIN_FILES = 200

# An app that is deployed again keeps its tree, which is 10,000 names and no contents.
MOST = 8

# Apps, routers and builds come first.
_NICENESS = 10


@dataclass(frozen=True, slots=True)
class _Spare:
    manifest: Manifest
    tree: Path


class Spares:
    """At most one tree for each of the projects that were deployed last. Safe for threads."""

    def __init__(self, root: Path) -> None:
        """Keep trees below `root`, which must be where deployments are; it is emptied first."""
        self._root = root
        self._ready: OrderedDict[str, _Spare] = OrderedDict()
        self._lock = threading.Lock()
        self._closed = False
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="spares", initializer=_step_back)
        self._worker.submit(self._empty)

    def take(self, project_id: str, manifest: Manifest, blobs: Path, target: Path) -> bool:
        """Make `target` hold exactly the manifest, if there is a tree that is nearly it.

        The folder appears under its name only when it is complete. False: nothing was done.
        """
        with self._lock:
            spare = self._ready.pop(project_id, None)
        if spare is None:
            return False
        if not _is_near(spare.manifest, manifest):
            self._worker.submit(_remove, spare.tree)
            return False
        draft = target.with_name(f"{target.name}.{secrets.token_hex(4)}")
        try:
            draft.parent.mkdir(parents=True, exist_ok=True)
            spare.tree.rename(draft)
            rearrange(draft, spare.manifest, manifest, blobs)
            draft.rename(target)
        except (OSError, ContentLost):
            # Whoever asks lays it out anew, and finds out what is wrong.
            LOG.warning("spare_tree_unfit project=%s", project_id, exc_info=True)
            for left_over in (draft, spare.tree):
                _remove(left_over)
            return False
        return True

    def lay_out(self, project_id: str, manifest: Manifest, blobs: Path) -> "Future[None] | None":
        """Have a tree ready soon; None if the app is too small for one."""
        if len(manifest.files) < MIN_FILES:
            return None
        return self._worker.submit(self._lay_out, project_id, manifest, blobs)

    def forget(self, project_ids: set[str]) -> None:
        """Keep only the trees of these projects."""
        with self._lock:
            gone = [self._ready.pop(each) for each in self._ready.keys() - project_ids]
        for spare in gone:
            self._worker.submit(_remove, spare.tree)

    def close(self) -> None:
        """Stop laying out; what is ready is of no use to the next process."""
        self._closed = True
        self._worker.shutdown(cancel_futures=True)

    def _lay_out(self, project_id: str, manifest: Manifest, blobs: Path) -> None:
        with self._lock:
            before = self._ready.get(project_id)
        if self._closed or (before is not None and before.manifest == manifest):
            return
        tree = self._root / f"{project_id}.{secrets.token_hex(4)}"
        try:
            materialise(manifest, blobs, tree)
        except (OSError, ContentLost):
            # A full disk, or a project that is gone: it only costs the next one some time.
            LOG.warning("spare_tree_not_laid_out project=%s", project_id, exc_info=True)
            return
        with self._lock:
            old = self._ready.pop(project_id, None)
            self._ready[project_id] = _Spare(manifest, tree)
            gone = [old] if old is not None else []
            while len(self._ready) > MOST:
                gone.append(self._ready.popitem(last=False)[1])
        for spare in gone:
            _remove(spare.tree)

    def _empty(self) -> None:
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        for left_over in self._root.iterdir():
            _remove(left_over)


def _is_near(before: Manifest, after: Manifest) -> bool:
    """Tell whether changing a tree is less work than laying it out: each path counts twice."""
    same = sum(before.files.get(path) == sha1 for path, sha1 in after.files.items())
    return len(before.files) + len(after.files) - 2 * same < len(after.files)


def _remove(tree: Path) -> None:
    shutil.rmtree(tree, ignore_errors=True)


def _step_back() -> None:
    with suppress(OSError):
        # On Linux a thread has a niceness of its own.
        # https://man7.org/linux/man-pages/man2/setpriority.2.html#BUGS
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
