"""JSON as Deno reads its configuration: with comments, and with commas before closing brackets."""

import re
from typing import Any

import orjson

# A string, a comment, or a comma that only white space and comments part from a closing bracket.
# Every alternative begins or goes on differently, so that no text makes the search slow.
_COMMENT = r"//[^\n]*|/\*(?:[^*]|\*(?!/))*\*/"
_TOKEN = re.compile(rf'"(?:[^"\\]|\\.)*"|{_COMMENT}|,(?=(?:\s|{_COMMENT})*[}}\]])', re.DOTALL)


def document(text: str) -> dict[str, Any] | None:
    """Return the object that `text` holds, an empty one for no text, None if it is no object."""
    try:
        found = orjson.loads(_TOKEN.sub(_without_comment, text) or "{}")
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None


def _without_comment(found: "re.Match[str]") -> str:
    return found.group() if found.group().startswith('"') else " "
