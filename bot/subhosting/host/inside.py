"""Our services for children that have a network of their own, by listeners inside of it.

A child's view names ports of loopback that it connects to. Without a network of its own these are
the host's; with one, the same ports are opened in there before it starts, and served from here by
whoever offers them. So neither the child nor its variables differ.
"""

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable, Sequence

LOG = logging.getLogger(__name__)

# Serves a listening socket, which is its own from then on, and returns what ends that.
Attach = Callable[[socket.socket], Awaitable[Callable[[], Awaitable[None]]]]


class Inside:
    """Knows who serves which port."""

    def __init__(self) -> None:
        """Begin without any service."""
        self._offers: dict[tuple[str | None, int], Attach] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def offer(self, owner: str | None, port: int, attach: Attach) -> None:
        """Serve `port` inside the children of `owner`, or of everybody, from now on."""
        self._offers[owner, port] = attach

    def withdraw(self, owner: str | None, port: int) -> None:
        """Open it no more; children that have it keep it."""
        self._offers.pop((owner, port), None)

    def serve(self, owner: str, listeners: Sequence[socket.socket]) -> Callable[[], None]:
        """Serve the listeners inside a child of `owner`; call what is returned when it is over.

        Must be called in the event loop. Who connects before the service is up waits.
        """
        over = asyncio.Event()
        for listener in listeners:
            task = asyncio.create_task(self._serve(owner, listener, over))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return over.set

    async def _serve(self, owner: str, listener: socket.socket, over: asyncio.Event) -> None:
        port = listener.getsockname()[1]
        attach = self._offers.get((owner, port)) or self._offers.get((None, port))
        if attach is None:
            LOG.error("inside_unserved owner=%s port=%d", owner, port)
            listener.close()
            return
        close = await attach(listener)
        try:
            await over.wait()
        finally:
            await close()
