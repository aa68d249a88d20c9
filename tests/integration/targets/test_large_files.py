"""Files that are not held in memory, in a body that is made piece by piece."""

import base64
from collections.abc import Iterator

import orjson
import pytest

from bot.adapters.targets import body
from bot.kernel.contents import LARGE_BYTES, PIECE_BYTES
from tests.fakes.apps import App

WILD = 'a\U0001f600ä\u2028"\\\n\x01'
TEXT = (WILD * (2 * LARGE_BYTES // len(WILD.encode()))).encode()


def members(app: App) -> Iterator[bytes]:
    return body.inline_assets(app.manifest, app.manifest.blobs(), app.read)


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (TEXT, "utf-8"),
        (b"x" * (8 * PIECE_BYTES - 1) + "\U0001f600".encode(), "utf-8"),
        (b"x" * (8 * PIECE_BYTES - 1) + "\U0001f600".encode()[:2], "base64"),  # cut short
        (b"x" * (8 * PIECE_BYTES) + b"\xff", "base64"),
        (b"x" * (8 * PIECE_BYTES) + b"\0", "base64"),
        (bytes(range(256)) * 8_192, "base64"),
    ],
)
def test_a_large_file_of_any_kind_comes_through(content: bytes, encoding: str) -> None:
    app = App(files={"f": content})

    made = b"".join(members(app))

    asset = orjson.loads(b"{%b}" % made)["f"]
    assert asset["encoding"] == encoding
    text = asset["content"]
    assert (text.encode() if encoding == "utf-8" else base64.b64decode(text)) == content


def test_a_large_file_may_stand_at_two_paths() -> None:
    app = App(files={"a": TEXT, "b": TEXT})

    made = orjson.loads(b"{%b}" % b"".join(members(app)))

    assert made["a"]["content"] == made["b"]["content"] == TEXT.decode()


def test_no_part_of_a_large_file_is_large() -> None:
    sizes = [len(part) for part in members(App(files={"f": TEXT}))]

    assert max(sizes) < 6 * PIECE_BYTES  # an escaped control character takes six bytes
    assert len(sizes) > 10
