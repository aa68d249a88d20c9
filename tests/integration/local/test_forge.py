"""`LocalForge`: checks stand on a shelf."""

from dataclasses import dataclass, field, replace

from bot.adapters.local.forge import LocalForge
from bot.core.model.checks import Check, CheckStatus, Conclusion
from bot.core.model.ids import (
    Branch,
    CommitSha,
    DeploymentId,
    RepoName,
    Repository,
    RepositoryId,
)

REPOSITORY = Repository(id=RepositoryId(1), name=RepoName("a/b"), default_branch=Branch("main"))
CHECK = Check(
    deployment=DeploymentId("d1"),
    repository=REPOSITORY,
    head=CommitSha("1" * 40),
    name="preview/b",
    status=CheckStatus.QUEUED,
    title="waiting",
    summary="",
    details_url=None,
)


@dataclass
class Shelf:
    """A shelf in memory."""

    checks: dict[DeploymentId, Check] = field(default_factory=dict)

    def put(self, check: Check) -> str:
        self.checks[check.deployment] = check
        return f"place of {check.deployment}"

    def of(self, deployment: DeploymentId) -> Check | None:
        return self.checks.get(deployment)


def test_a_check_takes_the_place_of_its_deployments_earlier_one() -> None:
    shelf = Shelf()
    forge = LocalForge(shelf)
    done = replace(CHECK, status=CheckStatus.COMPLETED, conclusion=Conclusion.SUCCESS)

    ref = forge.publish(CHECK, None)
    again = forge.publish(CHECK, None)
    forge.publish(done, ref)

    assert ref == again
    assert shelf.checks == {CHECK.deployment: done}


def test_local_repositories_need_no_password() -> None:
    assert LocalForge(Shelf()).git_credential(REPOSITORY) is None
