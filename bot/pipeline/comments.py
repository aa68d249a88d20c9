"""Keep the comment of each pull request that a preview belongs to."""

import hashlib
from collections.abc import Callable, Sequence

from bot.core.decide.names import pull_label
from bot.core.model.errors import TargetNotConfigured
from bot.core.model.ids import PullNumber, Repository
from bot.core.model.lines import BranchLine, Line, ProductionLine, PullLine
from bot.core.model.preview import Deployment
from bot.core.model.surfaces import StickyComment, Surface
from bot.core.render import comments
from bot.pipeline.serving import serving
from bot.ports.postings import Posting
from bot.ports.services import Services

# As in `surfaces`: a record that changes faster than this is written by the next occasion.
MAX_WRITES = 3

# Tries a call with whatever patience the caller has.
Patience = Callable[[Callable[[], str]], str]


def show_comments(
    repository: Repository, line: Line, services: Services, patience: Patience
) -> None:
    """Bring the comment of each pull request of the line up to date; harmless when repeated.

    A pull request gets one as soon as there is something to say, and keeps it up to date when it
    is closed. Apps are deployed side by side, so the record is looked at again after a write:
    whoever wrote first would else leave what the other one changed meanwhile.

    Raises:
        ForgeUnavailable: try again later.
        ForgeRefused: it will not be taken.

    """
    attempts = services.store.attempts_on(repository.id, line)
    for pull in _pulls(repository, line, attempts, services):
        for _ in range(MAX_WRITES):
            if not _write(repository, line, pull, services, patience):
                break


def _write(
    repository: Repository,
    line: Line,
    pull: PullNumber,
    services: Services,
    patience: Patience,
) -> bool:
    """Write what the record says, and tell whether anything had to be written."""
    rows = rows_on(repository, line, services, pull)
    if not rows:
        return False
    text = comments.body(rows)
    said = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
    subject = _subject(repository, pull)
    posting = services.postings.of(Surface.COMMENT, subject)
    if posting is not None and posting.said == said:
        return False
    sticky = StickyComment(repository=repository, pull=pull, marker=comments.MARKER, body=text)
    ref = None if posting is None else posting.ref
    written = patience(lambda: services.forge.comment(sticky, ref))
    services.postings.put(
        Posting(
            surface=Surface.COMMENT,
            subject=subject,
            group=str(repository.id),
            ref=written,
            said=said,
        )
    )
    return True


def _pulls(
    repository: Repository, line: Line, attempts: Sequence[Deployment], services: Services
) -> list[PullNumber]:
    """Return the pull requests whose comment tells of the line.

    Those that are closed count as long as the line's newest commit is theirs and they have a
    comment: it must not go on promising a preview.
    """
    match line:
        case PullLine(pull):
            return [pull]
        case ProductionLine():
            return []
        case BranchLine(branch):
            numbers = [pull.number for pull in services.pulls.open_from(repository.id, branch)]
            if attempts:
                numbers += [
                    pull.number
                    for pull in services.pulls.with_head(repository.id, attempts[-1].head)
                    if services.postings.of(Surface.COMMENT, _subject(repository, pull.number))
                ]
            return list(dict.fromkeys(numbers))


def rows_on(
    repository: Repository, line: Line, services: Services, pull: PullNumber | None = None
) -> list[comments.Row]:
    """Return how each app of the line stands, for a table that is read at `pull`, if anywhere."""
    attempts = services.store.attempts_on(repository.id, line)
    newest = {attempt.preview.id: attempt for attempt in attempts}  # oldest first: the last stays
    return [
        comments.Row(
            newest=attempt,
            serving=(current := serving(attempt.preview, attempts)),
            url=None if current is None else _url(current, pull, services),
            page_url=services.page_url(attempt.id),
        )
        for attempt in newest.values()
    ]


def _url(current: Deployment, pull: PullNumber | None, services: Services) -> str | None:
    """Return where people who look at the pull request find what is served.

    That is its own URL as long as it is open; else the branch's, which goes on.
    """
    preview, usual = current.preview, current.url or current.deployment_url
    if pull is None or not isinstance(preview.line, BranchLine):
        return usual
    known = services.pulls.get(preview.repository.id, pull)
    if known is None or not known.is_open:
        return usual
    try:
        target = services.targets.of(current)
    except TargetNotConfigured:
        return usual
    return target.url(pull_label(preview.slug, pull)) or usual


def _subject(repository: Repository, pull: PullNumber) -> str:
    return f"{repository.id}#{pull}"
