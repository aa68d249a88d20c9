"""Whether a deployment needs packages from a registry, told from a few of its files."""

import re
from pathlib import Path

# Files that may name packages, beside the entry point itself.
_CONFIGS = ("deno.json", "deno.jsonc", "package.json")

# A specifier of a registry, or a dependency table with at least one member. What imports deeper
# in the graph need is noticed at the start, which then says `NOT_CACHED`.
_NAMES_PACKAGES = re.compile(
    rb"""["'](?:npm|jsr):|(?:from|import)\s*\(?["']https?://|"dependencies"\s*:\s*\{\s*["']""",
    re.MULTILINE,
)

# What Deno says about a module that `--cached-only` kept it from fetching.
NOT_CACHED = "--cached-only"

# The part of the entry point that is looked at; imports stand at the top.
_LOOKED_AT_BYTES = 256 * 1024

# Written by `deno install`, or rewritten: these must not be links to blobs then.
WRITTEN_BY_INSTALL = ("deno.lock", *_CONFIGS)


def needs_packages(source: Path, entry_point: str) -> bool:
    """Return whether `deno install` has something to fetch, as far as a quick look can tell."""
    return any(
        _NAMES_PACKAGES.search(_start_of(source / name)) is not None
        for name in (*_CONFIGS, entry_point)
    )


def _start_of(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_LOOKED_AT_BYTES)
    except OSError:
        return b""  # not there, or a link to nowhere: then it names nothing
