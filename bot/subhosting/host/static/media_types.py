"""What a file is, by the end of its name; the same on every machine."""

import mimetypes
from typing import Final

UNKNOWN: Final = "application/octet-stream"

# Where Python's own list says nothing, or not what the registry says today.
# https://www.iana.org/assignments/media-types/
_OURS: Final = {
    ".atom": "application/atom+xml",
    ".avif": "image/avif",
    ".cjs": "text/javascript",
    ".eot": "application/vnd.ms-fontobject",
    ".gz": "application/gzip",
    ".ico": "image/vnd.microsoft.icon",
    ".js": "text/javascript",
    ".jsonld": "application/ld+json",
    ".jxl": "image/jxl",
    ".map": "application/json",
    ".md": "text/markdown",
    ".mjs": "text/javascript",
    ".m4a": "audio/mp4",
    ".ogg": "audio/ogg",
    ".ogv": "video/ogg",
    ".otf": "font/otf",
    ".rss": "application/rss+xml",
    ".ttf": "font/ttf",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".xhtml": "application/xhtml+xml",
    ".xml": "application/xml",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
    ".zst": "application/zstd",
}

# Python's list without the files of the system, which differ from one machine to the next.
_TYPES: Final = {**mimetypes.MimeTypes(()).types_map[True], **_OURS}

_TEXT: Final = frozenset({"application/manifest+json", "application/xml", "image/svg+xml"})


def media_type(path: str) -> str:
    """Return the value of `Content-Type`; text is UTF-8, which git's files nearly always are."""
    name = path.rpartition("/")[2]
    _, dot, ending = name.rpartition(".")
    found = _TYPES.get(f".{ending.lower()}", UNKNOWN) if dot else UNKNOWN
    is_text = found.startswith("text/") or found in _TEXT
    return f"{found}; charset=utf-8" if is_text else found
