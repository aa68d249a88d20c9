"""What `.gitattributes` say about paths, as far as it decides what is deployed.

Source: https://git-scm.com/docs/gitattributes, and git's attr.c for what it leaves open.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from bot.core.decide.ignoring import lines_of
from bot.kernel.wildmatch import PathPattern, path_pattern

ATTRIBUTES: Final = ".gitattributes"

EXPORT_IGNORE: Final = "export-ignore"
FILTER: Final = "filter"

# Git leaves longer lines alone.
_MAX_LINE_BYTES: Final = 2048

_NAME = re.compile(r"(?!-|builtin_)[-A-Za-z0-9_.]+")
_MACRO: Final = "[attr]"
_BLANK: Final = " \t\r\n"
_WORD = re.compile(f"[^{_BLANK}]+")
_ESCAPES: Final = {"a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11, "\\": 92, '"': 34}

# True: set; False: unset by `-`; None: unspecified by `!`; a text: that value.
Value = bool | str | None
Assignments = tuple[tuple[str, Value], ...]


@dataclass(frozen=True)
class _Line:
    text: str
    assignments: Assignments

    @property
    def names(self) -> set[str]:
        """The attributes that are decided."""
        return {name for name, _ in self.assignments}

    @cached_property
    def pattern(self) -> PathPattern:
        """The pattern, made when it is first needed: most lines are about other things."""
        return path_pattern(self.text)


class Attributes:
    """The attributes of a tree's paths, from the contents of its `.gitattributes` by path."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        """Read `files`; macros count only from the outermost one, as in git."""
        macros: dict[str, Assignments] = {}
        read: dict[str, list[_Line]] = {}
        for path, content in files.items():
            folder = path.removesuffix(ATTRIBUTES).rstrip("/")
            own: dict[str, Assignments] = {}
            read[folder] = list(_lines(content, own))
            if not folder:
                macros = own
        relevant = _relevant(macros)
        self._macros = {name: macros[name] for name in macros if name in relevant}
        self._lines = {
            folder: kept
            for folder, lines in read.items()
            if (kept := [line for line in lines if not relevant.isdisjoint(line.names)])
        }
        self.lines_total = len(self._macros) + sum(map(len, self._lines.values()))

    def of(self, path: str, *, is_folder: bool = False) -> Mapping[str, Value]:
        """Return what is said of `path` that matters here, macros included."""
        found: dict[str, Value] = {}
        folder = path
        while folder and self._lines:
            folder = folder.rpartition("/")[0]
            inner = path[len(folder) + 1 :] if folder else path
            for line in reversed(self._lines.get(folder, ())):
                if line.pattern.matches(inner, is_folder=is_folder):
                    self._fill(found, line.assignments)
        return found

    def _fill(self, found: dict[str, Value], assignments: Assignments) -> None:
        """Add what is not decided yet, the last word first."""
        todo = list(assignments)
        while todo:
            name, value = todo.pop()
            if name not in found:
                found[name] = value
                if value is True:
                    todo.extend(self._macros.get(name, ()))


def is_attributes(path: str) -> bool:
    """Tell whether `path` is an attributes file, in whatever folder."""
    return path == ATTRIBUTES or path.endswith(f"/{ATTRIBUTES}")


def _relevant(macros: Mapping[str, Assignments]) -> set[str]:
    """Return the attributes that decide here, and the macros that may set one of them."""
    found = {EXPORT_IGNORE, FILTER}
    while more := {
        name
        for name, assignments in macros.items()
        if name not in found and not found.isdisjoint(dict(assignments))
    }:
        found |= more
    return found


def _lines(content: bytes, macros: dict[str, Assignments]) -> Iterator[_Line]:
    """Yield a file's lines; its macros go into `macros`."""
    for text in lines_of(content):
        if len(text.encode(errors="surrogateescape")) >= _MAX_LINE_BYTES:
            continue
        stripped = text.lstrip(_BLANK)
        if not stripped or stripped.startswith("#"):
            continue
        pattern, rest = _first_word(stripped)
        assignments = _assignments(_WORD.findall(rest))
        name = pattern.removeprefix(_MACRO)
        if assignments is None or pattern.startswith("!"):  # git forbids negative ones here
            continue
        if not pattern.startswith(_MACRO) or not name:
            yield _Line(pattern, assignments)
        elif _NAME.fullmatch(name):
            macros[name] = assignments


def _first_word(line: str) -> tuple[str, str]:
    """Return the pattern, which may be quoted as in C, and what follows it."""
    if line.startswith('"') and (quoted := _unquoted(line)) is not None:
        return quoted
    word = _WORD.match(line)
    end = len(line) if word is None else word.end()
    return line[:end], line[end:]


def _unquoted(line: str) -> tuple[str, str] | None:
    """Return a quoted word's text and what follows it, or None if it is not quoted well."""
    found = bytearray()
    at = 1
    while at < len(line) and line[at] != '"':
        if line[at] != "\\":
            found += line[at].encode(errors="surrogateescape")
            at += 1
        elif octal := re.compile(r"[0-3][0-7]{2}").match(line, at + 1):
            found.append(int(octal[0], 8))
            at += 4
        elif line[at + 1 : at + 2] in _ESCAPES:
            found.append(_ESCAPES[line[at + 1]])
            at += 2
        else:
            return None
    if at >= len(line):
        return None
    return found.decode(errors="surrogateescape"), line[at + 1 :]


def _assignments(words: Iterable[str]) -> Assignments | None:
    """Return what a line's words set, or None: with one bad name git leaves the line alone."""
    found: list[tuple[str, Value]] = []
    for word in words:
        name, equals, text = word.partition("=")
        value: Value = text if equals else True
        if word[:1] in {"-", "!"}:
            name, value = name[1:], False if word[0] == "-" else None
        if not _NAME.fullmatch(name):
            return None
        found.append((name, value))
    return tuple(found)
