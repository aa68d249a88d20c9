"""Text of strangers inside Markdown: shown as it is, never obeyed.

Every function takes text as it came and returns Markdown in which no mention, link, image, HTML,
comment marker or escape sequence of the author's is alive.
"""

import re

from bot.core.render.terminal import visible

# GitHub looks for mentions in the rendered text, where an escape is no longer seen: a character
# that is no part of a name, but has no width, parts them. Dependabot does the same.
_GAP = "\N{ZERO WIDTH SPACE}"
_ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"

_PUNCTUATION = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~&^$=])")
_ALIVE = re.compile(r"@|<(?=!--)|:(?=//)|\bwww(?=\.)", re.IGNORECASE)
_ALIVE_IN_CODE = re.compile(r"@|<(?=!--)")  # no link starts there, and a log is copied from
_BACKTICKS = re.compile("`+")
_PLAIN_URL = re.compile(r"https?://[A-Za-z0-9.\-]+(?::\d{1,5})?(?:/[A-Za-z0-9._~/%?=&+\-]*)?")


def quiet(text: str) -> str:
    """Return visible text in which mentions, bare links and comment markers are dead.

    For places that show plain text, such as titles and annotations, and the base of all below.
    """
    return _ALIVE.sub(_parted, visible(text))


def quiet_code(text: str) -> str:
    """Return visible text for a block of code, mentions and comment markers dead."""
    return _ALIVE_IN_CODE.sub(_parted, visible(text))


def line(text: str, *, max_chars: int) -> str:
    """Return `quiet` text on one line of at most `max_chars` characters."""
    return shortened(" ".join(quiet(text).split()), max_chars=max_chars)


def inline(text: str, *, max_chars: int = 500) -> str:
    """Return `text` for the middle of a paragraph, every mark of Markdown escaped."""
    return _PUNCTUATION.sub(r"\\\1", line(text, max_chars=max_chars))


def code(text: str, *, max_chars: int = 300) -> str:
    """Return `text` as a code span, its marks longer than any run of backticks inside."""
    shown = shortened(" ".join(quiet_code(text).split()), max_chars=max_chars) or " "
    marks = "`" * (1 + _longest_run(shown))
    pad = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{marks}{pad}{shown}{pad}{marks}"


def fence(text: str) -> str:
    """Return `text` as a block of code, its fence longer than any run of backticks inside."""
    shown = quiet_code(text).strip("\n")
    marks = "`" * max(3, 1 + _longest_run(shown))
    return f"{marks}text\n{shown}\n{marks}"


def link(url: str) -> str:
    """Return one of our own URLs as a link; anything but plain http or https as a code span."""
    if not _PLAIN_URL.fullmatch(url):
        return code(url)
    return f"<{url}>"


def shortened(text: str, *, max_chars: int) -> str:
    """Return `text`, its end replaced by an ellipsis if it has more than `max_chars`."""
    return text if len(text) <= max_chars else text[: max_chars - 1].rstrip() + _ELLIPSIS


def tail(lines: list[str], *, max_bytes: int) -> tuple[str, int]:
    """Return the last of `lines` that fit `max_bytes` of UTF-8, and how many were left out.

    A last line that alone is too long keeps its beginning.
    """
    kept: list[str] = []
    left_bytes = max_bytes
    for candidate in reversed(lines):
        left_bytes -= len(candidate.encode(errors="replace")) + 1
        if left_bytes < 0:
            break
        kept.append(candidate)
    if not kept and lines:
        kept.append(cut(lines[-1], max_bytes=max_bytes))
    return "\n".join(reversed(kept)), len(lines) - len(kept)


def cut(text: str, *, max_bytes: int) -> str:
    """Return the beginning of `text` that fits `max_bytes` of UTF-8, whole characters only."""
    encoded = text.encode(errors="replace")
    if len(encoded) <= max_bytes:
        return text
    room = max_bytes - len(_ELLIPSIS.encode())
    return encoded[:room].decode(errors="ignore") + _ELLIPSIS


def _parted(found: re.Match[str]) -> str:
    return found.group() + _GAP


def _longest_run(text: str) -> int:
    return max((len(run) for run in _BACKTICKS.findall(text)), default=0)
