"""Two platforms at a time: our own, and a stranger's that the operator has named."""

from collections.abc import Iterator

import pytest

from tests.e2e.apps import greets
from tests.e2e.github_world import GitHubWorld, as_app
from tests.e2e.patience import until
from tests.fakes.subhosting.platform import ORGANIZATION, TOKEN
from tests.fakes.subhosting.server import FakeServer, serving

CONFIG = ".github/previewbot.yml"
TWO_APPS = """\
apps:
  - {name: web, root: web}
  - {name: docs, root: docs, target: partner}
"""


@pytest.fixture(scope="module")
def partner() -> Iterator[FakeServer]:
    with serving(extensions=False) as server:
        yield server


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, partner: FakeServer) -> Iterator[GitHubWorld]:
    settings = {
        "PREVIEWBOT_TARGETS": "partner=subhosting-v1",
        "PREVIEWBOT_TARGET_PARTNER_URL": partner.api_url,
        "PREVIEWBOT_TARGET_PARTNER_TOKEN": TOKEN,
        "PREVIEWBOT_TARGET_PARTNER_ORGANIZATION": ORGANIZATION,
        "PREVIEWBOT_TARGET_PARTNER_PREVIEWS_URL": partner.previews_url,
    }
    with as_app(tmp_path_factory.mktemp("targets"), **settings) as world:
        yield world


def test_each_app_is_deployed_to_its_target_and_goes_with_its_branch(
    world: GitHubWorld, partner: FakeServer
) -> None:
    repository = world.gh.add_repository("octo/both")
    files = {
        f"{app}/{path}": text for app in ("web", "docs") for path, text in greets(app).items()
    }
    world.push(repository, {**files, CONFIG: TWO_APPS})
    sha = world.push(repository, {**files, CONFIG: TWO_APPS}, branch="dev")

    urls = {}
    for app in ("web", "docs"):
        run = world.gh.wait_for_check(repository, sha, name=f"preview/both-{app}", timeout=60)
        assert run.conclusion == "success", run.summary
        urls[app] = world.url_in(run)

    assert world.get(urls["web"]).body == b"web\n"
    assert urls["docs"] == partner.previews_url.replace("*", "both-docs--dev")
    assert "x-preview-sha" not in world.get(urls["docs"]).headers
    assert len(partner.platform.deployments) == 2

    repository.delete_branch("dev")
    world.deliver(world.gh.push_payload(repository, "dev", sha, None))

    world.until_gone(urls["web"])
    until(lambda: len(partner.platform.deployments) == 1, "the end of the other one")


def test_a_target_that_there_is_not_is_told_at_its_line(world: GitHubWorld) -> None:
    repository = world.gh.add_repository("octo/nowhere")

    sha = world.push(repository, {**greets("x"), CONFIG: "mode: auto\ntarget: parner\n"})

    run = world.checked(repository, sha)
    assert run.conclusion == "failure"
    assert [(each["path"], each["start_line"], each["message"]) for each in run.annotations] == [
        (CONFIG, 2, "target: there is no 'parner'; there is partner; did you mean 'partner'?")
    ]
