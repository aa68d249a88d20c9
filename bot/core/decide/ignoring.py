"""Lists of patterns with the meaning of a `.gitignore`: the last one that fits decides.

Source: https://git-scm.com/docs/gitignore
"""

from collections.abc import Iterable, Iterator

from bot.kernel.wildmatch import path_pattern

_BOM = "\ufeff"


class PatternList:
    """Patterns relative to one folder."""

    def __init__(self, texts: Iterable[str]) -> None:
        """Take patterns, the strongest last."""
        self.patterns = tuple(map(path_pattern, texts))
        self._folders: dict[str, bool] = {}

    def fits(self, path: str, *, is_folder: bool = False) -> bool:
        """Tell whether git would ignore `path`: by itself, or with a folder that it lies in.

        What lies in a folder that fits cannot be taken out again by a `!`, as in git.
        """
        folder = path.rpartition("/")[0]
        return (bool(folder) and self._has_folder(folder)) or self._last(path, is_folder=is_folder)

    def _has_folder(self, folder: str) -> bool:
        """Tell whether a folder, or one above it, fits; asked for every path, answered once."""
        known = self._folders.get(folder)
        if known is None:
            known = any(self._last(above, is_folder=True) for above in folders_down_to(folder))
            self._folders[folder] = known
        return known

    def _last(self, path: str, *, is_folder: bool) -> bool:
        return next(
            (
                not pattern.negated
                for pattern in reversed(self.patterns)
                if pattern.matches(path, is_folder=is_folder)
            ),
            False,
        )


def folders_down_to(folder: str) -> Iterator[str]:
    """Yield `folder` and those that it lies in, the outermost first."""
    end = folder.find("/")
    while end >= 0:
        yield folder[:end]
        end = folder.find("/", end + 1)
    yield folder


def patterns_of(lines: Iterable[str]) -> list[str]:
    """Return the patterns in the lines of a `.gitignore`; comments and blank lines are none."""
    trimmed = (_without_trailing_spaces(line) for line in lines if not line.startswith("#"))
    return [line for line in trimmed if line]


def lines_of(content: bytes) -> list[str]:
    """Return the lines of a file of patterns; what is not UTF-8 fits no path that is deployed."""
    text = content.decode(errors="surrogateescape").removeprefix(_BOM)
    return [line.removesuffix("\r") for line in text.split("\n")]


def _without_trailing_spaces(line: str) -> str:
    """Return `line` without the spaces at its end, except a last one after a backslash."""
    trimmed = line.rstrip(" ")
    escapes = len(trimmed) - len(trimmed.rstrip("\\"))
    return f"{trimmed} " if escapes % 2 and len(trimmed) < len(line) else trimmed
