"""Take secrets out of text that is about to leave: logs, errors, pages."""

import re
from collections.abc import Iterable

REDACTED = "[redacted]"

# Shapes of the tokens we handle. New installation tokens are `ghs_<app>_<jwt>`, so neither length
# nor alphabet may be assumed beyond these. https://github.blog/changelog/ (2026-04-27)
_TOKEN_SHAPES = re.compile(
    r"gh[posru]_[A-Za-z0-9_.\-]+|github_pat_[A-Za-z0-9_]+|dd[opw]_[A-Za-z0-9_\-]+"
    r"|(?<=[Bb]earer )[A-Za-z0-9_.\-~+/=]+|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----",
    re.DOTALL,
)


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """Return `text` with every one of `secrets` and every known token shape replaced."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, REDACTED)
    return _TOKEN_SHAPES.sub(REDACTED, text)
