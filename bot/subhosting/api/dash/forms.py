"""Multipart bodies: a part `request` with JSON, and files that go to the store's doorstep."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import request
from werkzeug.exceptions import HTTPException
from werkzeug.sansio.multipart import (
    Data,
    Epilogue,
    Event,
    Field,
    File,
    MultipartDecoder,
    NeedData,
)

from bot.subhosting.api import streaming_assets, streaming_bodies
from bot.subhosting.api.requests import services
from bot.subhosting.api.streaming_assets import Received
from bot.subhosting.config import Limits
from bot.subhosting.errors import InvalidRequest, TooLarge
from bot.subhosting.store.blobs import Blob
from bot.subhosting.store.incoming import Content, ContentTooLarge, Incoming, receiving

_PIECE_BYTES = 64 * 1024
# deployctl names the parts so.
_REQUEST, _FILE = "request", "file"
# Beside files: the request, and parts that mean nothing to us.
_OTHER_PARTS = 16


@contextmanager
def received_form() -> Iterator[Received]:
    """Read the request's body; its files are gone after the block unless they were stored.

    Files are known by their hash: their order need not be that of the negotiation.

    Raises:
        InvalidRequest: no multipart body, or none with a JSON object as `request`.
        TooLarge: a limit is exceeded.

    """
    limits = services().config.limits
    body = streaming_bodies.body(limits.body_bytes)
    with receiving(services().blobs) as incoming:
        form = _Form(incoming, limits)
        try:
            for event in _events(body, limits):
                form.take(event)
        finally:
            form.close()
        yield Received(document=form.document(), sent=form.sent)


def _events(body: streaming_bodies.Body, limits: Limits) -> Iterator[Event]:
    boundary = request.mimetype_params.get("boundary", "")
    if request.mimetype != "multipart/form-data" or not boundary.isascii() or not boundary:
        msg = "Content-Type: must be multipart/form-data with a boundary."
        raise InvalidRequest("invalidForm", msg)
    decoder = MultipartDecoder(boundary.encode(), max_parts=limits.files + _OTHER_PARTS)
    try:
        while True:
            piece = body.read(_PIECE_BYTES)
            decoder.receive_data(piece or None)
            while not isinstance(event := decoder.next_event(), NeedData):
                yield event
                if isinstance(event, Epilogue):
                    return
            if not piece:
                raise InvalidRequest("invalidForm", "The body ends before its last part does.")
    except (ValueError, HTTPException) as error:
        msg = "The body is not what multipart/form-data should be, or has too many parts."
        raise InvalidRequest("invalidForm", msg) from error


class _Form:
    """Sorts parts: the request's text here, contents there, anything else away."""

    def __init__(self, incoming: Incoming, limits: Limits) -> None:
        self._incoming = incoming
        self._limits = limits
        self._left_bytes = limits.total_bytes
        self._text: bytearray | None = None
        self._part: str | None = None
        self._content: Content | None = None
        self.sent: dict[str, Blob] = {}

    def take(self, event: Event) -> None:
        """Take in the next thing that the body holds."""
        match event:
            case Field(name=name) | File(name=name):
                self._part = name
                if name == _FILE:
                    most = min(self._limits.file_bytes, self._left_bytes)
                    self._content = self._incoming.begin("utf-8", most)
                elif name == _REQUEST:
                    self._text = bytearray()
            case Data(data=data, more_data=more_data):
                self._take_data(data)
                if not more_data:
                    self._end_part()
            case _:
                pass

    def document(self) -> dict[str, Any]:
        """Return the request."""
        if self._text is None:
            raise InvalidRequest("invalidForm", "request: the part is missing.")
        return streaming_assets.parsed_object(bytes(self._text))

    def close(self) -> None:
        """Close the file of a part that did not end."""
        if self._content is not None:
            self._content.close()

    def _take_data(self, data: bytes) -> None:
        if self._part == _REQUEST and self._text is not None:
            self._text += data
            if len(self._text) > self._limits.json_bytes:
                msg = f"request: has more than the limit of {self._limits.json_bytes} bytes."
                raise TooLarge("bodyTooLarge", msg)
        elif self._content is not None:
            try:
                self._content.write(data)
            except ContentTooLarge as error:
                raise self._too_large() from error

    def _end_part(self) -> None:
        if self._content is not None:
            blob = self._content.finish()
            self.sent[blob.git_sha1] = blob
            self._left_bytes -= blob.size_bytes
            self._content = None
        self._part = None

    def _too_large(self) -> TooLarge:
        number = len(self.sent) + 1
        if self._left_bytes < self._limits.file_bytes:
            limit = self._limits.total_bytes
            msg = f"file: all files together have more than the limit of {limit} bytes."
            return TooLarge("deploymentTooLarge", msg)
        limit = self._limits.file_bytes
        msg = f"file: number {number} has more than the limit of {limit} bytes for one file."
        return TooLarge("assetTooLarge", msg)
