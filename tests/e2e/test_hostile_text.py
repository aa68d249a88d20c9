"""One set of hostile strings through check, page, log and terminal: shown, and never obeyed."""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.core.model.preview import Deployment, DeploymentState
from bot.kernel.paths import path_problem
from tests.e2e import apps
from tests.e2e.github_world import GitHubWorld, as_app
from tests.e2e.harmless import (
    LOUD,
    SHORT,
    assert_fit_for_a_terminal,
    assert_markdown_is_harmless,
    assert_page_is_harmless,
    assert_plain_text_is_harmless,
)
from tests.e2e.local_world import LocalWorld, local_world, new_branch
from tests.fakes.github.entities import CheckRun
from tests.fakes.github.repository import Entry


def fits_a_tree(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return path_problem(text) is None and "\0" not in text


def as_branch(text: str) -> str:
    """Return the nearest name that git lets a branch have."""
    word = re.sub(r"[\x00-\x20\x7f~^:?*\[\\\ud800-\udfff]|\.\.|@\{|//+", "-", text)
    return f"h/{word.strip('/.')[:180]}"


PATHS = sorted({text.replace("/", "_") for text in SHORT if fits_a_tree(text.replace("/", "_"))})
BRANCHES = sorted({as_branch(text) for text in SHORT})

LINK = "".join(PATHS)[:200]


# --- the same commits, locally and on GitHub -----------------------------------------------


@dataclass
class Ended:
    """Everything hostile that was deployed, and how it ended."""

    world: LocalWorld
    loud: Deployment
    paths: Deployment
    link: Deployment
    branches: list[Deployment]

    def all(self) -> list[Deployment]:
        return [self.loud, self.paths, self.link, *self.branches]


def commits() -> dict[str, dict[str, str | Entry]]:
    """Return branch -> files."""
    app = apps.greets("hello")
    submodules = {path: Entry(kind="submodule", content="5" * 40) for path in PATHS}
    return {
        "loud": {**app, "main.ts": LOUD},
        "paths": {**app, **submodules},
        "link": {**app, LINK: Entry(kind="symlink", content=f"/{LINK}")},
    }


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ended]:
    with local_world(tmp_path_factory.mktemp("local")) as world:
        made = {branch: world.commit(branch, files) for branch, files in commits().items()}
        made |= {branch: world.commit(branch) for branch in BRANCHES}
        world.push(*made)
        over = {branch: world.ended(branch, sha) for branch, sha in made.items()}
        branches = [over[branch] for branch in BRANCHES]
        yield Ended(world, over["loud"], over["paths"], over["link"], branches)


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitHubWorld]:
    with as_app(tmp_path_factory.mktemp("hub")) as world:
        yield world


@pytest.fixture(scope="module")
def runs(hub: GitHubWorld) -> dict[str, CheckRun]:
    """Return the check runs of the same commits, by branch."""
    repository = hub.gh.add_repository("octo/hostile")
    heads = {
        branch: hub.push(repository, files, branch=branch) for branch, files in commits().items()
    }
    heads |= {branch: hub.push(repository, branch=branch) for branch in BRANCHES[:2]}
    return {branch: hub.checked(repository, sha) for branch, sha in heads.items()}


def test_the_hostile_commits_ended_as_they_should(ended: Ended) -> None:
    assert len(BRANCHES) > 10
    assert len(PATHS) > 5
    assert ended.loud.state is DeploymentState.FAILED
    assert ended.link.state is DeploymentState.FAILED
    assert {one.state for one in (ended.paths, *ended.branches)} == {DeploymentState.LIVE}


def test_checks_on_the_shelf_are_harmless(ended: Ended) -> None:
    host = ended.world.installation.address["previews_url"].rsplit(":", 1)[-1]
    for deployment in ended.all():
        check = ended.world.check(deployment.id)

        assert_plain_text_is_harmless(check.title)
        assert_markdown_is_harmless(check.summary, host)
        for note in check.annotations:
            assert_plain_text_is_harmless(note.message)


def test_check_runs_at_github_are_harmless(hub: GitHubWorld, runs: dict[str, CheckRun]) -> None:
    host = hub.installation.address["previews_url"].rsplit(":", 1)[-1]
    for run in runs.values():
        assert_plain_text_is_harmless(run.title or "")
        assert_markdown_is_harmless(run.summary or "", host)
        for note in run.annotations:
            assert_plain_text_is_harmless(str(note["message"]))


def test_the_check_still_shows_what_the_app_said(runs: dict[str, CheckRun]) -> None:
    assert "access // if admin" in (runs["loud"].summary or "")
    assert {note["annotation_level"] for note in runs["paths"].annotations} == {"warning"}
    assert len(runs["paths"].annotations) == len(PATHS)


def test_pages_are_harmless(ended: Ended) -> None:
    world = ended.world
    address = world.installation.address
    for path in ("/", *(f"/deployments/{deployment.id}" for deployment in ended.all())):
        page = world.get(address["dashboard_url"], path)

        assert page.status == 200
        assert "script-src" not in page.headers["content-security-policy"]
        assert_page_is_harmless(page.body.decode(), address["previews_url"])


def test_log_files_are_harmless(ended: Ended, hub: GitHubWorld, runs: dict[str, CheckRun]) -> None:
    assert runs
    for installation in (ended.world.installation, hub.installation):
        for file in (installation.data_dir / "logs").glob("*.log"):
            text = file.read_text()
            assert_fit_for_a_terminal(text)


def test_the_terminal_gets_letters_only(ended: Ended) -> None:
    world = ended.world

    shown = [
        world.command("previews", "show", one.id)
        for one in (ended.loud, ended.paths, ended.link, *ended.branches[:2])
    ]
    listed = world.command("previews", "list")

    for text in (listed, *shown):
        assert_fit_for_a_terminal(text)
    assert "if admin" in shown[0]


@pytest.mark.parametrize("folder", ["heads", "elsewhere"])
def test_an_explanation_gets_letters_only(ended: Ended, folder: str) -> None:
    world = ended.world
    guid = f"hostile-{folder}"
    words = "".join(char for char in "".join(SHORT) if char >= " " and char != "\x7f")
    ref = f"refs/{folder}/{words.encode(errors='replace').decode()[:400]}"
    payload = world.payload("main", *new_branch("1" * 40)) | {"ref": ref}

    world.deliver(payload, x_github_delivery=guid)

    assert world.decided(guid) in {"stale-push", "event-not-handled"}
    explained = world.command("explain", guid)
    assert "octocat" in explained
    assert_fit_for_a_terminal(explained)


def test_what_git_prints_to_the_pusher_gets_letters_only(ended: Ended, tmp_path: Path) -> None:
    world = ended.world
    world.commit(BRANCHES[0], apps.changed_greeting("once more"))

    ref = f"refs/heads/{BRANCHES[0]}"
    done = subprocess.run(
        ["git", "--git-dir", world.clone.path, "push", world.local.path, f"{ref}:{ref}"],
        capture_output=True,
        check=True,
        cwd=tmp_path,
    )

    said = [line for line in done.stderr.decode().splitlines() if line.startswith("remote:")]
    assert any("previewbot: accepted" in line for line in said)
    assert_fit_for_a_terminal("\n".join(said))
