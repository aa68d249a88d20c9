"""Which of a file's ready-made compressed forms suits a visitor.

Source: RFC 9110, section 12.5.3.
"""

from collections.abc import Collection
from typing import Final

# Coding -> the ending of the file that holds it. The smaller usually comes first.
ENDINGS: Final = {"br": ".br", "zstd": ".zst", "gzip": ".gz"}

_ALIASES: Final = {"x-gzip": "gzip"}


def best(accepted: str | None, present: Collection[str]) -> str | None:
    """Return the coding to send, or None for the file as it is.

    `accepted` is what `Accept-Encoding` says; a visitor without it gets the plain file, as does
    one that refuses everything we have: an answer is more use than a refusal.
    """
    if not accepted:
        return None
    weights = _weights(accepted)
    others = weights.get("*", 0.0)
    plain = weights.get("identity", 0.0)
    found, most = None, 0.0
    for coding in ENDINGS:
        weight = weights.get(coding, others)
        if coding in present and weight > most:
            found, most = coding, weight
    # Not named, the plain file is acceptable, but nobody's choice.
    return found if most >= plain else None


def _weights(accepted: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for item in accepted.lower().split(","):
        name, _, parameters = item.partition(";")
        coding = name.strip()
        if coding:
            found[_ALIASES.get(coding, coding)] = _weight(parameters)
    return found


def _weight(parameters: str) -> float:
    name, equals, value = parameters.partition("=")
    if not equals or name.strip() != "q":
        return 1.0
    try:
        weight = float(value)
    except ValueError:
        return 0.0
    return weight if 0 <= weight <= 1 else 0.0
