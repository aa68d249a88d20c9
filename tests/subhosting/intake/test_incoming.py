"""Contents on their way: any pieces give the blob that the whole would."""

import base64
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.subhosting.store import incoming
from bot.subhosting.store.blobs import Blob, BlobStore
from bot.subhosting.store.incoming import Base64Decoder, ContentTooLarge, NotInEncoding, receiving

NOW = datetime(2030, 1, 1, tzinfo=UTC)


def pieces(content: bytes, length: int) -> list[bytes]:
    return [content[start : start + length] for start in range(0, len(content), length)]


@given(st.binary(max_size=60), st.integers(1, 7))
def test_base64_in_pieces_is_base64(content: bytes, length: int) -> None:
    decoder = Base64Decoder()
    decoded = b"".join(map(decoder.decode, pieces(base64.b64encode(content), length)))
    decoder.end()

    assert decoded == content


@given(st.text("AB+/=- \n", max_size=12), st.integers(1, 5))
def test_base64_in_pieces_is_as_strict_as_the_standard_library(text: str, length: int) -> None:
    letters = text.encode()
    try:
        expected = base64.b64decode(letters, validate=True)
    except ValueError:
        expected = None
    decoder = Base64Decoder()

    try:
        decoded = b"".join(map(decoder.decode, pieces(letters, length)))
        decoder.end()
    except NotInEncoding:
        assert expected is None
    else:
        assert decoded == expected


@pytest.mark.parametrize("size", [0, 1000, 200_000, 3_000_000])
@pytest.mark.parametrize(("before", "after"), [(None, "base64"), ("base64", "base64")])
def test_a_content_is_the_same_whenever_its_encoding_is_known(
    tmp_path: Path, size: int, before: incoming.Encoding | None, after: incoming.Encoding
) -> None:
    content = os.urandom(size)
    store = BlobStore(tmp_path)
    with receiving(store) as place:
        written = place.begin(before, size)
        for piece in pieces(base64.b64encode(content), 65_537):
            written.write(piece)
        blob = written.finish(after)
        store.write("p", {blob.git_sha1: blob})

    whole = Blob.of(content)
    assert (blob.git_sha1, blob.sha256, blob.size_bytes) == (whole.git_sha1, whole.sha256, size)
    assert (store.folder("p") / blob.git_sha1).read_bytes() == content
    assert not (store.folder("p") / blob.git_sha1).stat().st_mode & 0o222
    assert list(store.incoming.glob("*")) == []


@pytest.mark.parametrize("size", [1001, 300_000])
@pytest.mark.parametrize("encoding", [None, "base64"])
def test_a_content_above_the_limit_is_refused(
    tmp_path: Path, size: int, encoding: incoming.Encoding | None
) -> None:
    with receiving(BlobStore(tmp_path)) as place:
        written = place.begin(encoding, size - 1)

        def write() -> None:
            for piece in pieces(base64.b64encode(os.urandom(size)), 65_536):
                written.write(piece)
            written.finish("base64")

        with pytest.raises(ContentTooLarge):
            write()
        written.close()


def test_what_a_dead_process_left_behind_goes_after_a_day(tmp_path: Path) -> None:
    store = BlobStore(tmp_path)
    for name, age in (("old", timedelta(hours=25)), ("young", timedelta(hours=1))):
        folder = store.incoming / name
        folder.mkdir(parents=True)
        (folder / "content").write_bytes(b"x")
        moment = (NOW - age).timestamp()
        os.utime(folder, (moment, moment))

    assert incoming.delete_abandoned(store, NOW) == 1
    assert [path.name for path in store.incoming.iterdir()] == ["young"]
