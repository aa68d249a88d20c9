"""Open databases: each with a thread of its own, and with those who watch its keys."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from bot.kernel.clock import Clock
from bot.subhosting.kv.messages import AtomicWrite, Entry, ReadRange
from bot.subhosting.kv.store import KvStore, Written

Result = TypeVar("Result")

# What has expired is gone for readers at once; those who watch hear of it this much later.
_EXPIRY_SHOWS_WITHIN_S = 1.0


class OpenDatabase:
    """A database as the event loop sees it; its file is open from the first use to `close`."""

    def __init__(self, path: Path, clock: Clock, most_bytes: int) -> None:
        """Remember where the file is, and how large it may become."""
        self._path = path
        self._most_bytes = most_bytes
        self._clock = clock
        self._store: KvStore | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="kv")
        self._watchers: dict[asyncio.Event, frozenset[bytes]] = {}

    async def close(self) -> None:
        """Finish what was begun and let go of the file."""
        await self._run(lambda store: store.close())
        self._store = None
        await asyncio.to_thread(self._thread.shutdown)

    async def read(self, ranges: Sequence[ReadRange]) -> list[list[Entry]]:
        """Return the entries of each range, all as of one moment."""
        return await self._run(lambda store: store.read(ranges))

    async def write(self, write: AtomicWrite) -> Written:
        """Make all changes if all checks hold.

        Raises:
            Refused: a mutation does not fit the value that is there; nothing was changed.

        """
        # Shielded, because a client that leaves does not take its write back.
        written = await asyncio.shield(self._run(lambda store: store.write(write)))
        self._changed(written.keys)
        return written

    async def watch(self, keys: Sequence[bytes]) -> AsyncIterator[list[Entry | bool | None]]:
        """Yield the entries of keys now and whenever one changes; False for an unchanged one."""
        ranges = [ReadRange(key, key + b"\0", 1, reverse=False) for key in keys]
        last: list[Entry | None] | None = None
        with self._watching(keys) as changed:
            while True:
                changed.clear()
                found = [each[0] if each else None for each in await self.read(ranges)]
                if last is None:
                    yield list(found)
                elif found != last:
                    yield [
                        False if new == old else new for new, old in zip(found, last, strict=True)
                    ]
                last = found
                try:
                    await asyncio.wait_for(changed.wait(), _EXPIRY_SHOWS_WITHIN_S)
                except TimeoutError:
                    self._changed(await self._run(lambda store: store.expire()))

    @contextmanager
    def _watching(self, keys: Iterable[bytes]) -> Iterator[asyncio.Event]:
        changed = asyncio.Event()
        self._watchers[changed] = frozenset(keys)
        try:
            yield changed
        finally:
            del self._watchers[changed]

    def _changed(self, keys: Iterable[bytes]) -> None:
        written = frozenset(keys)
        for changed, watched in self._watchers.items():
            if watched & written:
                changed.set()

    async def _run(self, work: Callable[[KvStore], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._do, work)

    def _do(self, work: Callable[[KvStore], Result]) -> Result:
        if self._store is None:
            self._store = KvStore(self._path, self._clock, self._most_bytes)
        return work(self._store)
