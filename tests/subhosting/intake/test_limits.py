"""Every limit is a 4xx that names the field and the limit."""

import base64
import gzip
import json
import zlib
from collections.abc import Iterator

import pytest
import zstandard

from tests.subhosting.intake.limited import HELLO, LIMITS, create_body, post
from tests.subhosting.server import Answer, Json, RunningSubhosting


@pytest.mark.parametrize(
    ("assets", "code", "words"),
    [
        (
            {"a.txt": "x" * 3_000_001},
            "assetTooLarge",
            "'a.txt' has more than the limit of 3000000",
        ),
        (
            {"a": "x" * 2_000_000, "b": "y" * 2_000_000, "c": "z" * 2_000_000},
            "deploymentTooLarge",
            "assets: all files together have more than the limit of 5000000",
        ),
        ({f"f{n}": "" for n in range(40)}, "tooManyAssets", "limit of 40"),
    ],
)
def test_files_have_limits(
    limited: RunningSubhosting, small: Json, assets: Json, code: str, words: str
) -> None:
    answer = limited.deploy(small["id"], {"main.ts": HELLO, **assets})

    assert (answer.status, answer.json["code"]) == (413, code)
    assert words in answer.json["message"]


def test_files_of_a_base_count_beside_what_changed(
    limited: RunningSubhosting, small: Json
) -> None:
    """Two of three files of 2 MB fit: also when only one of them is looked at."""

    def on(base: str, name: str, *, without: str | None = None) -> Answer:
        body = {
            "entryPointUrl": "main.ts",
            "envVars": {},
            "domains": [],
            "base": base,
            "changed": {name: {"kind": "file", "content": name * 2_000_000}},
            "removed": [without] if without else [],
        }
        return limited.call("POST", f"/v1/projects/{small['id']}/deployments", body)

    files = {"main.ts": HELLO, "a": "a" * 2_000_000, "b": "b" * 2_000_000}
    first = limited.deploy(small["id"], files, domains=[]).json["id"]
    too_much = on(first, "c")
    exchanged = on(first, "c", without="a")
    too_much_again = on(exchanged.json["id"], "a")

    assert [each.status for each in (too_much, exchanged, too_much_again)] == [413, 200, 413]
    assert "are more than the limit of 5000000" in too_much_again.json["message"]


@pytest.mark.parametrize("encoding", ["utf-8", "base64"])
def test_an_encoded_file_counts_decoded(
    limited: RunningSubhosting, small: Json, encoding: str
) -> None:
    fits = base64.b64encode(b"x" * 2_900_000).decode()
    asset = {"kind": "file", "content": fits, "encoding": encoding}
    answer = limited.deploy(small["id"], {"main.ts": HELLO, "a.bin": asset})

    assert answer.status == (200 if encoding == "base64" else 413), answer


def test_a_long_path_is_refused_by_its_limit(limited: RunningSubhosting, small: Json) -> None:
    answer = limited.deploy(small["id"], {"main.ts": HELLO, "d/" * 100 + "x": ""})

    assert (answer.status, answer.json["code"]) == (400, "invalidAssetPath")
    assert "limit of 200 bytes" in answer.json["message"]


@pytest.mark.parametrize(
    ("env_vars", "words"),
    [
        ({f"V{n}": "" for n in range(6)}, "limit of 5"),
        ({"K" * 21: ""}, "at most 20 bytes"),
        ({"K": "x" * 101}, "values 100"),
        ({"A": "x" * 90, "B": "x" * 90}, "limit of 150"),
    ],
)
def test_variables_have_limits(
    limited: RunningSubhosting, small: Json, env_vars: Json, words: str
) -> None:
    answer = limited.deploy(small["id"], {"main.ts": HELLO}, envVars=env_vars)

    assert answer.status == 413
    assert answer.json["message"].startswith("envVars: ")
    assert words in answer.json["message"]


@pytest.mark.parametrize("chunked", [True, False])
def test_a_body_has_a_limit(limited: RunningSubhosting, small: Json, *, chunked: bool) -> None:
    pieces = create_body(9_000_000)
    answer = post(limited, small["id"], pieces if chunked else b"".join(pieces))

    assert answer.status == 413
    assert answer.json["code"] in {"bodyTooLarge", "assetTooLarge"}
    assert "limit of" in answer.json["message"]


def test_a_body_without_files_has_a_limit_of_its_own(
    limited: RunningSubhosting, small: Json
) -> None:
    answer = limited.call("PATCH", f"/v1/projects/{small['id']}", {"description": "x" * 300_000})

    assert (answer.status, answer.json["code"]) == (413, "bodyTooLarge")
    assert str(LIMITS["json_bytes"]) in answer.json["message"]


def zeros(head: bytes) -> Iterator[bytes]:
    """Yield a body that is 400 times longer than what travels of it."""
    yield head
    for _ in range(200):
        yield b" " * 1_000_000


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_a_bomb_counts_what_comes_out(
    limited: RunningSubhosting, small: Json, coding: str
) -> None:
    text = b"".join(zeros(b'{"entryPointUrl": '))
    small_text = gzip.compress(text) if coding == "gzip" else zstandard.compress(text)
    assert len(small_text) < 300_000

    answer = post(limited, small["id"], small_text, **{"Content-Encoding": coding})

    assert (answer.status, answer.json["code"]) == (413, "bodyTooLarge")


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "zstd", "ZSTD"])
def test_a_compressed_create_is_a_create(
    limited: RunningSubhosting, small: Json, coding: str
) -> None:
    text = b"".join(create_body(2_400_000))
    compress = zstandard.compress if coding.lower() == "zstd" else gzip.compress
    sent = compress(text)

    answer = post(limited, small["id"], sent, **{"Content-Encoding": coding})

    assert answer.status == 200, answer
    assert len(sent) < 30_000


@pytest.mark.parametrize("coding", ["br", "gzip, zstd", "deflate"])
def test_another_coding_is_told_which_there_are(
    limited: RunningSubhosting, small: Json, coding: str
) -> None:
    answer = post(limited, small["id"], zlib.compress(b"{}"), **{"Content-Encoding": coding})

    assert (answer.status, answer.json["code"]) == (415, "unsupportedContentEncoding")
    assert answer.headers["accept-encoding"] == "zstd, gzip"


def test_every_answer_says_how_bodies_may_be_compressed(limited: RunningSubhosting) -> None:
    answer = limited.call("GET", f"/v1/organizations/{limited.organization}")

    assert answer.headers["accept-encoding"] == "zstd, gzip"


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
@pytest.mark.parametrize("broken", [b"", b"nonsense", b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd"])
def test_what_is_not_compressed_as_it_says_is_a_400(
    limited: RunningSubhosting, small: Json, coding: str, broken: bytes
) -> None:
    answer = post(limited, small["id"], broken, **{"Content-Encoding": coding})

    assert answer.status == 400
    assert answer.json["code"] in {"invalidContentEncoding", "invalidJson"}


def test_a_zstd_window_beyond_8_mb_is_refused(limited: RunningSubhosting, small: Json) -> None:
    wide = zstandard.ZstdCompressionParameters(window_log=25)
    stream = zstandard.ZstdCompressor(compression_params=wide).compressobj()
    sent = stream.compress(json.dumps({"x": "y"}).encode()) + stream.flush()

    answer = post(limited, small["id"], sent, **{"Content-Encoding": "zstd"})

    assert (answer.status, answer.json["code"]) == (400, "invalidContentEncoding")


def test_a_nul_in_a_text_is_refused_by_field(limited: RunningSubhosting, small: Json) -> None:
    answer = limited.deploy(small["id"], {"main.ts": HELLO}, description="a\0b")
    renamed = limited.call("PATCH", f"/v1/projects/{small['id']}", {"description": "\0"})

    assert (answer.status, renamed.status) == (400, 400)
    assert answer.json["message"] == "description: holds a NUL character."


def test_a_timeout_beyond_a_day_is_refused(limited: RunningSubhosting, small: Json) -> None:
    answer = limited.deploy(small["id"], {"main.ts": HELLO}, requestTimeout=10**30)

    assert answer.status == 400
    assert "requestTimeout: " in answer.json["message"]
