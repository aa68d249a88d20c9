import pytest

from bot.webhooks.signature import signature, verified_by

# GitHub's own test vector:
# https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
SECRET = b"It's a Secret to Everybody"
BODY = b"Hello, World!"
SIGNED = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"


def test_a_signature_is_what_github_documents() -> None:
    assert signature(SECRET, BODY) == SIGNED


def test_the_secret_that_signed_is_named_among_several() -> None:
    secrets = {"app": b"another", "octo/hello": SECRET, "octo/other": b"a third"}

    assert verified_by(SIGNED, BODY, secrets) == "octo/hello"


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "sha256=",
        SIGNED.upper(),
        SIGNED[:-1],
        SIGNED + "0",
        SIGNED.removeprefix("sha256="),
        "sha1=757107ea0eb2509fc211221cce984b8a37570b6d",
        "sha256=ключ",
        "sha256=\udcff",
    ],
)
def test_any_other_header_verifies_nothing(header: str | None) -> None:
    assert verified_by(header, BODY, {"app": SECRET}) is None


def test_one_changed_byte_of_the_body_verifies_nothing() -> None:
    assert verified_by(SIGNED, BODY + b" ", {"app": SECRET}) is None


def test_an_empty_secret_verifies_nothing() -> None:
    assert verified_by(signature(b"", BODY), BODY, {"app": b""}) is None


def test_the_raw_bytes_count_whatever_text_they_are() -> None:
    secret, body = "Schlüssel".encode(), '{"zen":"🦕"}'.encode()

    assert verified_by(signature(secret, body), body, {"app": secret}) == "app"
