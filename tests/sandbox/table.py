"""The table of docs/security.md: every attempt, and from which level on it is held."""

from itertools import groupby
from pathlib import Path

from bot.subhosting.sandbox.level import Level
from tests.sandbox.attempt import Attempt, Place
from tests.sandbox.attempts.everything import ATTEMPTS

DOCUMENT = Path(__file__).parents[2] / "docs" / "security.md"

# At L1 the suite tries what that level is the first to hold, and `soak` everything.
LEVELS = tuple(Level)

BEGIN = "<!-- table of attempts: made by `make security-table` -->"
END = "<!-- end of the table of attempts -->"


def table() -> str:
    """Return the table, and below it what each gap leaves open."""
    columns = [f"{place.value} {level.name}" for place in Place for level in LEVELS]
    tried = [(each, place) for each in ATTEMPTS for place in Place if is_tried(each, place)]
    lines = [
        f"{len(ATTEMPTS)} attempts; {len(tried)} with those that both an app and a build make.",
        "",
        f"| attempt | {' | '.join(columns)} |",
        f"|---|{'---|' * len(columns)}",
    ]
    for title, attempts in groupby(ATTEMPTS, lambda each: each.section):
        lines.append(f"| **{title}** |{' |' * len(columns)}")
        lines += [_row(each) for each in attempts]
    return "\n".join([*lines, "", *_gaps()])


def written(document: str) -> str:
    """Return the document with the table in its place."""
    before, _, rest = document.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{table()}\n\n{END}{after}"


def main() -> None:
    """Write the table into the document."""
    DOCUMENT.write_text(written(DOCUMENT.read_text()))


def is_tried(attempt: Attempt, place: Place) -> bool:
    """Return whether an attempt makes sense in a place."""
    if place is Place.BUILD:
        return attempt.build is not None and not attempt.alone
    return attempt.app is not None


def _row(attempt: Attempt) -> str:
    cells = [_cell(attempt, place, level) for place in Place for level in LEVELS]
    return f"| {attempt.name} | {' | '.join(cells)} |"


def _cell(attempt: Attempt, place: Place, level: Level) -> str:
    if not is_tried(attempt, place):
        return "·"
    held_from = attempt.held_from(place)
    return "held" if held_from is not None and level >= held_from else "**gap**"


def _gaps() -> list[str]:
    """Return in words what is left open, each once, with the attempts that use it."""
    words: dict[str, list[str]] = {}
    for each in ATTEMPTS:
        if each.gap:
            words.setdefault(each.gap, []).append(each.name)
    return [f"- {gap} ({'; '.join(names)})" for gap, names in words.items()]
