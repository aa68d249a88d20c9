"""The one comment on a pull request: a row for each app, made from the records alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from bot.core.model.preview import Deployment, DeploymentState
from bot.core.render import markdown

# How the comment is known again, together with its author: anybody can write this. GitHub does not
# show it, and texts of strangers cannot hold it (`markdown`).
MARKER = "<!-- previewbot: one row for each app -->"

# GitHub takes 65,536 characters, counted here in bytes, which are never fewer.
MAX_BODY_BYTES = 60_000

_HEAD = "| App | Preview | Commit | State |\n|---|---|---|---|"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An app of the pull request."""

    newest: Deployment
    serving: Deployment | None  # what the URL leads to; None: nothing, or nothing any more
    url: str | None  # of what is served
    page_url: str | None


def body(rows: Sequence[Row]) -> str:
    """Return the whole comment, rows in the order of the apps' names."""
    return f"{MARKER}\n{table(rows)}"


def table(rows: Sequence[Row]) -> str:
    """Return the rows as a table, in the order of the apps' names."""
    lines = [_row(row) for row in sorted(rows, key=lambda row: row.newest.preview.slug)]
    kept: list[str] = []
    left_bytes = MAX_BODY_BYTES - len(f"{MARKER}\n{_HEAD}\n".encode())
    for line in lines:
        left_bytes -= len(line.encode()) + 1
        if left_bytes < 0:
            break
        kept.append(line)
    more = len(lines) - len(kept)
    tail = [f"\n{more:,} more {'is' if more == 1 else 'are'} not shown."] if more else []
    return "\n".join([_HEAD, *kept, *tail])


def _row(row: Row) -> str:
    newest = row.newest
    cells = [
        _linked(markdown.code(newest.preview.slug), row.page_url),
        _where(row),
        markdown.code(newest.head[:7]),
        _state(newest),
    ]
    return f"| {' | '.join(cells)} |"


def _where(row: Row) -> str:
    serving, url = row.serving, row.url
    if serving is None or url is None:
        return "none"
    if serving.id == row.newest.id:
        return markdown.link(url)
    return f"{markdown.link(url)} (still {markdown.code(serving.head[:7])})"


def _state(newest: Deployment) -> str:
    match newest.state:
        case DeploymentState.WAITING if not newest.preview.buried:
            return "waiting for approval"
        case DeploymentState.QUEUED:
            return "waiting for its turn"
        case DeploymentState.DEPLOYING if not newest.preview.buried:
            return "deploying"
        case _ if newest.preview.buried:
            return "removed"
        case (
            DeploymentState.LIVE
            | DeploymentState.FAILED
            | DeploymentState.SKIPPED
            | DeploymentState.SUPERSEDED
            | DeploymentState.TIMED_OUT
            | DeploymentState.WAITING
            | DeploymentState.DEPLOYING
        ):
            return markdown.inline(newest.title, max_chars=300)
        case _:
            assert_never(newest.state)


def _linked(text: str, url: str | None) -> str:
    return text if url is None else f"[{text}]({url})"
