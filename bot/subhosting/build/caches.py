"""The npm packages of an app's last good build, for its next one. No other app sees them.

What a registry answered about versions is not kept, only what was downloaded for one: so a build
with a cache chooses the versions that one without would. Packages are copied in and out (as
reflinks where the file system can): a build may patch its packages in place, and those of a
deployment that runs must not change with them.

On disk, `<root>/<app>/<number>` is whole or absent, and the highest number counts.
"""

import os
import secrets
import shutil
import stat
import threading
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.subhosting.build import tree
from bot.subhosting.build.materialise import clone
from bot.subhosting.store.blobs import sync_file_system

# Below Deno's cache folder.
_PACKAGES = "npm"
# What a registry says about all versions of a package.
_VERSIONS = "registry.json"
_SIZE = "size"


@dataclass(frozen=True, slots=True)
class _Size:
    files: int
    bytes: int


class Caches:
    """Use one object for a folder; its methods may run in many threads at once."""

    def __init__(self, root: Path, *, most_bytes: int, most_bytes_of_one: int) -> None:
        """Keep up to `most_bytes` below `root`; what an earlier process left unfinished goes."""
        self._root = root
        self._most_bytes = most_bytes
        self._most_bytes_of_one = most_bytes_of_one
        self._lock = threading.Lock()
        self._readers: Counter[Path] = Counter()
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        for draft in root.glob(".*"):
            tree.remove(draft)

    def restore(self, app_id: str, cache: Path) -> bool:
        """Copy an app's packages into an empty Deno cache; False if there are none."""
        with self._reading(app_id) as found:
            if found is None or (cache / _PACKAGES).exists():
                return False
            os.utime(found.parent)  # the least recently used one goes first
            cache.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft = cache / f".{_PACKAGES}.{secrets.token_hex(4)}"
            try:
                _copy(found / _PACKAGES, draft)
                draft.rename(cache / _PACKAGES)
            except OSError:
                # A full disk, say: a build without a cache takes longer and nothing else.
                shutil.rmtree(draft, ignore_errors=True)
                return False
        return True

    def keep(self, app_id: str, cache: Path) -> bool:
        """Take the packages of a build that went well in place of the app's; False if none came.

        An app whose packages outgrew the limit begins anew with its next build, for which
        versions that nobody uses any more are not installed.
        """
        packages = cache / _PACKAGES
        if not packages.is_dir():
            return False
        size = _measured(packages)
        if size == self._size(app_id):
            return False
        if size.bytes > self._most_bytes_of_one:
            self.forget(app_id)
            return False
        draft = self._root / f".{app_id}.{secrets.token_hex(4)}"
        try:
            _copy(packages, draft / _PACKAGES)
            (draft / _SIZE).write_text(f"{size.files} {size.bytes}", encoding="ascii")
            sync_file_system(draft)
            self._publish(app_id, draft)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        self._evict()
        return True

    def forget(self, app_id: str) -> None:
        """Delete an app's packages, as soon as no build copies them."""
        with self._lock:
            for old in self._generations(app_id):
                self._remove_unread(old)

    def forget_others(self, app_ids: Collection[str]) -> None:
        """Delete the packages of all apps but these."""
        for folder in list(self._root.iterdir()):
            if folder.name not in app_ids and not folder.name.startswith("."):
                self.forget(folder.name)
                self._remove_if_empty(folder)

    @contextmanager
    def _reading(self, app_id: str) -> Iterator[Path | None]:
        """Give the newest packages of an app, which stay as long as the block."""
        with self._lock:
            found = next(iter(self._generations(app_id)), None)
            if found is not None:
                self._readers[found] += 1
        try:
            yield found
        finally:
            if found is not None:
                with self._lock:
                    self._readers[found] -= 1
                    if found not in self._generations(app_id)[:1]:
                        self._remove_unread(found)

    def _publish(self, app_id: str, draft: Path) -> None:
        with self._lock:
            before = self._generations(app_id)
            number = int(before[0].name) + 1 if before else 1
            (self._root / app_id).mkdir(mode=0o700, exist_ok=True)
            draft.rename(self._root / app_id / str(number))
            for old in before:
                self._remove_unread(old)

    def _evict(self) -> None:
        """Delete the packages of those apps that have not been built for longest."""
        with self._lock:
            apps = [folder for folder in self._root.iterdir() if not folder.name.startswith(".")]
            apps.sort(key=lambda folder: folder.stat().st_mtime, reverse=True)
            total = 0
            for folder in apps:
                generations = self._generations(folder.name)
                total += sum(_size_of(each).bytes for each in generations)
                if total > self._most_bytes:
                    for each in generations:
                        self._remove_unread(each)
                    self._remove_if_empty(folder)

    def _size(self, app_id: str) -> _Size | None:
        with self._reading(app_id) as found:
            return None if found is None else _size_of(found)

    def _generations(self, app_id: str) -> list[Path]:
        """Return the folders of an app, newest first."""
        folder = self._root / app_id
        if not folder.is_dir():
            return []
        return sorted(folder.iterdir(), key=lambda each: int(each.name), reverse=True)

    def _remove_unread(self, generation: Path) -> None:
        if self._readers[generation] > 0 or not generation.exists():
            return  # whoever reads it removes it
        del self._readers[generation]
        # Under another name first, so that a kill in the middle leaves no half of it.
        gone = self._root / f".{generation.parent.name}.{secrets.token_hex(4)}"
        generation.rename(gone)
        shutil.rmtree(gone, ignore_errors=True)

    def _remove_if_empty(self, folder: Path) -> None:
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def _size_of(generation: Path) -> _Size:
    files, size = (generation / _SIZE).read_text(encoding="ascii").split()
    return _Size(int(files), int(size))


def _measured(packages: Path) -> _Size:
    files = size = 0
    for _, found in _files(packages):
        files += 1
        size += found.st_size
    return _Size(files, size)


def _copy(source: Path, target: Path) -> None:
    target.mkdir(mode=0o700, parents=True)
    made = {Path()}
    for path, found in _files(source):
        inside = path.relative_to(source)
        if inside.parent not in made:
            (target / inside.parent).mkdir(parents=True, exist_ok=True)
            made.add(inside.parent)
        clone(path, target / inside)
        (target / inside).chmod(stat.S_IMODE(found.st_mode) & 0o755)


def _files(packages: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Yield what was downloaded; links and pipes are no part of it, whoever made them."""
    for here, _, names in os.walk(packages):
        for name in names:
            path = Path(here, name)
            found = path.lstat()
            if name != _VERSIONS and stat.S_ISREG(found.st_mode):
                yield path, found
