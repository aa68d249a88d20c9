"""Wake the engine's polling threads at once; polling stays as the fallback.

DBOS's queues look for work once a second on `Event.wait` of the events in its list
`background_thread_stop_events`. Ours are put in their place before launch: their `wait` also ends
when the bell rings. Should a new DBOS lack the list, polling still works.
"""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from typing_extensions import override

# A row turns into "success" a moment after its workflow's function returned, and only then is the
# next one of its partition free: look soon, and again in case the disk was slow. Without this, 200
# deployments took 62 s instead of 7 (docs/adr/0001).
AFTER_AN_END_S = (0.01, 0.1)


def ring(path: Path) -> None:
    """Wake the worker that listens on `path`; a hint that may get lost, never waits or raises."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bell, suppress(OSError):
        # The kernel keeps 10 datagrams; when they are full, the worker is being woken anyway.
        bell.setblocking(False)  # noqa: FBT003 - the standard library's signature
        bell.sendto(b"!", str(path))


class Waker:
    """One stop event of the engine whose waiters can be woken without being stopped."""

    def __init__(self, event: threading.Event) -> None:
        self._changed = threading.Condition()
        self._rings = 0
        self._seen = threading.local()
        self._is_set = event.is_set
        self._set = event.set
        # Several threads wait on this very object, so its methods are replaced, not the object.
        event.wait = self._wait  # type: ignore[method-assign]
        event.set = self._stop  # type: ignore[method-assign]

    def wake(self) -> None:
        """End every thread's present or next wait."""
        with self._changed:
            self._rings += 1
            self._changed.notify_all()

    def _stop(self) -> None:
        self._set()
        self.wake()

    def _wait(self, timeout: float | None = None) -> bool:
        with self._changed:
            # A thread's first wait ends at once: what was enqueued before it came is not late.
            seen: int = getattr(self._seen, "rings", self._rings - 1)
            self._changed.wait_for(lambda: self._rings != seen or self._is_set(), timeout)
            self._seen.rings = self._rings
        return self._is_set()


class Bell:
    """Everything that can be woken, and the socket on which it is asked for."""

    def __init__(self) -> None:
        self._wakers: list[Waker] = []

    def events(self) -> list[threading.Event]:
        """Return a list that makes every event put into it listen to this bell."""
        return _Events(lambda event: self._wakers.append(Waker(event)))

    def wake(self) -> None:
        """Wake all."""
        for waker in tuple(self._wakers):
            waker.wake()

    def wake_soon(self) -> None:
        """Wake all a moment from now, twice."""
        for delay_s in AFTER_AN_END_S:
            timer = threading.Timer(delay_s, self.wake)
            timer.daemon = True
            timer.start()

    def listen(self, path: Path) -> None:
        """Answer `ring` on `path` for the rest of the process, in a thread of its own."""
        path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        listener.bind(str(path))
        threading.Thread(target=self._answer, args=(listener,), name="bell", daemon=True).start()

    def _answer(self, listener: socket.socket) -> None:
        while True:
            listener.recv(1)
            self.wake()


class _Events(list[threading.Event]):
    """The engine's stop events."""

    def __init__(self, added: Callable[[threading.Event], None]) -> None:
        super().__init__()
        self._added = added

    @override
    def append(self, event: threading.Event, /) -> None:
        self._added(event)
        super().append(event)
