"""Answers a visitor from a static site, by the protocol that an instance's connection speaks."""

import asyncio
import logging
import os
from collections import deque
from typing import Final, Protocol

from bot.subhosting.build.site import Site
from bot.subhosting.host.http1 import Request, head_of
from bot.subhosting.host.static.conditions import Part
from bot.subhosting.host.static.reading import read_later, read_now
from bot.subhosting.host.static.response import respond
from bot.subhosting.store.records import BindingRecord

LOG = logging.getLogger(__name__)

# How much of a file is held for a visitor that reads slowly.
_PIECE_BYTES: Final = 256 * 1024


class Visitor(Protocol):
    """Who hears the answer."""

    def answer_began(self, status: int, head: bytes) -> None:
        """Hear the head of the answer."""

    def answer_continued(self, content: bytes) -> None:
        """Hear a piece of the body."""

    def answer_ended(self, content: bytes, *, reusable: bool) -> None:
        """Hear that the answer is complete."""

    def upstream_lost(self, upstream: "StaticAnswer") -> None:
        """Hear that the rest of an answer will not come."""


class StaticAnswer:
    """One visitor's view of one site: a request at a time, as with `Upstream`."""

    def __init__(self, site: Site, binding: BindingRecord, visitor: Visitor) -> None:
        """Answer to `visitor` from `site`, to which `binding` led."""
        self.binding = binding
        self.instance = site
        self.requests = 0
        self._visitor = visitor
        self._pieces: deque[bytes | Part] = deque()
        self._descriptor: int | None = None
        self._paused = False
        self._reading: asyncio.Task[None] | None = None
        self._turn: asyncio.Handle | None = None

    def leads_to(self, binding: BindingRecord) -> bool:
        """Return whether it can take a request for `binding` now."""
        return self.binding is binding and not self.instance.draining

    def send(self, request: Request, head: bytes) -> None:
        """Answer a request whose head is `head`; a body means nothing here and is dropped."""
        self.requests += 1
        if request.has_body:
            request.waiting, request.waiting_bytes, request.sink = [], 0, _drop
        response = respond(self.instance, request.method, request.target, _fields(head))
        self._descriptor = response.descriptor
        self._pieces.extend(response.body)
        head = head_of(response.status, response.headers)
        self._visitor.answer_began(response.status, head)
        self._go_on()

    def request_complete(self) -> None:
        """Hear that the rest of a body came, which was dropped."""

    def write(self, content: bytes) -> None:
        """Drop what follows an upgrade; none is ever made here."""

    def pause(self, *, paused: bool) -> None:
        """Stop or go on, as the visitor reads slower or catches up."""
        self._paused = paused
        if not paused and self._pieces and self._reading is None and self._turn is None:
            self._go_on()

    def close(self) -> None:
        """Let go of the file; the visitor hears no more of it."""
        self._pieces.clear()
        if self._turn is not None:
            self._turn.cancel()
        if self._reading is not None:
            self._reading.cancel()
        else:
            self._close_file()

    def _go_on(self) -> None:
        """Pass on what can be had at once, but one piece of the file: others wait for a turn."""
        self._turn = None
        while self._pieces and not self._paused:
            piece = self._pieces.popleft()
            if isinstance(piece, bytes):
                self._visitor.answer_continued(piece)
                continue
            loop = asyncio.get_running_loop()
            content = read_now(self._file, min(piece.length, _PIECE_BYTES), piece.start)
            if content is None:
                self._reading = loop.create_task(self._read(piece))
                break
            self._pass_on(piece, content)
            if self._pieces:
                self._turn = loop.call_soon(self._go_on)
                break
        if not self._pieces and self._reading is None:
            self._end()

    async def _read(self, piece: Part) -> None:
        """Read a piece that the disk has to bring."""
        descriptor = self._file
        later = asyncio.ensure_future(
            read_later(descriptor, min(piece.length, _PIECE_BYTES), piece.start)
        )
        try:
            content = await asyncio.shield(later)
        except asyncio.CancelledError:
            # The thread goes on, and must not find another file under the same number.
            later.add_done_callback(lambda _: self._close_file())
            raise
        except OSError:
            LOG.exception("static_file_not_read root=%s", self.instance.root)
            content = b""
        self._reading = None
        if content:
            self._pass_on(piece, content)
            self._go_on()
        else:
            # Shorter than it was when the head was sent: this must not look like the whole.
            self.close()
            self._visitor.upstream_lost(self)

    def _pass_on(self, piece: Part, content: bytes) -> None:
        if len(content) < piece.length:
            rest = Part(piece.start + len(content), piece.length - len(content))
            self._pieces.appendleft(rest)
        self._visitor.answer_continued(content)

    def _end(self) -> None:
        self._close_file()
        self._visitor.answer_ended(b"", reusable=True)

    def _close_file(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    @property
    def _file(self) -> int:
        if self._descriptor is None:
            msg = "no file is open"
            raise RuntimeError(msg)
        return self._descriptor


def _fields(head: bytes) -> dict[bytes, bytes]:
    """Return the fields of a head by their names in lower case; several lines are one list."""
    found: dict[bytes, bytes] = {}
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        key = name.lower()
        found[key] = b"%b, %b" % (found[key], value.strip()) if key in found else value.strip()
    return found


def _drop(_content: bytes) -> None:
    """Take a piece of a body that nobody wants."""
