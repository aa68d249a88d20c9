"""Values and words that the tests of the forge share."""

from bot.core.model.checks import Check, CheckStatus, Conclusion
from bot.core.model.ids import Branch, CommitSha, DeploymentId, RepoName, Repository, RepositoryId
from bot.core.model.outcomes import Annotation
from tests.fakes.github.repository import FakeRepository
from tests.fakes.github.server import FakeGitHub

CREATE = r"/check-runs$"
UPDATE = r"/check-runs/\d+$"
LOOKUP = r"/commits/[0-9a-f]+/check-runs$"
PAGE = "http://127.0.0.1:8080/deployments/rn3mjpwsw24d"


def known(repository: FakeRepository, installation: int | None = None) -> Repository:
    return Repository(
        id=RepositoryId(repository.id),
        name=RepoName(repository.full_name),
        default_branch=Branch(repository.default_branch),
        installation=installation,
    )


def check(ours: Repository, head: str, **changes: object) -> Check:
    fields: dict[str, object] = {
        "deployment": DeploymentId("rn3mjpwsw24d"),
        "repository": ours,
        "head": CommitSha(head),
        "name": "preview",
        "status": CheckStatus.QUEUED,
        "title": "Waiting for its turn",
        "summary": "Soon.",
        "details_url": PAGE,
    }
    return Check(**fields | changes)  # type: ignore[arg-type] # changes are the fields' own types


def live(ours: Repository, head: str, **changes: object) -> Check:
    ended: dict[str, object] = {
        "status": CheckStatus.COMPLETED,
        "conclusion": Conclusion.SUCCESS,
        "title": "Live",
        "summary": "https://hello--main.example.dev",
    }
    return check(ours, head, **ended | changes)


def notes(count: int) -> tuple[Annotation, ...]:
    return tuple(
        Annotation(path="main.ts", line=number, message=f"wrong {number}")
        for number in range(1, count + 1)
    )


def calls(gh: FakeGitHub) -> list[str]:
    """Return the requests that concern checks: method and last words of the path."""
    paths = [(seen.method, seen.path.split("/"), seen.status) for seen in gh.requests]
    return [
        f"{method} {'lookup' if 'commits' in path else 'run'} {status}"
        for method, path, status in paths
        if "check-runs" in path
    ]


def minted(gh: FakeGitHub) -> int:
    """Return how many tokens were asked for."""
    return sum(seen.path.endswith("/access_tokens") for seen in gh.requests)
