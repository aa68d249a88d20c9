"""Answers that wait: a limit on how many threads they may hold."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from bot.subhosting.errors import Busy

# Under this name it stands in the extensions of the Flask application.
WAITING_ROOM = "subhosting-waiting-room"


class WaitingRoom:
    """Places for requests that wait for something; the rest of the threads stay free."""

    def __init__(self, places: int) -> None:
        """Allow `places` waiting requests at once."""
        self._places = threading.Semaphore(places)

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold a place for the length of the block.

        Raises:
            Busy: none is free; waiting for one would hold a thread as well.

        """
        if not self._places.acquire(blocking=False):
            raise Busy("tooManyStreams", "Too many requests wait for logs; try again shortly.")
        try:
            yield
        finally:
            self._places.release()
