"""Compressed request bodies, for servers that say what they take.

A server says so by `Accept-Encoding` in its answers: RFC 9110, section 12.5.3. Deno's own
documents say nothing of it, so without that word nothing is compressed. The fastest levels: they
halve source code, and the slower ones take longer than most lines need for the rest.
"""

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

try:
    import zstandard
except ImportError:  # it comes with the embedded server; elsewhere gzip has to do
    ZSTD = False
else:
    ZSTD = True

# A shorter body is one or two packets in any case.
MIN_BYTES = 4 * 1024

_ZSTD_LEVEL = 1  # a window of 512 KB; RFC 9659 allows 8 MB
_GZIP_LEVEL = 1
_GZIP_WINDOW = 31  # zlib's word for gzip's own head and tail


@dataclass(frozen=True, slots=True)
class Coding:
    """A content coding by the name that HTTP knows."""

    name: str
    compressed: Callable[[Iterator[bytes]], Iterator[bytes]]


def best_of(accepted: str) -> Coding | None:
    """Return the best coding that an `Accept-Encoding` allows, None when there is none of ours."""
    weights = dict(map(_weighed, accepted.lower().split(",")))
    ours = [Coding("zstd", _zstd)] if ZSTD else []
    ours.append(Coding("gzip", _gzip))
    return next((coding for coding in ours if weights.get(coding.name, 0.0) > 0), None)


def is_worth_it(api_url: str) -> bool:
    """Tell whether bytes to that address cost more than compressing them does."""
    host = urlsplit(api_url).hostname or ""
    return host not in {"127.0.0.1", "::1", "localhost"} and not host.endswith(".localhost")


def _weighed(word: str) -> tuple[str, float]:
    name, *parameters = (part.strip() for part in word.split(";"))
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return name, float(parameter.removeprefix("q="))
            except ValueError:
                return name, 0.0
    return name, 1.0


def _zstd(pieces: Iterator[bytes]) -> Iterator[bytes]:
    compressor = zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compressobj()
    for piece in pieces:
        yield compressor.compress(piece)
    yield compressor.flush()


def _gzip(pieces: Iterator[bytes]) -> Iterator[bytes]:
    compressor = zlib.compressobj(_GZIP_LEVEL, wbits=_GZIP_WINDOW)
    for piece in pieces:
        yield compressor.compress(piece)
    yield compressor.flush()
