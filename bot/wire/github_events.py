"""GitHub's webhook payloads besides `push` and `ping`, the parts that we read.

Source: https://docs.github.com/en/webhooks/webhook-events-and-payloads, pinned by
`tests/data/github`. The name of an event is outside the signature, so each model asks for what
its own kind has and no other.
"""

from pydantic import AliasPath, Field, model_validator

from bot.wire.github import GitHubId, InstallationPart, Payload, RepositoryPart, SenderPart


class UserPart(Payload):
    """An account; GitHub's `ghost`, who stands for deleted ones, may be null instead."""

    login: str
    type: str


class HeadRepositoryPart(Payload):
    """`pull_request.head.repo`."""

    id: GitHubId


class HeadPart(Payload):
    """`pull_request.head`: the branch that wants in; its repository may be gone."""

    ref: str
    sha: str
    repo: HeadRepositoryPart | None


class BasePart(Payload):
    """`pull_request.base`: the branch that it wants into."""

    ref: str


class LabelPart(Payload):
    """A label."""

    name: str


class PullRequestPart(Payload):
    """A pull request, as in events and as GET /repos/{owner}/{repo}/pulls/{number} answers it."""

    number: GitHubId
    state: str
    user: UserPart | None
    head: HeadPart
    base: BasePart
    merged_at: str | None
    draft: bool = False
    labels: list[LabelPart] = Field(default_factory=list)


class OfRepository(Payload):
    """What events about one repository have in common."""

    repository: RepositoryPart
    sender: SenderPart
    installation: InstallationPart | None = None


class PullRequestPayload(OfRepository):
    """The `pull_request` event. `number` tells it from reviews, which have none."""

    action: str
    number: GitHubId
    pull_request: PullRequestPart
    label: LabelPart | None = None  # which one came or went
    # What it wanted to get into before; None unless that was edited.
    former_base: str | None = Field(
        default=None, validation_alias=AliasPath("changes", "base", "ref", "from")
    )


class CommentPart(Payload):
    """`comment` of an issue."""

    id: GitHubId
    body: str
    user: UserPart | None


class IssuePart(Payload):
    """`issue`; `pull_request` is there when it is one."""

    number: GitHubId
    pull_request: dict[str, object] | None = None


class IssueCommentPayload(OfRepository):
    """The `issue_comment` event, which pull requests have too."""

    action: str
    issue: IssuePart
    comment: CommentPart


class CheckRunPart(Payload):
    """`check_run`."""

    id: GitHubId
    head_sha: str
    external_id: str | None


class ActionPart(Payload):
    """`requested_action`: which button it was, by the identifier that we gave it."""

    identifier: str


class CheckRunPayload(OfRepository):
    """The `check_run` event; only the owning App gets the two that we read."""

    action: str
    check_run: CheckRunPart
    requested_action: ActionPart | None = None
    deployment_status: None = None  # whose events carry a check run as well


class CheckSuitePart(Payload):
    """`check_suite`."""

    head_sha: str


class CheckSuitePayload(OfRepository):
    """The `check_suite` event."""

    action: str
    check_suite: CheckSuitePart


class RefPayload(OfRepository):
    """What `create` and `delete` have in common; `pusher_type` tells them from the rest."""

    ref: str
    ref_type: str
    pusher_type: str


class CreatePayload(RefPayload):
    """The `create` event: a branch or tag was made."""

    master_branch: str


class DeletePayload(RefPayload):
    """The `delete` event: a branch or tag is gone. Only `create` tells the default branch."""

    master_branch: None = None


# Of the `repository` event. Many others have an action "deleted" and a repository too.
_REPOSITORY_KEYS = frozenset(
    {"action", "repository", "sender", "changes", "organization", "installation", "enterprise"}
)


class RepositoryPayload(OfRepository):
    """The `repository` event."""

    action: str

    @model_validator(mode="before")
    @classmethod
    def _no_other_kind(cls, payload: object) -> object:
        """Refuse what is about a thing of the repository and not about itself."""
        if isinstance(payload, dict) and (others := payload.keys() - _REPOSITORY_KEYS):
            msg = f"{min(map(str, others))} is no part of a repository event"
            raise ValueError(msg)
        return payload


class AccountPart(Payload):
    """`installation.account`."""

    login: str


class InstalledPart(Payload):
    """`installation` in events that are about it; in others it has no account."""

    id: GitHubId
    account: AccountPart


class InstalledRepositoryPart(Payload):
    """A repository of an installation."""

    id: GitHubId
    full_name: str


class InstallationPayload(Payload):
    """The `installation` event."""

    action: str
    installation: InstalledPart
    sender: SenderPart
    repositories_removed: None = None  # of `installation_repositories`


class InstallationRepositoriesPayload(Payload):
    """The `installation_repositories` event."""

    action: str
    installation: InstalledPart
    sender: SenderPart
    repositories_added: list[InstalledRepositoryPart]
    repositories_removed: list[InstalledRepositoryPart]
