import pytest

from bot.kernel.redact import REDACTED, redact


@pytest.mark.parametrize(
    "secret",
    [
        "ghp_0123456789abcdefghij",
        "gho_0123456789abcdefghij",
        "ghs_16C7e42F292c6912E7710c838347Ae178B4a",
        "ghs_12345_eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiIxIn0.c2ln-_nature",
        "github_pat_11ABCDEFG0_abcdefghijklmnop",
        "ddp_abcdefghijklmnop",
    ],
)
def test_a_token_is_known_by_its_shape(secret: str) -> None:
    assert redact(f"fatal: {secret} was refused") == f"fatal: {REDACTED} was refused"


def test_a_password_in_an_address_is_taken_out() -> None:
    text = "cannot read https://x-access-token:hunter2@github.com/a/b"

    assert redact(text) == f"cannot read https://{REDACTED}@github.com/a/b"


def test_a_bearer_token_is_taken_out() -> None:
    assert redact("authorization: Bearer abc.def-g=") == f"authorization: Bearer {REDACTED}"


def test_a_private_key_is_taken_out_whole() -> None:
    begin, end = "-----BEGIN RSA PRIVATE KEY-----", "-----END RSA PRIVATE KEY-----"

    assert redact(f"a {begin}\nMIIE\nabc\n{end} b") == f"a {REDACTED} b"


def test_a_secret_we_hold_is_taken_out_whatever_its_shape() -> None:
    assert redact("one two three", ["two", ""]) == f"one {REDACTED} three"


def test_everything_else_is_left_alone() -> None:
    text = "https://github.com/a/b at 10:30, ghastly_words @octocat"

    assert redact(text) == text
