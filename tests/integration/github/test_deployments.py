"""GitHub's Deployments by an App, over real HTTP: they appear, once each, within the limits."""

import pytest

from bot.adapters.github.forge import GitHubForge, token_forge
from bot.core.model.errors import ForgeRefused
from bot.core.model.ids import Branch, CommitSha, DeploymentId, Repository
from bot.core.model.surfaces import ShownDeployment, ShownState
from tests.fakes.clock import FakeClock
from tests.fakes.github.repository import FakeRepository
from tests.fakes.github.server import FakeGitHub
from tests.integration.github.values import PAGE, known

CREATE = r"/deployments$"
STATUS = r"/deployments/\d+/statuses$"
URL = "https://hello--feature.example.dev"


def shown(ours: Repository, head: str, **changes: object) -> ShownDeployment:
    fields: dict[str, object] = {
        "deployment": DeploymentId("rn3mjpwsw24d"),
        "repository": ours,
        "ref": Branch("feature"),
        "head": CommitSha(head),
        "app": "hello",
        "environment": "preview",
        "production": False,
        "state": ShownState.IN_PROGRESS,
        "description": "Deploying",
        "environment_url": None,
        "log_url": PAGE,
    }
    return ShownDeployment(**fields | changes)  # type: ignore[arg-type] # the fields' own types


@pytest.fixture
def feature(repository: FakeRepository, head: str) -> str:
    """Return a commit on a branch, while the default branch has one that it lacks."""
    made = repository.commit({"a.txt": "a"}, branch="feature", parent=head)
    repository.commit({"b.txt": "b"})
    return made


def test_a_deployment_appears_though_the_default_branch_is_ahead_and_a_check_failed(
    gh: FakeGitHub,
    forge: GitHubForge,
    repository: FakeRepository,
    ours: Repository,
    feature: str,
) -> None:
    token = gh.add_personal_token("ada", {repository.full_name: "write"})
    requester = token_forge(token, clock=FakeClock(), api_url=gh.api_url)
    client = requester._access.client(ours)
    client.get_repo(repository.full_name).get_commit(feature).create_status("failure")

    forge.show_deployment(
        shown(ours, feature, state=ShownState.SUCCESS, environment_url=URL), None
    )

    [deployment] = gh.deployments(repository)
    assert (deployment.ref, deployment.sha, deployment.environment) == (
        "feature",
        feature,
        "preview",
    )
    assert (deployment.transient, deployment.production) == (True, False)
    assert deployment.payload == {"previewbot": "rn3mjpwsw24d", "sha": feature, "app": "hello"}
    [status] = deployment.statuses
    assert (status.state, status.environment_url, status.log_url) == ("success", URL, PAGE)


def test_the_payload_tells_the_commit_when_the_branch_has_moved_on(
    gh: FakeGitHub,
    forge: GitHubForge,
    repository: FakeRepository,
    ours: Repository,
    feature: str,
) -> None:
    newer = repository.commit({"a.txt": "newer"}, branch="feature")

    forge.show_deployment(shown(ours, feature), None)

    [deployment] = gh.deployments(repository)
    assert (deployment.sha, deployment.payload["sha"]) == (newer, feature)


@pytest.mark.parametrize("stored", [True, False])
@pytest.mark.parametrize("path", [CREATE, STATUS])
def test_an_answer_that_is_lost_makes_no_second_one(
    gh: FakeGitHub,
    forge: GitHubForge,
    repository: FakeRepository,
    ours: Repository,
    feature: str,
    path: str,
    *,
    stored: bool,
) -> None:
    gh.fail_next("POST", path, stored=stored)

    forge.show_deployment(shown(ours, feature), None)
    forge.show_deployment(shown(ours, feature), None)

    [deployment] = gh.deployments(repository)
    assert [status.state for status in deployment.statuses] == ["in_progress"]


def test_the_older_ones_are_left_as_they_are(
    gh: FakeGitHub,
    forge: GitHubForge,
    repository: FakeRepository,
    ours: Repository,
    feature: str,
) -> None:
    forge.show_deployment(shown(ours, feature, state=ShownState.SUCCESS), None)
    another = DeploymentId("second000000")

    forge.show_deployment(shown(ours, feature, deployment=another, state=ShownState.SUCCESS), None)

    states = [d.statuses[-1].state for d in gh.deployments(repository)]
    assert states == ["success", "success"]


def test_a_payload_that_came_back_as_text_is_recognised(
    gh: FakeGitHub,
    forge: GitHubForge,
    repository: FakeRepository,
    ours: Repository,
    feature: str,
) -> None:
    ref = forge.show_deployment(shown(ours, feature), None)
    [deployment] = gh.deployments(repository)
    deployment.payload = '{"previewbot": "rn3mjpwsw24d"}'

    assert forge.show_deployment(shown(ours, feature), None) == ref


def test_payloads_of_others_are_no_trouble(
    gh: FakeGitHub,
    forge: GitHubForge,
    repository: FakeRepository,
    ours: Repository,
    feature: str,
) -> None:
    for number, payload in enumerate(["", "not json", '["a"]', {"previewbot": ["x"]}]):
        forge.show_deployment(
            shown(ours, feature, deployment=DeploymentId(f"other{number:07}")), None
        )
        gh.deployments(repository)[-1].payload = payload

    forge.show_deployment(shown(ours, feature), None)

    assert len(gh.deployments(repository)) == 5


def test_a_long_description_is_cut_to_what_github_takes(
    gh: FakeGitHub,
    forge: GitHubForge,
    repository: FakeRepository,
    ours: Repository,
    feature: str,
) -> None:
    forge.show_deployment(shown(ours, feature, description="🦕" * 500), None)

    [deployment] = gh.deployments(repository)
    assert len(deployment.statuses[-1].description) == 140


def test_a_branch_that_is_gone_is_a_refusal_that_names_it(
    forge: GitHubForge, ours: Repository, feature: str
) -> None:
    with pytest.raises(ForgeRefused, match="No ref found for: gone"):
        forge.show_deployment(shown(ours, feature, ref=Branch("gone")), None)


def test_an_environment_may_be_deleted_with_one_right_more_only(
    forge: GitHubForge, ours: Repository, feature: str
) -> None:
    ref = forge.show_deployment(shown(ours, feature), None)

    with pytest.raises(ForgeRefused, match="administration: write"):
        forge.remove_environment(ours, "preview", [ref or ""])


def test_a_person_may_write_deployments_too(
    gh: FakeGitHub, repository: FakeRepository, feature: str
) -> None:
    token = gh.add_personal_token("ada", {repository.full_name: "write"})
    forge = token_forge(token, clock=FakeClock(), api_url=gh.api_url)

    forge.show_deployment(shown(known(repository), feature), None)

    assert [d.creator for d in gh.deployments(repository)] == ["ada"]
