"""Patterns of strangers for paths and branch names, matched in time that no pattern can blow up.

`*` stands for any characters of one component, `**` as a whole component for any number of
components (none as well), `?` for one character, `[abc]` and `[!abc]` for one of a set, `{a,b}`
for either. In a list a later pattern beats the earlier ones, and `!` before one takes out what it
fits. For paths, a pattern whose last component is a plain name also fits everything in the folder
of that name.
"""

import fnmatch
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

MAX_PATTERN_CHARS = 256
MAX_ALTERNATIVES = 64

_NEGATION = "!"
_BRACES = re.compile(r"\{([^{}]*)\}")
_BRACE = re.compile(r"[{}]")
_WILD = re.compile(r"[*?\[]")

_Fits = Callable[[str], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a list says about a name, and the pattern that decided; None when none fitted."""

    fits: bool
    pattern: str | None


def judge(patterns: Sequence[str], name: str, *, folders: bool = False) -> Verdict:
    """Return whether `patterns` let `name` in; with `folders` it is a path.

    An empty list, and one that begins with a `!`, let in what none of them fits.

    Raises:
        ValueError: `glob_problem` has something to say about one of them.

    """
    verdict = Verdict(fits=not patterns or patterns[0].startswith(_NEGATION), pattern=None)
    parts = name.split("/")
    for pattern in patterns:
        options = _compiled(pattern.removeprefix(_NEGATION), folders=folders)
        if any(_fits(option, parts) for option in options):
            verdict = Verdict(fits=not pattern.startswith(_NEGATION), pattern=pattern)
    return verdict


def glob_problem(pattern: str) -> str | None:
    """Return what is wrong with `pattern`, in words that follow its name; None if it is usable."""
    bare = pattern.removeprefix(_NEGATION)
    if not bare.strip("/"):
        return "is empty"
    problems = {
        f"is longer than {MAX_PATTERN_CHARS} characters": len(pattern) > MAX_PATTERN_CHARS,
        "begins with a slash; patterns count from the top already": bare.startswith("/"),
        "has a component . or .., which no path has": {".", ".."} & set(bare.split("/")),
        "has braces that do not pair up, or braces in braces": _BRACE.search(
            _BRACES.sub("", bare)
        ),
        f"has more than {MAX_ALTERNATIVES} alternatives in braces": (
            _number_of_alternatives(bare) > MAX_ALTERNATIVES
        ),
    }
    return next((problem for problem, found in problems.items() if found), None)


def _number_of_alternatives(pattern: str) -> int:
    number = 1
    for group in _BRACES.findall(pattern):
        number *= 1 + group.count(",")
    return number


def _alternatives(pattern: str) -> Iterator[str]:
    group = _BRACES.search(pattern)
    if group is None:
        yield pattern
        return
    for choice in group[1].split(","):
        yield from _alternatives(pattern[: group.start()] + choice + pattern[group.end() :])


@lru_cache(maxsize=256)
def _compiled(pattern: str, *, folders: bool) -> tuple[tuple[_Fits | None, ...], ...]:
    """Return each alternative as its components' tests, None for `**`."""
    problem = glob_problem(pattern)
    if problem is not None:
        msg = f"{pattern!r} {problem}"
        raise ValueError(msg)
    options = ([part for part in each.split("/") if part] for each in _alternatives(pattern))
    return tuple(
        tuple(map(_component, [*parts, "**"] if folders and _names_folder(parts) else parts))
        for parts in options
    )


def _names_folder(parts: list[str]) -> bool:
    return bool(parts) and not _WILD.search(parts[-1])


def _component(part: str) -> _Fits | None:
    # What `fnmatch` makes of a pattern does not go back over what a `*` has taken.
    return None if part == "**" else re.compile(fnmatch.translate(part)).match


def _fits(option: tuple[_Fits | None, ...], parts: Sequence[str]) -> bool:
    """Match component by component; a `**` takes as little as it can, and is never asked twice."""
    at = here = 0
    resume: tuple[int, int] | None = None
    while at < len(parts):
        fits = option[here] if here < len(option) else _nothing
        if fits is None:
            resume = (at, here)
            here += 1
        elif fits(parts[at]):
            at, here = at + 1, here + 1
        elif resume is not None:
            resume = (resume[0] + 1, resume[1])
            at, here = resume[0], resume[1] + 1
        else:
            return False
    return all(fits is None for fits in option[here:])


def _nothing(_part: str) -> None:
    """Fit no component."""
