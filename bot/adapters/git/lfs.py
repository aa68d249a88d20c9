"""Git LFS: recognising pointers, so that none is served as if it were the file it stands for."""

import re
from collections.abc import Callable, Mapping

# https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md: pointer files must be less than 1024
# bytes, and the version line comes first.
MAX_POINTER_BYTES = 1024
_POINTER_START = b"version https://git-lfs.github.com/spec/v1"

ATTRIBUTES = ".gitattributes"

POINTER_REASON = (
    "is a Git LFS pointer; the file behind it is not fetched, so it is not part of the preview"
)


def is_pointer(content: bytes) -> bool:
    """Tell whether `content` is an LFS pointer rather than a file."""
    return len(content) < MAX_POINTER_BYTES and content.startswith(_POINTER_START)


def is_attributes(path: str) -> bool:
    """Tell whether `path` is an attributes file, in whatever folder."""
    return path == ATTRIBUTES or path.endswith(f"/{ATTRIBUTES}")


def tracked(attributes: Mapping[str, bytes]) -> Callable[[str], bool]:
    """Return a test for paths that `attributes` (path -> content) hands to LFS.

    A hint that may say yes too often (it ignores later lines that take a path out again): the
    content decides. Rules: https://git-scm.com/docs/gitattributes and its reference to gitignore.
    """
    patterns = [
        expression
        for path, content in attributes.items()
        for expression in _expressions(path.removesuffix(ATTRIBUTES), content)
    ]
    if not patterns:
        return lambda _path: False
    return re.compile("|".join(patterns), re.DOTALL).fullmatch  # type: ignore[return-value]


def _expressions(folder: str, content: bytes) -> list[str]:
    found: list[str] = []
    for line in content.decode(errors="replace").splitlines():
        pattern, *attributes = line.split() or [""]
        if "filter=lfs" in attributes:
            anywhere = "" if "/" in pattern.rstrip("/") else "(?:.*/)?"
            found.append(
                re.escape(folder) + anywhere + _translated(pattern.strip('"').lstrip("/"))
            )
    return found


def _translated(pattern: str) -> str:
    """Return a wildmatch pattern as a regular expression; unknown syntax matches any name."""
    parts = re.split(r"(\*\*/|/\*\*$|\*+|\?|\[[^\]]*\])", pattern)
    meanings = {"**/": "(?:.*/)?", "/**": "/.*", "?": "[^/]"}
    return "".join(
        meanings.get(part) or ("[^/]*" if part[:1] in {"*", "["} else re.escape(part))
        for part in parts
    )
