"""What reading any payload needs: the shape checked, the words for what is wrong, the ids."""

from typing import TypeVar

from pydantic import ValidationError

from bot.core.model.decisions import Ignored, Reason
from bot.core.model.errors import PayloadNotUnderstood
from bot.core.model.ids import (
    Branch,
    CommitSha,
    Repository,
    RepositoryId,
    commit_sha,
    repo_name,
)
from bot.wire.github import InstallationPart, Payload, RepositoryPart

BRANCH_PREFIX = "refs/heads/"

# Git's files backend cannot store more than a path's worth; GitHub refuses far shorter ones.
MAX_REF_BYTES = 1024

# Enough of somebody else's text to recognise it by.
QUOTED_CHARACTERS = 100

Model = TypeVar("Model", bound=Payload)


def read(model: type[Model], payload: object) -> Model:
    """Return the payload as `model`.

    Raises:
        PayloadNotUnderstood: it is not of that shape; the place is named.

    """
    try:
        return model.model_validate(payload)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the payload"
        problem = f"{place}: {first['msg'].removeprefix('Value error, ')}"
        raise PayloadNotUnderstood(problem) from error


def repository_of(part: RepositoryPart, installation: InstallationPart | None) -> Repository:
    """Return the repository that an event is about; its addresses are never read.

    Raises:
        PayloadNotUnderstood: its name is none, or its default branch can be none.

    """
    name = repo_name(part.full_name)
    if name is None:
        msg = "repository.full_name is not an owner and a name"
        raise PayloadNotUnderstood(msg)
    return Repository(
        id=RepositoryId(part.id),
        name=name,
        default_branch=branch_of(part.default_branch, "repository.default_branch"),
        installation=installation.id if installation is not None else None,
    )


def branch_of(name: str, place: str) -> Branch:
    """Return the branch called `name`; odd characters alone are no reason not to, they are data.

    Raises:
        PayloadNotUnderstood: there can be no such branch.

    """
    if not name or any(ord(letter) < 0x20 or letter == "\x7f" for letter in name):  # noqa: PLR2004
        msg = f"{place} is empty or has control characters"  # which git itself refuses
        raise PayloadNotUnderstood(msg)
    if len(f"{BRANCH_PREFIX}{name}".encode("utf-8", "surrogatepass")) > MAX_REF_BYTES:
        msg = f"{place} is longer than {MAX_REF_BYTES} bytes"
        raise PayloadNotUnderstood(msg)
    return Branch(name)


def commit_of(sha: str, place: str) -> CommitSha:
    """Return the commit called `sha`.

    Raises:
        PayloadNotUnderstood: it is not a full id.

    """
    found = commit_sha(sha)
    if found is None:
        msg = f"{place} is not a commit id"
        raise PayloadNotUnderstood(msg)
    return found


def not_handled(what: str) -> Ignored:
    """Return what becomes of an event from which nothing follows."""
    return Ignored(reason=Reason.EVENT_NOT_HANDLED, detail=f"nothing follows from {what}")


def quoted(text: str) -> str:
    """Return somebody's text for the middle of a sentence, cut if it is long."""
    return repr(text if len(text) <= QUOTED_CHARACTERS else f"{text[:QUOTED_CHARACTERS]}...")
