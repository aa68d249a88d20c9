"""What to do when somebody asks: by a comment or by a button, it is one request and one rule.

Whatever the answer is, there is one: a request that is refused names the right it needs.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import assert_never

from bot.core.decide import obeying
from bot.core.decide.answering import Answering, answer
from bot.core.decide.approvals import role_of
from bot.core.decide.requests import Asked, request_of
from bot.core.model.commands import (
    NEEDED,
    Authority,
    Help,
    Misunderstood,
    Reaction,
    Request,
    Said,
    Status,
    Verb,
)
from bot.core.model.decisions import Decision, Reason, ShowCheckAgain
from bot.core.model.events import CheckSuiteRerequested, CommentWritten
from bot.core.model.lines import PRODUCTION
from bot.core.model.pulls import Permission
from bot.core.model.snapshot import Snapshot


def asked(event: Asked, snapshot: Snapshot) -> Decision:
    """Return what to do about a comment or a pressed button, on all lines that it is about."""
    first = _asked_of(event, snapshot)
    return _together([first, *(_asked_of(event, other) for other in snapshot.others)])


def _together(decisions: Sequence[Decision]) -> Decision:
    """Return one decision to do it all; its right is the greatest that any of them takes.

    One that was refused on a line stands in nobody's way on the others.
    """
    obeyed = [each for each in decisions if each.authority is not None]
    if len(decisions) == 1 or not obeyed:
        return decisions[0]
    authorities = [each.authority for each in obeyed if each.authority is not None]
    return Decision(
        reason=next(
            (each.reason for each in obeyed if each.reason is Reason.DEPLOY), obeyed[0].reason
        ),
        detail="; ".join(each.detail for each in decisions),
        intents=tuple(intent for each in decisions for intent in each.intents),
        authority=max(authorities, key=lambda each: each.needs),
    )


def _asked_of(event: Asked, snapshot: Snapshot) -> Decision:
    request = request_of(event, snapshot.attempt)
    match request:
        case Request():
            return _asked(request, snapshot, is_suite=isinstance(event, CheckSuiteRerequested))
        case Misunderstood() if isinstance(event, CommentWritten):
            return _misunderstood(event, request, snapshot)
        case _:
            return Decision(
                reason=Reason.CHECK_NOT_OURS,
                detail="the button is on no check of an attempt that we know",
            )


def _asked(request: Request, snapshot: Snapshot, *, is_suite: bool) -> Decision:
    to = Answering.of(request, snapshot)
    authority = Authority(
        repository=request.repository,
        login=request.by,
        needs=_needed(request, snapshot),
    )
    refused = _missing_right(authority, snapshot)
    if refused is not None:
        return to.no(Reason.RIGHT_MISSING, refused)
    old = snapshot.attempt
    if old is not None and not is_suite and _is_overtaken(request, snapshot):
        name = old.preview.name
        left = f"what {name} serves" if _goes_back(request) else f"the head of {name}"
        return Decision(
            reason=Reason.CHECK_STALE,
            detail=f"{old.head[:7]} is not {left} any more",
            intents=(ShowCheckAgain(deployment=old.id),),
        )
    return replace(_obeyed(request, authority, snapshot, to), authority=authority)


def _needed(request: Request, snapshot: Snapshot) -> Permission:
    """Return what it takes; production is only touched by those who may maintain."""
    needed = NEEDED[request.command.verb]
    only_asks = request.command.verb in {Verb.HELP, Verb.STATUS}
    if snapshot.line != PRODUCTION or only_asks:
        return needed
    return max(needed, Permission.MAINTAIN)


def _missing_right(authority: Authority, snapshot: Snapshot) -> str | None:
    """Return which right the request lacks, None if it has it."""
    asker = snapshot.asker
    has = Permission.NONE if asker is None else asker.permission
    if has >= authority.needs:
        return None
    return (
        f"it needs the {authority.needs.name.lower()} role or more, and {authority.login} has"
        f" {role_of(has)}"
    )


def _goes_back(request: Request) -> bool:
    return request.command.verb is Verb.ROLLBACK


def _is_overtaken(request: Request, snapshot: Snapshot) -> bool:
    """Tell whether a button stands on a commit that is not what would be deployed now, or left.

    An approval answers for itself, and what is removed is the preview, not a commit.
    """
    old = snapshot.attempt
    if old is None:
        return False
    match request.command.verb:
        case Verb.REDEPLOY:
            return old.head != snapshot.head_now
        case Verb.ROLLBACK:
            served = obeying.served(old.preview.app, snapshot)
            return served is None or served.id != old.id
        case _:
            return False


def _obeyed(  # noqa: C901, PLR0911 - an arm for each verb
    request: Request, authority: Authority, snapshot: Snapshot, to: Answering
) -> Decision:
    verb = request.command.verb
    match verb:
        case Verb.HELP:
            return to.told(Help())
        case Verb.STATUS:
            return to.told(Status())
        case Verb.CANCEL:
            return obeying.cancel(request, snapshot, to)
        case Verb.DESTROY:
            return obeying.destroy(request, snapshot, to)
        case Verb.DEPLOY | Verb.REDEPLOY:
            return obeying.deploy(request, authority, snapshot, to, anew=verb is Verb.REDEPLOY)
        case Verb.APPROVE:
            return obeying.approve(request, authority, snapshot, to)
        case Verb.ROLLBACK:
            return obeying.roll_back(request, snapshot, to)
        case Verb.PROMOTE:
            return obeying.promote(request, snapshot, to)
        case _:
            assert_never(verb)


def _misunderstood(event: CommentWritten, found: Misunderstood, snapshot: Snapshot) -> Decision:
    """Answer what was not understood, with the likeliest meaning to copy."""
    suggestion = found.suggestion
    text = found.problem + (
        "; did you mean this?" if suggestion else "; `/preview help` tells all"
    )
    told = answer(
        event.repository,
        pull=event.pull,
        comment=event.comment,
        command=event.text,
        line=snapshot.line,
        reaction=Reaction.CONFUSED,
        reply=Said(text=text, copy=suggestion),
    )
    return Decision(reason=Reason.COMMAND_MISUNDERSTOOD, detail=found.problem, intents=(told,))
