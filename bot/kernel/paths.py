"""Paths that strangers write: which may become files below a root, and which links stay in."""

import re
from collections.abc import Mapping

# Below PATH_MAX (4096) with room for the root in front; one component is limited by the file
# system to 255 bytes (NAME_MAX). https://man7.org/linux/man-pages/man7/path_resolution.7.html
MAX_PATH_BYTES = 1024
MAX_COMPONENT_BYTES = 255

# No app is that deep, and JSON libraries end their recursion at some depth: orjson at 254.
MAX_COMPONENTS = 100

# What nearly every path is, and never wrong: so short that it cannot be too deep either.
_PLAIN = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*+")
_PLAIN_CHARS = 2 * MAX_COMPONENTS - 1

# As many links as Linux follows before it answers ELOOP.
MAX_LINKS = 40


def path_problem(path: str) -> str | None:
    """Return what is wrong with `path` as a file below a root, or None if it is safe.

    Safe: relative, forward slashes, no empty, `.` or `..` component, no NUL, no `.git` component
    in any letter case, at most `MAX_PATH_BYTES` bytes of valid UTF-8, `MAX_COMPONENT_BYTES` each,
    and `MAX_COMPONENTS` of them.
    A newline or any other odd character is safe: it is only a name.
    """
    if len(path) <= _PLAIN_CHARS and _PLAIN.fullmatch(path) is not None:
        return None
    return _problem(path)


def _problem(path: str) -> str | None:
    try:
        encoded = path.encode()
    except UnicodeEncodeError:
        return "is not valid UTF-8"
    if len(encoded) > MAX_PATH_BYTES:
        return f"is longer than {MAX_PATH_BYTES} bytes"
    if path.startswith("/"):
        return "is absolute"
    if "\0" in path:
        return "contains a NUL"
    components = path.split("/")
    if len(components) > MAX_COMPONENTS:
        return f"has more than {MAX_COMPONENTS} components"
    problems = map(_component_problem, components)
    return next((problem for problem in problems if problem is not None), None)


def _component_problem(part: str) -> str | None:
    if part in {"", ".", ".."}:
        return f"has the component {part!r}"
    if len(part.encode()) > MAX_COMPONENT_BYTES:
        return f"has a component longer than {MAX_COMPONENT_BYTES} bytes"
    if part.lower() == ".git":
        return "has a .git component"
    return None


def escaping_symlinks(links: Mapping[str, str]) -> list[str]:
    """Return those keys of `links` (path -> target) that lead outside the root, sorted.

    Links are followed through one another, as the file system would: `a/d -> ..` is harmless,
    and so looks `a/e -> d/..` until `d` is followed. An absolute target, a NUL, an empty target
    and a chain of more than `MAX_LINKS` (a loop, say) all count as leaving.
    """
    return sorted(path for path in links if _leaves(path, links))


def _leaves(path: str, links: Mapping[str, str]) -> bool:
    """Walk along `path` from the root, following every link met on the way."""
    here: list[str] = []
    ahead = path.split("/")
    followed = 0
    while ahead:
        part = ahead.pop(0)
        if part == "..":
            if not here:
                return True
            here.pop()
        elif part not in {"", "."}:
            here.append(part)
        target = links.get("/".join(here))
        if target is not None:
            followed += 1
            if followed > MAX_LINKS or not target or target.startswith("/") or "\0" in target:
                return True
            here.pop()
            ahead = target.split("/") + ahead
    return False
