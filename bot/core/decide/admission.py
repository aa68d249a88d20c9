"""Whether an app is deployed: the rules of its configuration, asked in a fixed order.

The first that says no is told on the commit, with a code that never changes.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from bot.core.model.config import Mode, Rules
from bot.core.model.decisions import Reason
from bot.core.model.occasions import Occasion, PullFacts, Trigger
from bot.kernel.globs import judge

# Deno Deploy's two, with the spelling of its API's text, and one of ours.
# https://docs.deno.com/deploy/changelog/ (2025-12-18)
_SKIP_MARKER = re.compile(r"\[skip[ -](?:ci|deploy|preview)\]", re.IGNORECASE)

# Of a list of paths, enough to be recognised.
_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A rule that said no."""

    reason: Reason
    detail: str


def refusal(
    rules: Rules, occasion: Occasion, changed: Collection[str] | None = None
) -> Refusal | None:
    """Return the first rule that keeps the app from being deployed, or None.

    `changed` are the paths that differ from what is live, or from where the branch began; None
    when nothing can be compared. A person who asks is stopped by a lock only.
    """
    if rules.locked is not None:
        return Refusal(reason=Reason.LOCKED, detail=f"the app is locked: {rules.locked}")
    if occasion.trigger is Trigger.PERSON:
        return None
    return next(_refusals(rules, occasion, changed), None)


def _refusals(
    rules: Rules, occasion: Occasion, changed: Collection[str] | None
) -> Iterator[Refusal]:
    yield from _branch(rules, occasion)
    if occasion.pull is not None:
        yield from _pull(rules, occasion.pull)
    yield from _mode(rules, occasion)
    yield from _message(occasion)
    if changed is not None:
        yield from _paths(rules, changed)


def _branch(rules: Rules, occasion: Occasion) -> Iterator[Refusal]:
    verdict = judge(rules.branches, occasion.branch)
    if not verdict.fits:
        why = (
            f"`branches` takes it out by {verdict.pattern}"
            if verdict.pattern is not None
            else "none of `branches` fits it"
        )
        detail = f"the branch is {occasion.branch}, and {why}"
        yield Refusal(reason=Reason.BRANCH_NOT_WANTED, detail=detail)


def _pull(rules: Rules, pull: PullFacts) -> Iterator[Refusal]:
    for label in pull.labels:
        if label in rules.skip_labels:
            detail = f"the pull request has the label {label}, which is one of `skip-labels`"
            yield Refusal(reason=Reason.SKIP_LABEL, detail=detail)
    if pull.draft and not rules.drafts:
        detail = "the pull request is a draft, and `drafts` is false"
        yield Refusal(reason=Reason.DRAFT, detail=detail)
    if pull.by_bot and not rules.bots:
        detail = "the pull request is a bot's, and `bots` is false"
        yield Refusal(reason=Reason.BOT, detail=detail)


def _mode(rules: Rules, occasion: Occasion) -> Iterator[Refusal]:
    # What goes live for everybody has been merged: nobody has to ask for it once more.
    if occasion.is_default_branch and rules.mode is not Mode.MANUAL:
        return
    match rules.mode:
        case Mode.AUTO:
            pass
        case Mode.LABEL:
            if occasion.pull is None or rules.label not in occasion.pull.labels:
                detail = f"`mode` is label, and no pull request of it has the label {rules.label}"
                yield Refusal(reason=Reason.LABEL_MISSING, detail=detail)
        case Mode.COMMAND:
            detail = "`mode` is command: comment `/preview deploy` on the pull request"
            yield Refusal(reason=Reason.COMMAND_MISSING, detail=detail)
        case Mode.MANUAL:
            detail = "`mode` is manual: deploy with `/preview deploy` or `previewbot deploy`"
            yield Refusal(reason=Reason.MANUAL, detail=detail)


def _message(occasion: Occasion) -> Iterator[Refusal]:
    marker = _SKIP_MARKER.search(occasion.message)
    if marker is not None:
        detail = f"the commit message has {marker.group()}"
        yield Refusal(reason=Reason.SKIP_MARKER, detail=detail)


def _paths(rules: Rules, changed: Collection[str]) -> Iterator[Refusal]:
    if not rules.paths or any(judge(rules.paths, path, folders=True).fits for path in changed):
        return
    shown = ", ".join(sorted(changed)[:_SHOWN]) or "nothing"
    more = f" and {len(changed) - _SHOWN} more" if len(changed) > _SHOWN else ""
    detail = f"none of `paths` fits what has changed: {shown}{more}"
    yield Refusal(reason=Reason.PATHS_UNCHANGED, detail=detail)
