"""Git's protocol v2 as bytes: two requests, and what their answers hold. No sockets here.

Source: https://git-scm.com/docs/protocol-v2 and https://git-scm.com/docs/protocol-common; the
order of sections in an answer to `fetch` was read in upload-pack.c.
"""

from collections.abc import Iterable, Iterator
from typing import BinaryIO, Final

_AGENT = b"agent=previewbot"

_FLUSH: Final = b"0000"
_DELIMITER: Final = b"0001"
_HEADER_BYTES: Final = 4

# side-band-64k: what the first byte of a line in the packfile section means.
_PACK, _PROGRESS, _FATAL = 1, 2, 3


class Unusual(Exception):  # noqa: N818 - reads as a sentence in `except`
    """The answer is not the plain one that this shortcut is made for; git itself shall ask."""


def fetch_request(wanted: str, haves: Iterable[str], *, object_format: str) -> bytes:
    """Return the body that asks for `wanted` and everything it needs beyond `haves`.

    Without `done`, so that the server says whether the haves were of any use: had it none of
    them, the pack would be the whole repository. Without `thin-pack`, because the contents that
    its deltas would build on are not in a blobless mirror.
    """
    arguments = [b"no-progress", b"ofs-delta", b"want " + wanted.encode()]
    arguments += [b"have " + have.encode() for have in haves]
    return _request(b"fetch", arguments, object_format)


def ls_refs_request(ref: str, *, object_format: str = "sha1") -> bytes:
    """Return the body that asks what refs beginning with `ref` point at."""
    return _request(b"ls-refs", [b"ref-prefix " + ref.encode()], object_format)


def pack_of(answer: BinaryIO) -> Iterator[bytes]:
    """Yield the pack in an answer to `fetch`, piece by piece.

    Raises:
        Unusual: there is none, or the server broke off.

    """
    if _text(_line(answer)) != b"acknowledgments":
        raise Unusual("no acknowledgments")
    lines = [_text(line) for line in _section(answer, _DELIMITER)]
    if b"ready" not in lines:
        raise Unusual("the server has nothing of what we have")
    # The sections between (shallow-info, wanted-refs) come only to those who ask for them.
    if _text(_line(answer)) != b"packfile":
        raise Unusual("no packfile")
    for line in _section(answer, _FLUSH):
        match line[:1]:
            case b"\x01":
                yield line[1:]
            case b"\x02":
                continue
            case _:
                raise Unusual("the server broke off")


def refs_of(answer: BinaryIO) -> dict[str, str]:
    """Return ref -> object id of an answer to `ls-refs`; names that are not UTF-8 are left out.

    Raises:
        Unusual: it is no such answer.

    """
    found: dict[str, str] = {}
    for line in _section(answer, _FLUSH):
        oid, space, name = _text(line).partition(b" ")
        if not space:
            raise Unusual("not a ref")
        try:
            found[name.decode()] = oid.decode("ascii")
        except UnicodeDecodeError:
            continue
    return found


def _request(command: bytes, arguments: Iterable[bytes], object_format: str) -> bytes:
    head = (b"command=" + command, _AGENT, b"object-format=" + object_format.encode())
    return b"".join(
        [*map(_encoded, head), _DELIMITER, *map(_encoded, arguments), _FLUSH],
    )


def _encoded(line: bytes) -> bytes:
    return b"%04x%b\n" % (len(line) + _HEADER_BYTES + 1, line)


def _section(answer: BinaryIO, end: bytes) -> Iterator[bytes]:
    """Yield the lines up to `end`.

    Raises:
        Unusual: another end comes first.

    """
    while isinstance(line := _line_or_mark(answer), bytes):
        yield line
    if line.mark != end:
        raise Unusual("the section ended early")


class _Mark:
    """A flush or a delimiter."""

    __slots__ = ("mark",)

    def __init__(self, mark: bytes) -> None:
        self.mark = mark


def _line(answer: BinaryIO) -> bytes:
    line = _line_or_mark(answer)
    if isinstance(line, _Mark):
        raise Unusual("a section is missing")
    return line


def _line_or_mark(answer: BinaryIO) -> bytes | _Mark:
    header = _exactly(answer, _HEADER_BYTES)
    if header in {_FLUSH, _DELIMITER}:
        return _Mark(header)
    try:
        length = int(header, 16)
    except ValueError:
        raise Unusual("no pkt-line") from None
    if length <= _HEADER_BYTES:
        raise Unusual("an empty pkt-line")
    line = _exactly(answer, length - _HEADER_BYTES)
    if line.startswith(b"ERR "):
        raise Unusual("the server refused")
    return line


def _exactly(answer: BinaryIO, size: int) -> bytes:
    found = answer.read(size)
    if len(found) != size:
        raise Unusual("the answer is cut off")
    return found


def _text(line: bytes) -> bytes:
    return line.removesuffix(b"\n")
