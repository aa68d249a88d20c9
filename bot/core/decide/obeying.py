"""What each command does, once it is clear that whoever gave it may."""

from collections.abc import Sequence
from dataclasses import replace

from bot.core.decide.answering import Answering
from bot.core.decide.approvals import objection
from bot.core.decide.grammar import PREFIX
from bot.core.decide.pulls import unapproved
from bot.core.decide.starting import Beginning, beginnings, decision_on
from bot.core.model.commands import Authority, Request, Verb
from bot.core.model.decisions import (
    ApproveCommit,
    BuryPreviews,
    Decision,
    Intent,
    Promote,
    Reason,
    RecordPullRequest,
    RollBack,
    StartDeployment,
    WithdrawAttempts,
)
from bot.core.model.ids import AppName, CommitSha, commit_sha
from bot.core.model.lines import PRODUCTION, BranchLine, Line, PullLine, name_of
from bot.core.model.occasions import Trigger
from bot.core.model.preview import Deployment, DeploymentState
from bot.core.model.snapshot import AppFacts, Snapshot
from bot.kernel.counting import counted

_NO_LINE = "there is no open pull request or branch to do it for"
_NO_PRODUCTION = "no app has a production; `production: true` in the configuration makes one"


def cancel(request: Request, snapshot: Snapshot, to: Answering) -> Decision:
    """Give up what is not over yet; what is live goes on."""
    line, running = snapshot.line, [one for one in _mine(request, snapshot) if not one.is_over]
    if line is None or not running:
        return to.no(Reason.COMMAND_POINTLESS, "nothing is being deployed")
    withdrawn = WithdrawAttempts(
        repository=request.repository,
        line=line,
        apps=_apps_of(running),
        because=f"{request.by} cancelled it",
    )
    return to.done(Reason.COMMAND, f"{counted(len(running), 'attempt')} given up", withdrawn)


def destroy(request: Request, snapshot: Snapshot, to: Answering) -> Decision:
    """Remove the preview; the branch or pull request goes on."""
    line, standing = snapshot.line, [one for one in _mine(request, snapshot) if not _is_gone(one)]
    if line is None or not standing:
        return to.no(Reason.COMMAND_POINTLESS, "there is no preview to remove")
    buried = BuryPreviews(
        repository=request.repository,
        line=line,
        because=f"{request.by} removed it",
        apps=_apps_of(standing),
        line_goes_on=True,
    )
    return to.done(Reason.COMMAND, f"{name_of(line)} is removed", buried)


def deploy(
    request: Request, authority: Authority, snapshot: Snapshot, to: Answering, *, anew: bool
) -> Decision:
    """Deploy the head, whatever the rules but a lock say; `anew`: even if it is live."""
    line, head = snapshot.line, snapshot.head_now
    if line is None or head is None:
        return to.no(Reason.COMMAND_POINTLESS, _NO_LINE)
    chosen = _chosen(request, snapshot)
    if not chosen and line == PRODUCTION and not snapshot.production:
        return to.no(Reason.COMMAND_POINTLESS, _NO_PRODUCTION)
    if not chosen:
        return _no_such_app(request, snapshot, to)
    apps = tuple(replace(each, newest=_counting(each.newest, head, anew=anew)) for each in chosen)
    begun = beginnings(
        request.repository, line, head, replace(snapshot, apps=apps), Trigger.PERSON
    )
    if not begun:
        again = f"{PREFIX} {Verb.REDEPLOY}"
        because = f"{head[:7]} is live or on its way; this deploys it once more"
        return to.no(Reason.ALREADY_HANDLED, because, copy=again)
    if isinstance(line, PullLine) and not snapshot.approved and snapshot.pull is not None:
        return _begun(unapproved(begun, snapshot.pull), to)
    return _begun(decision_on(_wished(begun, authority, anew=anew), _head(head, line)), to)


def approve(request: Request, authority: Authority, snapshot: Snapshot, to: Answering) -> Decision:
    """Let one full commit of a fork run, if its approver may say so."""
    pull, asker = snapshot.pull, snapshot.asker
    if pull is None or asker is None:
        return to.no(Reason.COMMAND_POINTLESS, "only pull requests from forks are approved")
    said = commit_sha(request.command.to or "")
    found = objection(said or pull.head, pull, request.repository, asker)
    line = f"{PREFIX} {Verb.APPROVE} {pull.head}"
    if found is not None:
        copy = line if found.reason is Reason.HEAD_MOVED else None
        return to.no(found.reason, found.because, copy=copy)
    if said is None:
        because = "say which commit you have looked at, in full; the head is"
        return to.no(Reason.HEAD_NOT_NAMED, because, copy=line)
    begun = beginnings(
        request.repository,
        PullLine(pull.number),
        said,
        replace(snapshot, approved=True),
        Trigger.PERSON,
    )
    approved = (
        RecordPullRequest(repository=request.repository, pull=pull),
        ApproveCommit(repository=request.repository, pull=pull.number, commit=said, by=request.by),
    )
    if not begun:
        return to.done(Reason.COMMAND, f"{said[:7]} is approved, and live already", *approved)
    decision = decision_on(
        _wished(begun, authority, anew=False), f"{said[:7]} of #{pull.number} is approved"
    )
    return _begun(decision, to, before=approved)


def roll_back(request: Request, snapshot: Snapshot, to: Answering) -> Decision:
    """Serve an earlier deployment again, the one before or the one of a commit."""
    line, head = snapshot.line, snapshot.head_now
    if line is None or head is None:
        return to.no(Reason.COMMAND_POINTLESS, _NO_LINE)
    if isinstance(line, PullLine):
        because = "of a fork only the head runs, because that is what was approved"
        return to.no(Reason.COMMAND_POINTLESS, because)
    domains = {facts.app: facts.config.production for facts in snapshot.production}
    intents: list[Intent] = []
    for app in _apps_of(_mine(request, snapshot)):
        earlier = _earlier(app, request, snapshot)
        if earlier is not None:
            intents.append(
                RollBack(
                    repository=request.repository,
                    line=line,
                    app=app,
                    to=earlier.id,
                    head=earlier.head,
                    instead_of=head,
                    by=request.by,
                    production=domains.get(app) if line == PRODUCTION else None,
                )
            )
    if not intents:
        return to.no(Reason.COMMAND_POINTLESS, "there is no such earlier deployment to go back to")
    return to.done(Reason.COMMAND, f"{name_of(line)} goes back", *intents, begun=True)


def promote(request: Request, snapshot: Snapshot, to: Answering) -> Decision:
    """Run what the preview runs in production: the same files, with production's variables."""
    line, trunk = snapshot.line, snapshot.trunk
    if line is None or trunk is None:
        return to.no(Reason.COMMAND_POINTLESS, _NO_LINE)
    if not isinstance(line, BranchLine):
        because = "what comes from a fork is merged before it goes to production"
        return to.no(Reason.COMMAND_POINTLESS, because)
    productive = {
        facts.app: facts.config.production
        for facts in _chosen(request, snapshot)
        if facts.config.production is not None
    }
    if not productive:
        return to.no(Reason.COMMAND_POINTLESS, _NO_PRODUCTION)
    locks = [facts.config.rules.locked for facts in _chosen(request, snapshot)]
    if lock := next(filter(None, locks), None):
        return to.no(Reason.LOCKED, f"the app is locked: {lock}")
    on_show = {app: served(app, snapshot) for app in productive}
    intents = [
        Promote(
            repository=request.repository,
            app=app,
            promoted=current.id,
            head=current.head,
            instead_of=trunk,
            production=productive[app],
        )
        for app, current in on_show.items()
        if current is not None
    ]
    if not intents:
        return to.no(Reason.COMMAND_POINTLESS, "there is no live preview to promote")
    heads = sorted({intent.head[:7] for intent in intents})
    goes = "goes" if len(heads) == 1 else "go"
    told = f"{', '.join(heads)} {goes} to production"
    return to.done(Reason.COMMAND, told, *intents, begun=True)


def served(app: AppName, snapshot: Snapshot) -> Deployment | None:
    """Return what the app's preview, or its production, serves."""
    live = [
        one
        for one in snapshot.history
        if one.preview.app == app and one.state is DeploymentState.LIVE and not _is_gone(one)
    ]
    return live[-1] if live else None


def _begun(decision: Decision, to: Answering, before: Sequence[Intent] = ()) -> Decision:
    """Return `decision` with an answer: begun, waiting for an approval, or kept away by a rule."""
    if decision.reason is Reason.DEPLOY:
        return to.done(Reason.DEPLOY, decision.detail, *before, *decision.intents, begun=True)
    refused = to.no(decision.reason, decision.detail, copy=_way_out(decision))
    return replace(refused, intents=(*before, *decision.intents, *refused.intents))


def _way_out(decision: Decision) -> str | None:
    """Return the comment that would help, for a head that waits for an approval."""
    if decision.reason is not Reason.FORK_AWAITS_APPROVAL:
        return None
    heads = {intent.head for intent in decision.intents if hasattr(intent, "head")}
    return f"{PREFIX} {Verb.APPROVE} {heads.pop()}" if heads else None


def _wished(
    begun: Sequence[Beginning], authority: Authority, *, anew: bool
) -> tuple[Beginning, ...]:
    """Return what begins with the name of whoever wished for it, and the right it takes."""
    return tuple(
        replace(each, brief=replace(each.brief, authority=authority, anew=anew))
        if isinstance(each, StartDeployment)
        else each
        for each in begun
    )


def _counting(newest: Deployment | None, head: CommitSha, *, anew: bool) -> Deployment | None:
    """Return the newest attempt if it makes another of `head` pointless, else None.

    One that failed, was cancelled or removed is what somebody asks to be done again.
    """
    if anew or newest is None or newest.head != head or newest.preview.buried:
        return None
    under_way = newest.state in {DeploymentState.QUEUED, DeploymentState.DEPLOYING}
    waits = newest.state is DeploymentState.WAITING
    kept = (under_way and not newest.withdrawn_because) or waits
    return newest if kept or newest.state is DeploymentState.LIVE else None


def _earlier(app: AppName, request: Request, snapshot: Snapshot) -> Deployment | None:
    """Return the deployment to go back to: so many before what is served, or of a commit."""
    live = [
        one
        for one in snapshot.history
        if one.preview.app == app
        and one.state is DeploymentState.LIVE
        and one.target_id is not None
        and not _is_gone(one)
    ]
    if not live:
        return None
    current = live[-1].target_id
    before = {one.target_id: one for one in live if one.target_id != current}
    earlier = list(before.values())[::-1]
    said = request.command.to or "1"
    if said.isdecimal() and len(said) <= len("999"):
        return earlier[int(said) - 1] if int(said) <= len(earlier) else None
    return next((one for one in earlier if one.head.startswith(said)), None)


def _mine(request: Request, snapshot: Snapshot) -> list[Deployment]:
    """Return the attempts that the request is about."""
    return [one for one in snapshot.history if _is_meant(request, one.preview.app, one)]


def _chosen(request: Request, snapshot: Snapshot) -> tuple[AppFacts, ...]:
    apps = snapshot.production if snapshot.line == PRODUCTION else snapshot.apps
    return tuple(facts for facts in apps if _is_meant(request, facts.app, facts.newest))


def _is_meant(request: Request, app: AppName, attempt: Deployment | None) -> bool:
    """Tell whether the request names the app, by its name or by its slug, or names none."""
    named = request.command.app
    slug = None if attempt is None else attempt.preview.slug
    return named is None or named in (app, slug)


def _no_such_app(request: Request, snapshot: Snapshot, to: Answering) -> Decision:
    names = [facts.app for facts in snapshot.apps if facts.app]
    known = f"the apps are {', '.join(names)}" if names else "this repository has one app only"
    if len(names) == 1:
        known = f"the app is {names[0]}"
    return to.no(Reason.COMMAND_MISUNDERSTOOD, f"there is no app {request.command.app}; {known}")


def _apps_of(attempts: Sequence[Deployment]) -> tuple[AppName, ...]:
    return tuple(dict.fromkeys(one.preview.app for one in attempts))


def _is_gone(attempt: Deployment) -> bool:
    return attempt.preview.buried


def _head(head: CommitSha, line: Line) -> str:
    return f"{head[:7]} is the head of {name_of(line)}"
