"""Git's complaints in our words."""

import re

from git.exc import CommandError

from bot.core.model.errors import (
    CommitGone,
    RepositoryClosed,
    SourceError,
    SourceUnavailable,
)
from bot.core.model.ids import CommitSha
from bot.kernel.redact import redact

# What upload-pack says of an object it does not have (protocol v2), or will not give (v0).
# https://github.com/git/git/blob/master/upload-pack.c
_GONE = re.compile(r"not our ref|unadvertised object")

# What git says when it lacks a login, has a wrong one, or there is nothing at an address. Forges
# do not tell these apart, so that nobody can ask which private repositories exist.
_CLOSED = re.compile(
    r"could not read Username|Authentication failed|[Rr]epository not found"
    r"|returned error: (?:3\d\d|40[134])|redirect|does not appear to be a git repository"
    r"|repository '[^']*' not found"
)

_MAX_COMPLAINT_CHARS = 600


def as_ours(error: CommandError, repository: str, commit: CommitSha | None = None) -> SourceError:
    """Return the exception of ours that says what git's failure means for the reader."""
    complaint = _complaint(str(error.stderr))
    if commit is not None and _GONE.search(complaint):
        return CommitGone(commit)
    if _CLOSED.search(complaint):
        return RepositoryClosed(f"git may not read {repository}: {complaint}")
    return SourceUnavailable(f"git could not read {repository}: {complaint or error.status}")


def _complaint(stderr: str) -> str:
    """Return git's own words: no secrets, no control characters, no GitPython decoration."""
    text = stderr.strip().removeprefix("stderr: '").removesuffix("'")
    printable = "".join(char if char.isprintable() else " " for char in redact(text))
    return " ".join(printable.split())[-_MAX_COMPLAINT_CHARS:]
