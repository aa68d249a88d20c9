"""What to do when a repository moved, is gone or out of our reach, or a preview expired."""

from collections.abc import Iterable

from bot.core.model.decisions import (
    BuryPreviews,
    Decision,
    Intent,
    Reason,
    RecordRepository,
)
from bot.core.model.events import (
    AppUninstalled,
    PreviewExpired,
    RepositoriesRemoved,
    RepositoryDeleted,
    RepositoryPrivatized,
    RepositoryRenamed,
    RepositoryTransferred,
)
from bot.core.model.lines import name_of
from bot.core.model.preview import Deployment
from bot.core.model.snapshot import Snapshot
from bot.kernel.counting import counted

_DELETED = "the repository was deleted"
_REMOVED = "the bot was taken off the repository"


def moved(event: RepositoryRenamed | RepositoryTransferred, snapshot: Snapshot) -> Decision:
    """Follow a repository to its new name; its previews keep theirs."""
    return Decision(
        reason=Reason.REPOSITORY_MOVED,
        detail=f"the repository is {event.repository.name} now;"
        f" {_keeps(_number(snapshot.standing))}",
        intents=(RecordRepository(repository=event.repository),),
    )


def privatized(_event: RepositoryPrivatized, snapshot: Snapshot) -> Decision:
    """Leave the previews where they are: what they serve was public until now."""
    return Decision(
        reason=Reason.REPOSITORY_PRIVATIZED,
        detail=_stays_open(_number(snapshot.standing)),
    )


def gone(
    event: RepositoryDeleted | RepositoriesRemoved | AppUninstalled, snapshot: Snapshot
) -> Decision:
    """Remove every preview of what is not ours to show any more, if that is still so."""
    if snapshot.reachable:
        return Decision(
            reason=Reason.REPOSITORY_REACHED,
            detail="it can be read, so whatever was taken away was given back",
        )
    because = _DELETED if isinstance(event, RepositoryDeleted) else _REMOVED
    number = _number(snapshot.standing)
    goes = "goes" if number == 1 else "go"
    return Decision(
        reason=Reason.REPOSITORY_GONE,
        detail=f"{because}: {counted(number, 'preview')} {goes} with it",
        intents=tuple(_burials(snapshot.standing, because)),
    )


def expired(event: PreviewExpired, snapshot: Snapshot) -> Decision:
    """Remove a preview whose time is up, unless something happened to it meanwhile."""
    if event.newest not in {attempt.id for attempt in snapshot.standing}:
        return Decision(
            reason=Reason.STALE_EVENT,
            detail=f"the preview of {name_of(event.line)} was deployed again, or is gone already",
        )
    return Decision(
        reason=Reason.PREVIEW_EXPIRED,
        detail=f"{name_of(event.line)} is removed, because {event.because}",
        intents=(
            BuryPreviews(
                repository=event.repository,
                line=event.line,
                because=event.because,
                line_goes_on=True,
            ),
        ),
    )


def _burials(standing: Iterable[Deployment], because: str) -> Iterable[Intent]:
    lines = {
        (attempt.preview.repository.id, attempt.preview.line): attempt.preview.repository
        for attempt in standing
    }
    for (_, line), repository in lines.items():
        yield BuryPreviews(repository=repository, line=line, because=because)


def _number(standing: Iterable[Deployment]) -> int:
    return len({attempt.preview.id for attempt in standing})


def _keeps(number: int) -> str:
    keeps = "keeps its URL" if number == 1 else "keep their URLs"
    return f"{counted(number, 'preview')} {keeps}"


def _stays_open(number: int) -> str:
    match number:
        case 0:
            return "it has no previews that would stay open"
        case 1:
            return "1 preview stays open to whoever knows its URL; destroy it if it should not"
        case _:
            return (
                f"{number} previews stay open to whoever knows their URLs; destroy those that"
                " should not"
            )
