"""A create's body: its files go to the store's doorstep while it arrives, the rest is parsed.

What is left is the same document with `gitSha1` in the place of every `content`, so that nothing
behind this room ever holds a file. A small body is parsed as a whole: that is three times as fast.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson

from bot.kernel.paths import path_problem
from bot.subhosting.api.streaming import JsonReader
from bot.subhosting.config import Limits
from bot.subhosting.errors import InvalidRequest, TooLarge
from bot.subhosting.store.blobs import Blob, BlobStore
from bot.subhosting.store.incoming import (
    Content,
    ContentTooLarge,
    Encoding,
    Incoming,
    NotInEncoding,
    receiving,
)

# Bodies up to this size are parsed at once: 8 of them hold some 60 MB as Python's objects.
WHOLE_BYTES = 1536 * 1024

# The members of a create that hold files by path.
ASSET_FIELDS = frozenset({"assets", "changed"})

# What is not a file's content has to fit here: descriptions, variables, a link's target.
_VALUE_BYTES = 32 * 1024 * 1024

# Of a path in a message.
_SHOWN_CHARS = 1024

_ENCODINGS: tuple[Encoding, ...] = ("utf-8", "base64")


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A create's document without the contents, and the contents by git SHA-1."""

    document: dict[str, Any]
    sent: dict[str, Blob] = field(default_factory=dict)


@contextmanager
def received(read: Callable[[int], bytes], blobs: BlobStore, limits: Limits) -> Iterator[Received]:
    """Read a body; whatever of its contents the block did not store is deleted at its end.

    Raises:
        InvalidRequest: no JSON object, or a content is not what its encoding says.
        TooLarge: too many files, or too many bytes; the message names field and limit.

    """
    with receiving(blobs) as incoming:
        intake = _Intake(incoming, limits)
        start = _start_of(read)
        if len(start) <= WHOLE_BYTES:
            intake.read_whole(start)
        else:
            intake.read_stream(_continued(start, read))
        yield Received(document=intake.document, sent=intake.sent)


def parsed_object(text: bytes) -> dict[str, Any]:
    """Return `text` as a JSON object.

    Raises:
        InvalidRequest: it is none; the message says where it stops being JSON.

    """
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise InvalidRequest("invalidJson", f"The body is not valid JSON: {error}.") from error
    if not isinstance(document, dict):
        raise InvalidRequest("invalidJson", "The body must be a JSON object.")
    if b"\\u0000" in text:
        refuse_nul({name: document[name] for name in document.keys() - ASSET_FIELDS})
    return document


def refuse_nul(document: Mapping[str, Any]) -> None:
    """Refuse a NUL in any text of `document`: PostgreSQL cannot store it, nor can file names.

    Raises:
        InvalidRequest: there is one; the message names the field.

    """
    for name, text in _texts(document):
        if "\0" in text:
            raise InvalidRequest("invalidRequest", f"{name}: holds a NUL character.")


def _texts(document: object, name: str = "") -> Iterator[tuple[str, str]]:
    """Yield every text with where it is."""
    todo = [(name, document)]
    while todo:
        name, here = todo.pop()
        if isinstance(here, str):
            yield name, here
        elif isinstance(here, dict):
            for key, value in here.items():
                yield name, key
                todo.append((f"{name}.{key}" if name else key, value))
        elif isinstance(here, list):
            todo.extend((f"{name}.{index}", value) for index, value in enumerate(here))


class _Intake:
    """Collects one body's document and contents."""

    def __init__(self, incoming: Incoming, limits: Limits) -> None:
        self._incoming = incoming
        self._limits = limits
        self._files = 0
        self._left_bytes = limits.total_bytes
        self.document: dict[str, Any] = {}
        self.sent: dict[str, Blob] = {}

    def read_whole(self, text: bytes) -> None:
        """Take a body that is here."""
        self.document = parsed_object(text)
        for name in ASSET_FIELDS & self.document.keys():
            assets = self.document[name]
            if isinstance(assets, dict):
                for path, asset in assets.items():
                    self._check(name, path)
                    assets[path] = self._without_content(name, path, asset)

    def read_stream(self, read: Callable[[int], bytes]) -> None:
        """Take a body as it comes."""
        reader = JsonReader(read, max_value_bytes=_VALUE_BYTES)
        if reader.next() != b"{":
            raise InvalidRequest("invalidJson", "The body must be a JSON object.")
        for name in reader.members():
            if name in ASSET_FIELDS and reader.next() == b"{":
                self.document[name] = self._assets(reader, name)
            else:
                self.document[name] = reader.value()
                refuse_nul({name: self.document[name]})
        reader.end()

    def _assets(self, reader: JsonReader, name: str) -> dict[str, Any]:
        assets: dict[str, Any] = {}
        for path in reader.members():
            self._check(name, path)
            whole = reader.flat_object()
            if whole is not None:
                assets[path] = self._without_content(name, path, whole)
            elif reader.next() == b"{":
                assets[path] = self._streamed(reader, name, path)
            else:
                assets[path] = reader.value()
        return assets

    def _streamed(self, reader: JsonReader, name: str, path: str) -> dict[str, Any]:
        """Read an asset that is not here as a whole, its content piece by piece."""
        asset: dict[str, Any] = {}
        content: Content | None = None
        try:
            for key in reader.members():
                if key == "content" and reader.next() == b'"' and content is None:
                    content = self._incoming.begin(_encoding(asset), self._most_bytes)
                    with self._naming(name, path):
                        for piece in reader.string_pieces():
                            content.write(piece)
                else:
                    asset[key] = reader.value()
            if content is None:
                return asset
            encoding = asset.get("encoding", "utf-8")
            if encoding not in _ENCODINGS:
                return {**asset, "content": ""}  # refused by its encoding
            with self._naming(name, path):
                blob = content.finish(encoding)
            return self._named(name, path, asset, blob)
        finally:
            if content is not None:
                content.close()

    def _without_content(self, name: str, path: str, asset: object) -> object:
        """Return an asset that is here with its hash instead of its content."""
        if not isinstance(asset, dict) or not isinstance(asset.get("content"), str):
            return asset
        encoding = asset.get("encoding", "utf-8")
        if encoding not in _ENCODINGS:
            return asset
        with self._naming(name, path):
            content = self._incoming.begin(encoding, self._most_bytes)
            try:
                content.write(asset["content"].encode())
                blob = content.finish()
            finally:
                content.close()
        return self._named(name, path, asset, blob)

    def _named(self, name: str, path: str, asset: dict[str, Any], blob: Blob) -> dict[str, Any]:
        if asset.get("gitSha1", blob.git_sha1) != blob.git_sha1:
            msg = f"{name}: the content of {path!r} has the hash {blob.git_sha1}, not its gitSha1."
            raise InvalidRequest("invalidAssetContent", msg)
        self._left_bytes -= blob.size_bytes
        self.sent[blob.git_sha1] = blob
        # A `kind` that is no file is left for the model to refuse.
        return {"kind": asset.get("kind", "file"), "gitSha1": blob.git_sha1}

    def _check(self, name: str, path: str) -> None:
        self._files += 1
        if self._files > self._limits.files:
            msg = f"{name}: there are more files than the limit of {self._limits.files}."
            raise TooLarge("tooManyAssets", msg)
        if (problem := _path_problem(path, self._limits)) is not None:
            shown = path[:_SHOWN_CHARS]
            raise InvalidRequest("invalidAssetPath", f"{name}: the path {shown!r} {problem}.")

    @property
    def _most_bytes(self) -> int:
        return min(self._limits.file_bytes, self._left_bytes)

    @contextmanager
    def _naming(self, name: str, path: str) -> Iterator[None]:
        """Say which file is at fault, and which limit it met."""
        try:
            yield
        except ContentTooLarge as error:
            if self._left_bytes < self._limits.file_bytes:
                limit = self._limits.total_bytes
                msg = f"{name}: all files together have more than the limit of {limit} bytes."
                raise TooLarge("deploymentTooLarge", msg) from error
            limit = self._limits.file_bytes
            msg = f"{name}: {path!r} has more than the limit of {limit} bytes for one file."
            raise TooLarge("assetTooLarge", msg) from error
        except NotInEncoding as error:
            msg = f"{name}: the content of {path!r} is not valid base64."
            raise InvalidRequest("invalidAssetContent", msg) from error


def _path_problem(path: str, limits: Limits) -> str | None:
    if len(path.encode()) > limits.path_bytes:
        return f"is longer than the limit of {limits.path_bytes} bytes"
    return path_problem(path)


def _encoding(asset: dict[str, Any]) -> Encoding | None:
    given = asset.get("encoding")
    return next((each for each in _ENCODINGS if each == given), None)


def _start_of(read: Callable[[int], bytes]) -> bytes:
    pieces, size = [], 0
    while size <= WHOLE_BYTES and (piece := read(WHOLE_BYTES + 1 - size)):
        pieces.append(piece)
        size += len(piece)
    return b"".join(pieces)


def _continued(start: bytes, read: Callable[[int], bytes]) -> Callable[[int], bytes]:
    """Return a reader that gives `start` first."""
    rest = memoryview(start)

    def read_on(size: int) -> bytes:
        nonlocal rest
        if not rest:
            return read(size)
        piece, rest = bytes(rest[:size]), rest[size:]
        return piece

    return read_on
