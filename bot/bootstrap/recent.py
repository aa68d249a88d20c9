"""A small memory of the newest manifests, so that the next push only reads and sends a change."""

from collections import OrderedDict
from collections.abc import Iterator, MutableMapping
from threading import Lock
from typing import TypeVar

from typing_extensions import override

# A manifest of 10,000 files takes about 3 MB; an installation rarely works on more branches at
# the same time than this.
CAPACITY = 32


Key = TypeVar("Key")
Value = TypeVar("Value")


class Recent(MutableMapping[Key, Value]):
    """A mapping that forgets what was not used for the longest time; safe for threads."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._kept: OrderedDict[Key, Value] = OrderedDict()
        self._capacity = capacity
        self._lock = Lock()

    @override
    def __getitem__(self, key: Key) -> Value:
        with self._lock:
            self._kept.move_to_end(key)
            return self._kept[key]

    @override
    def __setitem__(self, key: Key, value: Value) -> None:
        with self._lock:
            self._kept[key] = value
            self._kept.move_to_end(key)
            while len(self._kept) > self._capacity:
                self._kept.popitem(last=False)

    @override
    def __delitem__(self, key: Key) -> None:
        with self._lock:
            del self._kept[key]

    @override
    def __iter__(self) -> Iterator[Key]:
        with self._lock:
            return iter(list(self._kept))

    @override
    def __len__(self) -> int:
        return len(self._kept)
