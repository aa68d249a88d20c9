"""Words of ours as parts of a URL's path."""

from urllib.parse import quote


def part(text: str) -> str:
    """Return `text` as one part of a path, whatever it holds."""
    return quote(text, safe="")
