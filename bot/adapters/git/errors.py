"""Git's complaints in our words."""

import re

from git.exc import CommandError

from bot.core.model.errors import CommitGone, SourceError, SourceUnavailable
from bot.core.model.ids import CommitSha, RepoName
from bot.kernel.redact import redact

# What upload-pack says of an object it does not have (protocol v2), or will not give (v0).
# https://github.com/git/git/blob/master/upload-pack.c
_GONE = re.compile(r"not our ref|unadvertised object")

_MAX_COMPLAINT_CHARS = 600


def as_ours(
    error: CommandError, repository: RepoName, commit: CommitSha | None = None
) -> SourceError:
    """Return the exception of ours that says what git's failure means for the reader."""
    complaint = _complaint(str(error.stderr))
    if commit is not None and _GONE.search(complaint):
        return CommitGone(commit)
    return SourceUnavailable(f"git could not read {repository}: {complaint or error.status}")


def _complaint(stderr: str) -> str:
    """Return git's own words: no secrets, no control characters, no GitPython decoration."""
    text = stderr.strip().removeprefix("stderr: '").removesuffix("'")
    printable = "".join(char if char.isprintable() else " " for char in redact(text))
    return " ".join(printable.split())[-_MAX_COMPLAINT_CHARS:]
