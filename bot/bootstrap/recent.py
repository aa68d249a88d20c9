"""A small memory of the newest manifests, so that the next push only patches one."""

from collections import OrderedDict
from collections.abc import Iterator, MutableMapping
from threading import Lock

from typing_extensions import override

from bot.core.model.ids import PreviewId
from bot.ports.source import KnownManifest

# A manifest of 10,000 files takes about 3 MB; an installation rarely works on more branches at
# the same time than this.
CAPACITY = 32


class RecentManifests(MutableMapping[PreviewId, KnownManifest]):
    """A mapping that forgets what was not used for the longest time; safe for threads."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._kept: OrderedDict[PreviewId, KnownManifest] = OrderedDict()
        self._capacity = capacity
        self._lock = Lock()

    @override
    def __getitem__(self, key: PreviewId) -> KnownManifest:
        with self._lock:
            self._kept.move_to_end(key)
            return self._kept[key]

    @override
    def __setitem__(self, key: PreviewId, value: KnownManifest) -> None:
        with self._lock:
            self._kept[key] = value
            self._kept.move_to_end(key)
            while len(self._kept) > self._capacity:
                self._kept.popitem(last=False)

    @override
    def __delitem__(self, key: PreviewId) -> None:
        with self._lock:
            del self._kept[key]

    @override
    def __iter__(self) -> Iterator[PreviewId]:
        with self._lock:
            return iter(list(self._kept))

    @override
    def __len__(self) -> int:
        return len(self._kept)
