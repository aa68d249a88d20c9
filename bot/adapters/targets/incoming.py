"""Answers that are read as they come."""

import socket
from collections.abc import Iterator
from contextlib import suppress

import httpx

from bot.adapters.targets import errors


class Stream:
    """An answer that is read as it comes."""

    def __init__(self, target: str, response: httpx.Response) -> None:
        self._target = target
        self._response = response
        self.content_type: str = response.headers.get("Content-Type", "")

    def lines(self, most_bytes: int) -> Iterator[bytes]:
        """Yield line by line, without its end; what the stream's end cuts short is left out.

        Raises:
            TargetRefused: a line has more than `most_bytes`.

        """
        rest = b""
        for piece in self._response.iter_bytes():
            *whole, rest = (rest + piece).split(b"\n")
            for line in whole:
                yield line.removesuffix(b"\r")
            if len(rest) > most_bytes:
                raise errors.not_understood(
                    self._target,
                    status=self._response.status_code,
                    problem=f"a line of more than {most_bytes} bytes",
                )

    def pieces(self, most_bytes: int) -> Iterator[bytes]:
        """Yield it as it comes, decoded.

        Raises:
            TargetRefused: there are more than `most_bytes`.

        """
        size = 0
        for piece in self._response.iter_bytes():
            size += len(piece)
            if size > most_bytes:
                raise errors.not_understood(
                    self._target,
                    status=self._response.status_code,
                    problem=f"more than {most_bytes} bytes",
                )
            yield piece

    def interrupt(self) -> None:
        """End the stream from another thread: its reader finds it broken off."""
        network = self._response.extensions.get("network_stream")
        found = None if network is None else network.get_extra_info("socket")
        if isinstance(found, socket.socket):
            with suppress(OSError):  # it may have ended at this very moment
                # Not the TLS socket's own way, which takes the state from under its reader.
                socket.socket.shutdown(found, socket.SHUT_RDWR)
