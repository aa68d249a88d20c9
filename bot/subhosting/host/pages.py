"""What visitors read when there is no app to answer them."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from http import HTTPStatus


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer of the router's own: a status, a sentence, and lines of a log to show."""

    status: int
    sentence: str
    log: Sequence[tuple[str, str]] = ()

    def document(self) -> bytes:
        """Return the page; everything in it that others wrote is escaped."""
        title = f"{self.status} {phrase(self.status)}"
        lines = "\n".join(escape(message) for _, message in self.log)
        log = f"<h2>The end of its log</h2>\n<pre>{lines}</pre>\n" if lines else ""
        return (
            f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>{title}</title>\n'
            f"<h1>{title}</h1>\n<p>{escape(self.sentence)}</p>\n{log}"
        ).encode(errors="replace")


def phrase(status: int) -> str:
    """Return the standard reason phrase, or nothing for a status that has none."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
