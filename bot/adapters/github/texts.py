"""Cut and clean texts to what GitHub takes; what they mean is decided in `core.render`."""

# Title: no limit is documented; GitHub stores titles as short strings.
MAX_TITLE = 255

# In characters, for summary and text alike. https://docs.github.com/en/rest/checks/runs
MAX_SUMMARY = 65_535

# "Maximum size: 64 KB" for an annotation's message.
MAX_MESSAGE_BYTES = 64 * 1024

# Of a commit status; longer ones are answered 422.
MAX_DESCRIPTION = 140

# Of a comment; "body is too long (maximum is 65536 characters)" says the answer to longer ones.
MAX_COMMENT = 65_536

_CUT = "…"


def fitting(text: str, limit: int) -> str:
    """Return `text` in at most `limit` characters, its end marked if it was cut."""
    text = clean(text)
    return text if len(text) <= limit else text[: limit - len(_CUT)] + _CUT


def fitting_bytes(text: str, limit: int) -> str:
    """Return `text` in at most `limit` bytes of UTF-8, its end marked if it was cut."""
    encoded = clean(text).encode()
    if len(encoded) <= limit:
        return encoded.decode()
    return encoded[: limit - len(_CUT.encode())].decode(errors="ignore") + _CUT


def clean(text: str) -> str:
    """Return `text` without NUL and lone surrogates, for which GitHub answers 400 or 500."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")
