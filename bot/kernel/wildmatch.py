"""Git's patterns for paths, in time that grows with a pattern's length times the path's.

For git's own files; what users configure are patterns of `bot.kernel.globs`. Both are written by
strangers. Libraries translate a pattern into one regular expression, whose stars then try all ways
to share a name among them: pathspec 1.1.1 took 2.7 s for `*a*a*a*a*b` and one name of 200 letters,
and about 50 times as long for each further star. Here a star takes the first place where what
follows it fits. That is enough, because a later place leaves less to the others.

Rules: https://git-scm.com/docs/gitignore#_pattern_format and git's wildmatch.c, dir.c and attr.c.
Unlike git's, `?` and `[...]` stand for one character and not for one byte of it.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

Matcher = Callable[[str], object]

_CLASSES: Final = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "blank": r" \t",
    "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": r"!-/:-@\[-`{-~",
    "space": r" \t\n\v\f\r",
    "upper": "A-Z",
    "xdigit": "0-9A-Fa-f",
}

_DEEP: Final = None  # in a list of matchers: any number of folders


class _Broken(Exception):  # noqa: N818 - never leaves this module
    """The pattern has an end where none may be; git lets such a one match nothing."""


@dataclass(frozen=True, slots=True)
class PathPattern:
    """One pattern, as a line of a `.gitignore` or `.gitattributes` has it.

    `chunks` are what stands between its `**`: matchers for one folder or name each.
    """

    negated: bool
    folders_only: bool
    name_only: bool  # it has no slash, and fits in any folder
    chunks: tuple[tuple[Matcher, ...], ...]
    open_end: bool  # it ends in `/**`

    def matches(self, path: str, *, is_folder: bool) -> bool:
        """Tell whether `path`, relative to the pattern's own folder, fits."""
        if (self.folders_only and not is_folder) or not self.chunks:
            return False
        if self.name_only:
            return bool(self.chunks[0][0](path.rpartition("/")[2]))
        parts = path.split("/")
        if self.open_end:
            parts.pop()
        head, *middle = self.chunks
        if not _fits(head, parts, 0):
            return False
        if not middle:
            return self.open_end or len(head) == len(parts)
        tail = [] if self.open_end else middle.pop()
        here = len(head)
        for chunk in middle:
            here = _first(chunk, parts, here)
            if here < 0:
                return False
        return len(parts) - len(tail) >= here and _fits(tail, parts, len(parts) - len(tail))


def path_pattern(text: str) -> PathPattern:
    """Return the pattern that `text` is; one that git finds broken matches nothing."""
    negated = text.startswith("!")
    text = text.removeprefix("!")
    folders_only = text.endswith("/")
    text = text.removesuffix("/")
    name_only = "/" not in text
    try:
        if name_only:
            chunks: tuple[tuple[Matcher, ...], ...] = ((_name(_tokens(text)[0]),),) if text else ()
            return PathPattern(negated, folders_only, name_only, chunks, open_end=False)
        parts = [_component(tokens) for tokens in _tokens(text.removeprefix("/"))]
    except _Broken:
        return PathPattern(negated, folders_only, name_only, (), open_end=False)
    # A `**` at the end wants at least one name: `a/**` is what lies in `a`, and not `a` itself.
    open_end = len(parts) > 1 and parts[-1] is _DEEP
    chunks = _split(parts[:-1] if open_end else parts)
    return PathPattern(negated, folders_only, name_only, chunks, open_end)


def _fits(chunk: Sequence[Matcher], parts: Sequence[str], start: int) -> bool:
    return len(parts) - start >= len(chunk) and all(
        matcher(part) for matcher, part in zip(chunk, parts[start:], strict=False)
    )


def _first(chunk: Sequence[Matcher], parts: Sequence[str], start: int) -> int:
    """Return where the first fit of `chunk` at or behind `start` ends, or -1."""
    for here in range(start, len(parts) - len(chunk) + 1):
        if _fits(chunk, parts, here):
            return here + len(chunk)
    return -1


def _split(parts: Sequence[Matcher | None]) -> tuple[tuple[Matcher, ...], ...]:
    chunks: list[list[Matcher]] = [[]]
    for part in parts:
        if part is _DEEP:
            chunks.append([])
        else:
            chunks[-1].append(part)
    return tuple(map(tuple, chunks))


class _Token(NamedTuple):
    """A part of a name: its regular expression, and the one character it stands for, if one."""

    expression: str
    literal: str | None = None


_STAR: Final = _Token("*")
_ANY: Final = _Token(".")


def _component(tokens: Sequence[_Token]) -> Matcher | None:
    if len(tokens) > 1 and all(token is _STAR for token in tokens):
        return _DEEP
    return _name(tokens)


def _name(tokens: Sequence[_Token]) -> Matcher:
    """Return a matcher for one name."""
    literals = [token.literal for token in tokens if token.literal is not None]
    if len(literals) == len(tokens):
        return "".join(literals).__eq__
    chunks = [""]
    for token in tokens:
        if token is _STAR:
            chunks.append("")
        else:
            chunks[-1] += token.expression
    head, *middle = chunks
    if not middle:
        return re.compile(head, re.DOTALL).fullmatch
    tail = middle.pop()
    # `(?>` gives nothing back: each star but the last is done with at its first place.
    stars = "".join(f"(?>.*?{chunk})" for chunk in middle if chunk)
    return re.compile(f"{head}{stars}.*{tail}", re.DOTALL).fullmatch


def _tokens(text: str) -> list[list[_Token]]:
    """Return the tokens of each component of a pattern."""
    components: list[list[_Token]] = [[]]
    at = 0
    while at < len(text):
        char = text[at]
        at += 1
        match char:
            case "/":
                components.append([])
                continue
            case "*":
                token = _STAR
            case "?":
                token = _ANY
            case "[":
                expression, at = _bracket(text, at)
                token = _Token(expression)
            case _:
                char, at = _plain(text, at - 1)
                token = _Token(re.escape(char), char)
        components[-1].append(token)
    return components


def _bracket(text: str, at: int) -> tuple[str, int]:
    """Return a set of characters as a regular expression, and where the text goes on.

    `at` is behind the opening bracket. The steps are those of wildmatch.c.
    """
    negated = _at(text, at) in "!^"
    at += negated
    found = ""
    before = ""  # the character that a range could begin with
    first = True
    while first or _at(text, at) != "]":
        first = False
        char = _at(text, at)
        if char == "[" and _at(text, at + 1) == ":" and (named := _named(text, at)):
            found += named[0]
            at = named[1]
            before = ""
            continue
        if char == "-" and before and _at(text, at + 1) != "]":
            end, at = _plain(text, at + 1)
            # From the character before, which stands there already; backwards it is empty.
            found += f"{re.escape(before)}-{re.escape(end)}" if before <= end else ""
            before = ""
            continue
        before, at = _plain(text, at)
        found += re.escape(before)
    if not found:
        return (".", at + 1) if negated else ("(?!)", at + 1)
    return f"[{'^' if negated else ''}{found}]", at + 1


def _plain(text: str, at: int) -> tuple[str, int]:
    """Return the character at `at`, which may be escaped, and where the text goes on."""
    if _at(text, at) == "\\":
        at += 1
    return _at(text, at), at + 1


def _named(text: str, at: int) -> tuple[str, int] | None:
    """Return a class such as `[:alpha:]`, or None if the bracket is only a character."""
    end = text.find("]", at + 2)
    if end < 0:
        raise _Broken
    if end - at - 3 < 0 or text[end - 1] != ":":
        return None
    name = text[at + 2 : end - 1]
    if name not in _CLASSES:
        raise _Broken
    return _CLASSES[name], end + 1


def _at(text: str, at: int) -> str:
    if at >= len(text):
        raise _Broken
    return text[at]
