"""What to do about a head that nobody has dealt with: deploy it app by app, or say why not."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import assert_never

from bot.core.decide.admission import Refusal, refusal
from bot.core.model.briefs import Brief
from bot.core.model.config import AppConfig, Counting, DenoFile, ForkPolicy, Mistaken, Recipe
from bot.core.model.decisions import Decision, Reason, SkipDeployment, StartDeployment
from bot.core.model.ids import Branch, CommitSha, Repository
from bot.core.model.lines import PRODUCTION, BranchLine, Line, ProductionLine, PullLine
from bot.core.model.occasions import Occasion, PullFacts, Trigger
from bot.core.model.outcomes import Annotation, Failed, Severity, Skipped
from bot.core.model.preview import DeploymentState
from bot.core.model.pulls import PullRequest
from bot.core.model.selection import Selection
from bot.core.model.snapshot import AppFacts, Snapshot

# Of remarks in an explanation; the annotations have them all.
_SHOWN = 10

Beginning = StartDeployment | SkipDeployment


def beginnings(
    repository: Repository,
    line: Line,
    head: CommitSha,
    snapshot: Snapshot,
    trigger: Trigger,
) -> tuple[Beginning, ...]:
    """Return what begins with `head`, for each app whose newest attempt is not of it already."""
    occasion = _occasion(repository, line, snapshot, trigger)
    return tuple(
        beginning
        for facts in snapshot.apps
        if (beginning := _beginning(repository, line, head, facts, snapshot, occasion)) is not None
    )


def in_production(
    repository: Repository, head: CommitSha, snapshot: Snapshot
) -> tuple[StartDeployment, ...]:
    """Return what begins in production with the default branch's `head`.

    Where a rule keeps it away, the check of the branch's own preview says so.
    """
    begun = beginnings(
        repository,
        PRODUCTION,
        head,
        replace(snapshot, apps=snapshot.production),
        Trigger.PUSH,
    )
    return tuple(each for each in begun if isinstance(each, StartDeployment))


def decision_on(begun: Sequence[Beginning], detail: str) -> Decision:
    """Return the decision to begin with these; `detail` says of what, where anything is deployed.

    Where nothing is, the first rule that kept an app away is the reason.
    """
    skips = [each for each in begun if isinstance(each, SkipDeployment)]
    if len(skips) < len(begun):
        left_out = "".join(f"; not {each.app}: {_why(each)}" for each in skips)
        return Decision(reason=Reason.DEPLOY, detail=detail + left_out, intents=tuple(begun))
    first = skips[0]
    return Decision(reason=first.reason, detail=_why(first), intents=tuple(begun))


def is_handled(facts: AppFacts, head: CommitSha) -> bool:
    """Tell whether the newest attempt is of this very commit and was not given up for another.

    What was removed or cancelled although its branch goes on is not brought back by hearing of the
    same commit, nor is a rollback undone.
    """
    newest = facts.newest
    if newest is None or head not in {newest.head, newest.instead_of}:
        return False
    if newest.preview.removed or newest.withdrawn_because:
        return True
    return (
        newest.state is not DeploymentState.SUPERSEDED
        and newest.superseded_by is None
        and not newest.preview.buried
    )


def brief_of(config: AppConfig, deno: DenoFile | None, setup: Counting, line: Line) -> Brief:
    """Return what an attempt of an app is told."""
    recipe, said = config.recipe, deno or DenoFile(path="")
    return Brief(
        recipe=recipe,
        selection=_selection(recipe, said, setup),
        deno_json_builds=said.says_how_to_build,
        entrypoint=None if recipe.says_how_to_build else said.entrypoint,
        production=config.production if line == PRODUCTION else None,
        # Strangers' code has no database, and runs where the operator has everything run that
        # says nothing.
        database=config.database and not isinstance(line, PullLine),
        target=None if isinstance(line, PullLine) else config.target,
        surfaces=setup.config.surfaces,
        remarks=(*setup.remarks, *said.problems),
    )


def _beginning(
    repository: Repository,
    line: Line,
    head: CommitSha,
    facts: AppFacts,
    snapshot: Snapshot,
    occasion: Occasion,
) -> Beginning | None:
    ended = _ended(facts, snapshot.setup, occasion)
    known = is_handled(facts, head) and not snapshot.planned
    if ended is not None:
        if known and not _is_now_approved(facts, snapshot):
            return None
        reason, outcome = ended
        return SkipDeployment(
            repository=repository,
            line=line,
            app=facts.app,
            head=head,
            reason=reason,
            outcome=outcome,
        )
    if (known and not _may_begin_now(facts, snapshot)) or isinstance(snapshot.setup, Mistaken):
        return None
    brief = brief_of(facts.config, facts.deno, snapshot.setup, line)
    return StartDeployment(repository=repository, line=line, app=facts.app, head=head, brief=brief)


def _may_begin_now(facts: AppFacts, snapshot: Snapshot) -> bool:
    """Tell whether what kept the newest attempt away is gone: a rule, or a missing approval."""
    state = facts.newest.state if facts.newest is not None else None
    return state is DeploymentState.SKIPPED or _is_now_approved(facts, snapshot)


def _is_now_approved(facts: AppFacts, snapshot: Snapshot) -> bool:
    """Tell whether the newest attempt waits for an approval that is there.

    Only now what the commit itself says is read, and may turn out to have mistakes.
    """
    newest = facts.newest
    return newest is not None and newest.state is DeploymentState.WAITING and snapshot.approved


def _ended(
    facts: AppFacts, setup: Counting | Mistaken, occasion: Occasion
) -> tuple[Reason, Skipped | Failed] | None:
    """Return how the attempt ends before it begins, None if it may begin."""
    match setup:
        case Mistaken():
            return Reason.CONFIGURATION_WRONG, _mistaken(setup)
        case Counting():
            pass
        case _:
            assert_never(setup)
    if occasion.from_fork and setup.config.forks is ForkPolicy.NEVER:
        because = "it comes from a fork, and `forks` is never"
        skipped = Skipped(code=Reason.FORKS_NOT_DEPLOYED, because=because)
        return Reason.FORKS_NOT_DEPLOYED, skipped
    refused = refusal(facts.config.rules, occasion, facts.changed)
    if refused is not None:
        return refused.reason, _skipped(refused, setup.remarks)
    wrong = [each for each in _deno_problems(facts) if each.severity is Severity.FAILURE]
    if wrong and not facts.config.recipe.says_how_to_build:
        failed = Failed(
            title="The deploy key of deno.json has mistakes",
            explanation=_listed(wrong),
            annotations=tuple(wrong),
        )
        return Reason.CONFIGURATION_WRONG, failed
    return None


def _mistaken(setup: Mistaken) -> Skipped | Failed:
    if setup.in_commit:
        return Failed(
            title="The configuration has mistakes",
            explanation=_listed(setup.problems),
            annotations=setup.problems,
        )
    because = f"the default branch's configuration has mistakes: {_listed(setup.problems)}"
    return Skipped(code=Reason.CONFIGURATION_WRONG, because=because, open_question=True)


def _skipped(refused: Refusal, remarks: tuple[Annotation, ...]) -> Skipped:
    return Skipped(code=refused.reason, because=refused.detail, annotations=remarks)


def _deno_problems(facts: AppFacts) -> tuple[Annotation, ...]:
    return facts.deno.problems if facts.deno is not None else ()


def _listed(problems: Sequence[Annotation]) -> str:
    lines = [f"{each.path}:{each.line}: {each.message}" for each in problems[:_SHOWN]]
    return "\n".join(lines)


def _selection(recipe: Recipe, deno: DenoFile, setup: Counting) -> Selection:
    """Return the app's part of the repository; a list of the recipe's beats deno.json's."""
    return Selection(
        root=recipe.root or "",
        include=recipe.include or deno.include,
        exclude=recipe.exclude or deno.exclude,
        lfs=setup.config.lfs,
        submodules=setup.config.submodules,
    )


def _occasion(
    repository: Repository, line: Line, snapshot: Snapshot, trigger: Trigger
) -> Occasion:
    pulls = list(_pulls(snapshot))
    return Occasion(
        trigger=trigger,
        branch=_branch(line, pulls, repository),
        message=snapshot.message,
        pull=_pull_facts(pulls),
        is_default_branch=line in {BranchLine(repository.default_branch), PRODUCTION},
        from_fork=isinstance(line, PullLine),
    )


def _pulls(snapshot: Snapshot) -> Iterator[PullRequest]:
    """Yield each pull request that has the head, the event's own as it stands now."""
    if snapshot.pull is not None:
        yield snapshot.pull
    for pull in snapshot.pulls:
        if snapshot.pull is None or pull.number != snapshot.pull.number:
            yield pull


def _branch(line: Line, pulls: Sequence[PullRequest], repository: Repository) -> Branch:
    match line:
        case BranchLine(branch):
            return branch
        case PullLine():
            return pulls[0].head_branch if pulls else Branch("")
        case ProductionLine():
            return repository.default_branch


def _pull_facts(pulls: Sequence[PullRequest]) -> PullFacts | None:
    """Return what rules read of the pull requests together: one that is ready is enough."""
    if not pulls:
        return None
    return PullFacts(
        labels=tuple(dict.fromkeys(label for pull in pulls for label in pull.labels)),
        draft=all(pull.draft for pull in pulls),
        by_bot=all(pull.author_is_bot for pull in pulls),
    )


def _why(skip: SkipDeployment) -> str:
    match skip.outcome:
        case Skipped(because=because):
            return because
        case Failed(title=title):
            return title
