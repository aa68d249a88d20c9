"""A forge with memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from typing_extensions import override

from bot.core.model.checks import Check, CheckStatus
from bot.core.model.commands import Reaction
from bot.core.model.errors import ForgeRefused, ForgeUnavailable
from bot.core.model.ids import CommentId, DeploymentId, Login, PullNumber, Repository, RepositoryId
from bot.core.model.pulls import Permission, PullRequest
from bot.core.model.surfaces import Notice, ShownDeployment, ShownState, StickyComment


@dataclass
class FakeForge:
    """Keeps everything as it came; may be told to be away for a number of calls."""

    history: list[Check] = field(default_factory=list)
    refs: dict[DeploymentId, str] = field(default_factory=dict)
    shown: list[ShownDeployment] = field(default_factory=list)
    shown_refs: dict[DeploymentId, str] = field(default_factory=dict)
    removed_environments: list[str] = field(default_factory=list)
    comments: dict[str, StickyComment] = field(default_factory=dict)  # by their ids
    comment_writes: int = 0
    told: list[Notice] = field(default_factory=list)
    away_for: int = 0
    refusal: ForgeRefused | None = None  # what every call is answered with
    refuses: str | None = None  # what the requests begin with that are refused
    lost: set[CheckStatus] = field(default_factory=set)  # words of checks that are not taken
    pulls: dict[tuple[RepositoryId, PullNumber], PullRequest] = field(default_factory=dict)
    reactions: dict[CommentId, list[Reaction]] = field(default_factory=dict)
    taken_away: set[RepositoryId] = field(default_factory=set)
    roles: dict[Login, Permission] = field(default_factory=dict)  # of everybody else: READ

    def publish(self, check: Check, ref: str | None) -> str:
        self._answer("POST check-runs")
        if check.status in self.lost:
            raise ForgeRefused("POST check-runs", status=403, message="Forbidden")
        known = self.refs.get(check.deployment)
        assert ref in {None, known}, "the pipeline made up a reference"
        self.history.append(check)
        self.refs[check.deployment] = self._ref_of(check)
        return self.refs[check.deployment]

    def _ref_of(self, check: Check) -> str:
        return self.refs.get(check.deployment, f"check-{len(self.refs) + 1}")

    def show_deployment(self, shown: ShownDeployment, ref: str | None) -> str | None:
        self._answer("POST deployments")
        known = self.shown_refs.get(shown.deployment)
        assert ref in {None, known}, "the pipeline made up a reference"
        if known is None and shown.state is ShownState.INACTIVE:
            return None
        if self.deployments().get(shown.deployment) != shown:
            self.shown.append(shown)
        return self.shown_refs.setdefault(shown.deployment, f"{len(self.shown_refs) + 1}")

    def remove_environment(
        self, repository: Repository, environment: str, refs: Sequence[str]
    ) -> None:
        self._answer("DELETE environments")
        assert repository.name
        for key, ref in list(self.shown_refs.items()):
            if ref in refs:
                assert self.deployments()[key].state is not ShownState.SUCCESS
                del self.shown_refs[key]
        self.removed_environments.append(environment)

    def comment(self, comment: StickyComment, ref: str | None) -> str:
        self._answer("POST comments")
        mine = [
            key
            for key, other in self.comments.items()
            if (other.repository.id, other.pull, other.marker)
            == (comment.repository.id, comment.pull, comment.marker)
        ]
        key = next(iter(mine), f"{len(self.comments) + 1}")
        assert ref in {None, key} or ref not in self.comments, "the pipeline made up a reference"
        self.comments[key] = comment
        self.comment_writes += 1
        return key

    def react(self, repository: Repository, comment: CommentId, reaction: Reaction) -> None:  # noqa: ARG002 - ids are ours
        self._answer(f"POST comments/{comment}/reactions")
        mine = self.reactions.setdefault(comment, [])
        mine += [] if reaction in mine else [reaction]

    def tell(self, notice: Notice) -> None:
        self._answer("POST dispatches")
        self.told.append(notice)

    def git_credential(self, repository: Repository) -> str | None:  # noqa: ARG002 - the port's
        return None

    def pull(self, repository: Repository, number: PullNumber) -> PullRequest | None:
        self._answer(f"GET pulls/{number}")
        return self.pulls.get((repository.id, number))

    def open_pulls(self, repository: Repository) -> list[PullRequest]:
        self._answer("GET pulls")
        mine = [pull for (owner, _), pull in self.pulls.items() if owner == repository.id]
        return [pull for pull in mine if pull.is_open]

    def reaches(self, repository: Repository) -> bool:
        self._answer(f"GET repos/{repository.name}")
        return repository.id not in self.taken_away

    def permission(self, repository: Repository, login: Login) -> Permission:  # noqa: ARG002 - one suffices
        self._answer(f"GET collaborators/{login}/permission")
        return self.roles.get(login, Permission.READ)

    def of(self, deployment: DeploymentId) -> list[Check]:
        """Return the states of one check, in order."""
        return [check for check in self.history if check.deployment == deployment]

    def latest(self) -> dict[DeploymentId, Check]:
        """Return every check as it stands now."""
        return {check.deployment: check for check in self.history}

    def deployments(self) -> dict[DeploymentId, ShownDeployment]:
        """Return everything among the deployments as it stands now."""
        return {
            shown.deployment: shown for shown in self.shown if shown.deployment in self.shown_refs
        }

    def _answer(self, request: str) -> None:
        if self.refusal is not None:
            raise self.refusal
        if self.refuses is not None and request.startswith(self.refuses):
            raise ForgeRefused(request, status=403, message="Forbidden; it needs metadata: read")
        if self.away_for > 0:
            self.away_for -= 1
            raise ForgeUnavailable(request, "502 Bad Gateway")


class StatusForge(FakeForge):
    """One that has commit statuses: each word is a thing of its own, with its own id."""

    @override
    def _ref_of(self, check: Check) -> str:
        return f"status-{len(self.history)}"
