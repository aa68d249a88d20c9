"""Bodies that are made piece by piece, and what they are on the wire."""

import base64
import random
from collections.abc import Iterator
from itertools import chain

import orjson
import pytest

from bot.adapters.targets import body
from bot.adapters.targets.compression import Coding, best_of, is_worth_it
from bot.adapters.targets.outgoing import PIECE_BYTES, WHOLE_BODY_BYTES, Meter, outgoing
from bot.core.model.ids import BlobSha
from bot.kernel import contents
from tests.fakes.apps import App

PIECE = contents.PIECE_BYTES
LONG = "a" + '\U0001f600ä\u2028"\\\n\x01' * (PIECE // 8)


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (b"", "utf-8"),
        (LONG.encode(), "utf-8"),
        (b"x" * PIECE + "\U0001f600".encode(), "utf-8"),
        (b"x" * (PIECE - 1) + "\U0001f600".encode(), "utf-8"),
        (b"x" * (PIECE - 1) + "\U0001f600".encode()[:2], "base64"),  # cut short at its end
        (b"x" * PIECE + b"\xff", "base64"),
        (b"nul \0", "base64"),
        (b"\xed\xa0\x80", "base64"),  # a lone surrogate
        (bytes(range(256)) * 2_048, "base64"),
    ],
)
def test_content_of_any_kind_comes_through(content: bytes, encoding: str) -> None:
    app = App(files={"f": content})

    contents = body.Contents(app.read)
    made = b"".join(chain(body.inline_assets(app.manifest, app.manifest.blobs(), contents)))

    asset = orjson.loads(b"{%b}" % made)["f"]
    assert asset["encoding"] == encoding
    text = asset["content"]
    assert (text.encode() if encoding == "utf-8" else base64.b64decode(text)) == content


def test_every_file_of_a_large_site_is_named_once_by_hash() -> None:
    app = App(files={f"d{n % 7}/{n}.txt": b"%d" % n for n in range(2_500)})

    made = b"".join(body.inline_assets(app.manifest, {first(app)}, body.Contents(app.read)))

    members = orjson.loads(b"{%b}" % made)
    assert members.keys() == app.manifest.assets.keys()
    assert made.count(b"gitSha1") == 2_499


def test_a_negotiated_manifest_has_each_folder_once() -> None:
    app = App(files={"a/b/c.txt": b"1", "a/d.txt": b"2", "a/b/e.txt": b"3", "f.txt": b"4"})

    document = orjson.loads(body.negotiate_body(app.manifest, app.manifest.blobs()))

    above = document["entries"]["a"]["entries"]
    assert document["entries"].keys() == {"a", "f.txt"}
    assert above.keys() == {"b", "d.txt"}
    assert above["b"]["entries"].keys() == {"c.txt", "e.txt"}


def test_a_small_body_has_its_length_and_a_large_one_is_chunked() -> None:
    small = outgoing(lambda: iter((b"{", b"}")), Meter(), coding=None, measured=False)
    large = outgoing(many, Meter(), coding=None, measured=False)
    measured = outgoing(many, Meter(), coding=None, measured=True)

    assert (small.length, large.length) == (2, None)
    assert measured.length == sum(map(len, many()))


def many() -> Iterator[bytes]:
    for _ in range(2 * WHOLE_BODY_BYTES // 1000):
        yield b"x" * 1000


def test_many_small_pieces_become_few() -> None:
    meter = Meter()

    sent = list(outgoing(many, meter, coding=None, measured=False).content)

    assert b"".join(sent) == b"".join(many())
    assert meter.sent_bytes == sum(map(len, many()))
    assert all(PIECE_BYTES - 1000 < len(piece) <= PIECE_BYTES for piece in sent[:-1])


@pytest.mark.parametrize("coding", [None, best_of("gzip"), Coding("as-it-is", lambda each: each)])
@pytest.mark.parametrize("size", [1, 8 * PIECE_BYTES, 8 * PIECE_BYTES + 1])
def test_no_piece_is_larger_than_a_piece_or_empty(coding: Coding | None, size: int) -> None:
    part = random.Random(7).randbytes(size)  # noqa: S311 - the same every time
    made = (b"{", part, b"", part, b"}")

    sent = outgoing(lambda: iter(made), Meter(), coding=coding, measured=False)

    pieces = list(sent.content)
    assert all(0 < len(piece) <= PIECE_BYTES for piece in pieces)
    if sent.coding != "gzip":
        assert b"".join(pieces) == b"".join(made)


@pytest.mark.parametrize(
    ("accepted", "name"),
    [
        ("zstd, gzip", "zstd"),
        ("GZIP ; q=0.5 , br", "gzip"),
        ("zstd;q=0, gzip", "gzip"),
        ("identity", None),
        ("", None),
        (",;q=,gzip;q=nan", None),
    ],
)
def test_the_best_coding_that_is_accepted_is_taken(accepted: str, name: str | None) -> None:
    found = best_of(accepted)

    assert (None if found is None else found.name) == name


@pytest.mark.parametrize(
    ("url", "worth"),
    [
        ("https://api.deno.com/v2", True),
        ("http://10.0.0.1:8000/v1", True),
        ("http://127.0.0.1:8000/v1", False),
        ("http://[::1]:8000/v1", False),
        ("http://localhost/v1", False),
    ],
)
def test_bytes_that_stay_on_the_machine_are_not_compressed(url: str, worth: bool) -> None:  # noqa: FBT001
    assert is_worth_it(url) == worth


def first(app: App) -> BlobSha:
    return min(app.manifest.blobs())
