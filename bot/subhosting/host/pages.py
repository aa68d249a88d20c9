"""What visitors read when there is no app to answer them."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from http import HTTPStatus

from bot.subhosting.host.live import LastWords, NoInstance


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer of the router's own: a status, a sentence, and lines of a log to show."""

    status: int
    sentence: str
    log: Sequence[tuple[str, str]] = ()

    def document(self, log_url: str | None = None, *, with_log: bool = True) -> bytes:
        """Return the page; everything in it that others wrote is escaped."""
        title = f"{self.status} {phrase(self.status)}"
        lines = "\n".join(escape(message) for _, message in self.log) if with_log else ""
        log = f"<h2>The end of its log</h2>\n<pre>{lines}</pre>\n" if lines else ""
        if log_url is not None:
            log += f'<p><a href="{escape(log_url)}">The whole log</a> is for its owner.</p>\n'
        return (
            f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>{title}</title>\n'
            f"<h1>{title}</h1>\n<p>{escape(self.sentence)}</p>\n{log}"
        ).encode(errors="replace")


def not_running(found: NoInstance) -> Refusal:
    """Say why no instance could be started."""
    return Refusal(found.status, f"The app does not run: {found.reason}.", found.log)


def went_away(words: LastWords) -> Refusal:
    """Say what became of an app that had a request and did not answer it."""
    happened = words.ending or "closed the connection"
    return Refusal(502, f"The app {happened} before it answered.", words.log)


def phrase(status: int) -> str:
    """Return the standard reason phrase, or nothing for a status that has none."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
