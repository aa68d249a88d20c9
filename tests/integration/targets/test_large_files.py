"""Files that are not held in memory, in a body that is made piece by piece."""

import base64
from collections.abc import Iterator

import orjson
import pytest

from bot.adapters.targets import body
from bot.adapters.targets.outgoing import BeginAgain
from bot.kernel.contents import LARGE_BYTES, PIECE_BYTES
from tests.fakes.apps import App

WILD = 'a\U0001f600ä\u2028"\\\n\x01'
TEXT = (WILD * (2 * LARGE_BYTES // len(WILD.encode()))).encode()
BEGINNING = b"x" * (8 * PIECE_BYTES - 1)


def members(app: App, contents: body.Contents) -> Iterator[bytes]:
    return body.inline_assets(app.manifest, app.manifest.blobs(), contents)


def made(app: App) -> tuple[dict[str, dict[str, str]], int]:
    """Return the members as they are sent in the end, and how often the body was begun again."""
    contents, again = body.Contents(app.read), 0
    while True:
        try:
            return orjson.loads(b"{%b}" % b"".join(members(app, contents))), again
        except BeginAgain:
            again += 1


@pytest.mark.parametrize(
    ("content", "encoding", "again"),
    [
        (TEXT, "utf-8", 0),
        (BEGINNING + "\U0001f600".encode(), "utf-8", 0),
        (BEGINNING + "\U0001f600".encode()[:2], "base64", 1),  # cut short
        (BEGINNING + b"\xff", "base64", 1),
        (BEGINNING + b"\0", "base64", 1),
        (bytes(range(256)) * 8_192, "base64", 0),
        (b"\xff" + BEGINNING, "base64", 0),
        (WILD.encode() * 50_000, "utf-8", 0),  # of a size that is held in memory
        (BEGINNING[: LARGE_BYTES - 1] + b"\xff", "base64", 0),
    ],
)
def test_a_file_of_any_kind_comes_through(content: bytes, encoding: str, again: int) -> None:
    found, times = made(App(files={"f": content}))

    assert (found["f"]["encoding"], times) == (encoding, again)
    text = found["f"]["content"]
    assert (text.encode() if encoding == "utf-8" else base64.b64decode(text)) == content


def test_a_large_file_may_stand_at_two_paths() -> None:
    found, _ = made(App(files={"a": TEXT, "b": TEXT}))

    assert found["a"]["content"] == found["b"]["content"] == TEXT.decode()


def test_each_file_that_turns_out_to_be_no_text_is_learnt_once() -> None:
    odd = {name: BEGINNING + name.encode() + b"\0" for name in ("a", "b")}

    found, times = made(App(files={**odd, "c": TEXT}))

    assert {path: asset["encoding"] for path, asset in found.items()} == {
        "a": "base64",
        "b": "base64",
        "c": "utf-8",
    }
    assert times == 2


def test_no_part_of_a_large_file_is_large() -> None:
    app = App(files={"f": TEXT})

    sizes = [len(part) for part in members(app, body.Contents(app.read))]

    assert max(sizes) < 6 * PIECE_BYTES  # an escaped control character takes six bytes
    assert len(sizes) > 10
