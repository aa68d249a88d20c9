"""pydantic's errors in the words of somebody who edits the file."""

import difflib
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from bot.adapters.config.nodes import Document
from bot.core.model.config import KeyPath
from bot.core.model.outcomes import Annotation

# Enough to mend a file, and few enough to be read.
MAX_PROBLEMS = 20

_EXPECTED = {
    "string_type": "must be a text",
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "list_type": "must be a list, one entry a line with a dash before it",
    "dict_type": "must hold keys and values",
    "model_type": "must hold keys and values",
    "model_attributes_type": "must hold keys and values",
    "missing": "is missing",
    "string_too_short": "must not be empty",
    "too_short": "must not be empty",
    "string_too_long": "must have at most {max_length} characters",
    "too_long": "must have at most {max_length} entries",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "string_pattern_mismatch": "must be lower-case letters, digits and single dashes in between",
}

# Words of other YAML readers that are texts here.
_ALMOST_BOOLEAN = {"yes": "true", "on": "true", "no": "false", "off": "false"}


def complaints(
    error: ValidationError, document: Document, known: Mapping[str, list[str]], path: str
) -> Iterator[Annotation]:
    """Yield a remark about each error; `known` are the keys below each kind of mapping."""
    for each in error.errors(include_url=False)[:MAX_PROBLEMS]:
        yield _complaint(each, document, known, path)


def no_such_target(said: str, names: Collection[str]) -> str:
    """Return what to say of a target that the operator does not have."""
    if not names:
        return f"there is no {said!r}; whoever operates previewbot has named no targets"
    known = sorted(names)
    return f"there is no {said!r}; there is {' and '.join(known)}{_suggestion(said, known)}"


def in_order(found: Iterable[Annotation]) -> tuple[Annotation, ...]:
    """Return each remark once, from the top of the file to its end."""
    return tuple(sorted(dict.fromkeys(found), key=lambda each: (each.line, each.column or 0)))


def _complaint(
    error: ErrorDetails, document: Document, known: Mapping[str, list[str]], path: str
) -> Annotation:
    steps = tuple(step for step in error["loc"] if _is_in(document, step))
    place = document.place_of(steps)
    return Annotation(
        path=path,
        line=place.line,
        column=place.column,
        message=_words(error, steps, known),
    )


def _is_in(document: Document, step: str | int) -> bool:
    """Tell a step of the document from a name that pydantic puts in between."""
    return isinstance(step, int) or any(step in path for path in document.places)


def _words(error: ErrorDetails, steps: KeyPath, known: Mapping[str, list[str]]) -> str:
    kind, given = error["type"], error["input"]
    if kind == "extra_forbidden":
        key = str(error["loc"][-1])
        options = known["apps" if steps[:1] == ("apps",) else ""]
        return f"there is no key {key[:100]!r}{_suggestion(key, options)}"
    name = _dotted(tuple(error["loc"]))
    if kind == "literal_error":
        options = [option.strip("'") for option in _options(error)]
        said = str(given)
        return f"{name}: must be {_either(options)}{_suggestion(said, options)}"
    if kind == "bool_type" and str(given).lower() in _ALMOST_BOOLEAN:
        return f"{name}: write {_ALMOST_BOOLEAN[str(given).lower()]} instead of {given}"
    if kind in _EXPECTED:
        return f"{name}: {_EXPECTED[kind].format(**error.get('ctx', {}))}"
    message = error["msg"].removeprefix("Value error, ")
    return f"{name}: {message[:1].lower()}{message[1:]}"


def _dotted(steps: KeyPath) -> str:
    text = ""
    for step in steps:
        text += f"[{step + 1}]" if isinstance(step, int) else f".{step}"
    return text.removeprefix(".") or "the file"


def _options(error: ErrorDetails) -> list[str]:
    context: dict[str, Any] = error.get("ctx", {})
    return str(context.get("expected", "")).replace(" or ", ", ").split(", ")


def _either(options: list[str]) -> str:
    if len(options) == 1:
        return options[0]
    return f"{', '.join(options[:-1])} or {options[-1]}"


def _suggestion(said: str, options: list[str]) -> str:
    near = difflib.get_close_matches(said.lower().replace("_", "-"), options, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
