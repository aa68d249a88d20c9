"""Where a deployment shows on the forge, beside the pages that are ours."""

from enum import StrEnum


class Surface(StrEnum):
    """One of the places; each can be switched off, and then nothing is written there."""

    CHECK = "check"  # with a token that may not write checks: a commit status
    DEPLOYMENT = "deployment"  # GitHub's Deployments and environments
    COMMENT = "comment"  # one per pull request, edited in place
    DISPATCH = "dispatch"  # repository_dispatch events, for workflows that test the preview


# A comment notifies everybody who watches, and an event needs `contents: write`: on request only.
DEFAULT_SURFACES = frozenset({Surface.CHECK, Surface.DEPLOYMENT})
