"""Pull requests, forks, comments and buttons: GitHub's payloads in; checks and pages out."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from bot.bootstrap.variables import open_safe
from bot.core.model.environment import Context
from bot.core.model.pulls import Permission
from bot.core.model.variables import Scope
from tests.e2e.apps import changed_greeting, greets
from tests.e2e.github_world import GitHubWorld, as_app
from tests.fakes.github.documents import examples
from tests.fakes.github.entities import CheckRun, Comment
from tests.fakes.github.pulls import FakePull
from tests.fakes.github.repository import Entry, FakeRepository
from tests.fakes.lfs import pointer
from tests.pipeline.fork_matrix import GREEDY_CONFIG, SECRET, Case, Extra, Moved, Who

LABEL = examples()["pull_request"][8]["label"] | {"name": "preview"}

# Says all that it can see of its environment.
TELLS_ITS_ENVIRONMENT = {
    "main.ts": (
        "Deno.serve({ onListen: () => {} }, () => {\n"
        "  try { return Response.json(Deno.env.toObject()); }\n"
        "  catch { return Response.json({ denied: 'true' }); }\n"
        "});\n"
    )
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitHubWorld]:
    with as_app(tmp_path_factory.mktemp("app")) as world:
        yield world


def told(world: GitHubWorld, pull: FakePull, action: str, **extra: Any) -> None:  # noqa: ANN401 - JSON
    answer = world.deliver(world.gh.pull_payload(pull, action, **extra), event="pull_request")
    assert answer.status_code == httpx.codes.ACCEPTED, answer.text


def says(world: GitHubWorld, pull: FakePull, who: str, text: str) -> Comment:
    comment = world.gh.comment(pull, who, text)
    answer = world.deliver(world.gh.comment_payload(pull, comment), event="issue_comment")
    assert answer.status_code == httpx.codes.ACCEPTED, answer.text
    return comment


def concluded(
    world: GitHubWorld, repository: FakeRepository, sha: str, conclusion: str
) -> CheckRun:
    def found() -> CheckRun | None:
        runs = world.gh.checks(repository, sha)
        return next((run for run in runs if run.conclusion == conclusion), None)

    return world.gh.wait_for(found, f"a check on {sha} that ended in {conclusion}", timeout=60)


def reacted(world: GitHubWorld, comment: Comment, *contents: str) -> None:
    def found() -> bool | None:
        return [reaction.content for reaction in comment.reactions] == list(contents) or None

    world.gh.wait_for(found, f"the reactions {contents} to {comment.body!r}", timeout=60)


def replied(world: GitHubWorld, repository: FakeRepository, pull: FakePull) -> str:
    """Return what the bot wrote on the pull request, as soon as it did."""

    def found() -> str | None:
        bodies = [comment.body for comment in world.gh.comments(repository, pull.number)]
        return next((body for body in bodies if body.startswith("<!-- previewbot answers")), None)

    return world.gh.wait_for(found, "a reply")


def pull_url(world: GitHubWorld, repository: FakeRepository, number: int) -> str:
    label = f"{repository.name}--pr-{number}"
    return world.installation.address["previews_url"].replace("*", label)


def test_a_pull_request_has_its_own_url_as_long_as_it_is_open(world: GitHubWorld) -> None:
    repository = world.gh.add_repository("octo/pulled")
    world.checked(repository, world.push(repository))
    sha = world.push(repository, greets("from a branch"), branch="dev")
    world.checked(repository, sha)
    pull = world.gh.open_pull(repository, "dev")
    url = pull_url(world, repository, pull.number)

    told(world, pull, "opened")
    shown = world.until_serves(url, sha)
    world.gh.close_pull(pull)
    told(world, pull, "closed")
    world.until_gone(url)

    assert shown.body == b"from a branch\n"
    assert world.get(world.url_in(world.checked(repository, sha))).body == b"from a branch\n"


@pytest.mark.needs_system_part("bubblewrap")
def test_a_fork_runs_once_it_is_approved_and_sees_no_secret(world: GitHubWorld) -> None:
    repository = world.gh.add_repository("octo/forked")
    world.gh.give_role(repository, "max", "maintain")
    world.checked(repository, world.push(repository, TELLS_ITS_ENVIRONMENT))
    with open_safe(world.installation.settings(), "octo/forked") as safe:
        for context in (Context.PREVIEW, Context.PRODUCTION):
            safe.variables.put(safe.repository, Scope(context=context), "TOKEN", SECRET)
    fork = world.gh.fork(repository, "eve")
    sha = fork.commit({**TELLS_ITS_ENVIRONMENT, "new.ts": "// mine\n"})
    pull = world.gh.open_pull(repository, "main", fork=fork, author="eve")

    told(world, pull, "opened")
    waiting = concluded(world, repository, sha, "action_required")
    own = says(world, pull, "eve", f"/preview approve {sha}")
    reacted(world, own, "eyes", "-1")
    comment = says(world, pull, "max", f"/preview approve {sha}")
    live = concluded(world, repository, sha, "success")

    page = world.get(pull_url(world, repository, pull.number))
    seen = json.loads(page.body)
    assert live is waiting
    assert [action["identifier"] for action in live.actions] == ["redeploy", "destroy"]
    assert page.headers["x-preview-sha"] == sha
    assert "TOKEN" not in seen
    assert SECRET not in page.body.decode()
    reacted(world, comment, "eyes", "rocket")
    # The branch of ours does get it, so the absence above means something.
    again = world.push(repository, {"other.ts": "// ours\n"})
    ours = world.get(world.url_in(world.checked(repository, again)))
    assert json.loads(ours.body)["TOKEN"] == SECRET


def row(
    approver: Permission, extra: Extra, *, labeled: bool = False, config: bool = False
) -> Case:
    return Case(
        who=Who.SOMEBODY_ELSE,
        approver=approver,
        author=Permission.READ,
        moved=Moved.NEVER,
        labeled=labeled,
        config=config,
        extra=extra,
    )


@pytest.fixture(scope="module")
def library(world: GitHubWorld) -> FakeRepository:
    """Return a repository that anybody may read, and nobody should without leave."""
    library = world.gh.add_repository("octo/library")
    library.commit({"lib.ts": "// theirs\n"})
    return library


def lying_elsewhere(world: GitHubWorld, library: FakeRepository, extra: Extra) -> dict[str, Any]:
    """Return files that lead to the library, where it would be noticed."""
    match extra:
        case Extra.NOTHING:
            return {}
        case Extra.GITMODULES:
            commit = Entry(kind="submodule", content=library.head("main") or "")
            module = '[submodule "x"]\n\tpath = x\n\turl = ../library\n'
            return {".gitmodules": module, "x": commit}
        case Extra.LFSCONFIG:
            url = f"{world.gh.clone_url(library)}/info/lfs"
            return {
                ".lfsconfig": f"[lfs]\n\turl = {url}\n",
                ".gitattributes": "*.bin filter=lfs\n",
                "a.bin": pointer(b"a file in Git LFS"),
            }


def fetched_elsewhere(world: GitHubWorld) -> list[str]:
    asked = world.gh.store.git_requests
    return [each for each in asked if each.startswith("octo/library/") or "/lfs/" in each]


@pytest.mark.needs_system_part("bubblewrap")
@pytest.mark.parametrize(
    "case",
    [
        row(Permission.MAINTAIN, Extra.NOTHING, labeled=True),
        row(Permission.ADMIN, Extra.NOTHING, config=True),
        row(Permission.MAINTAIN, Extra.GITMODULES),
        row(Permission.ADMIN, Extra.LFSCONFIG),
        row(Permission.MAINTAIN, Extra.GITMODULES, labeled=True, config=True),
        row(Permission.ADMIN, Extra.LFSCONFIG, labeled=True, config=True),
    ],
    ids=["label", "config", "gitmodules", "lfsconfig", "all-gitmodules", "all-lfsconfig"],
)
def test_an_approved_fork_prints_nothing_of_ours_and_brings_nothing_from_elsewhere(
    world: GitHubWorld, library: FakeRepository, case: Case
) -> None:
    assert case.may_run
    before = fetched_elsewhere(world)
    repository = world.gh.add_repository(f"octo/row{len(world.gh.store.repositories)}")
    world.gh.give_role(repository, "max", case.approver.name.lower())
    repository.commit(greets("ours"))
    fork = world.gh.fork(repository, "eve")
    # This bot has no other target, and a name that it does not know is a mistake.
    config = GREEDY_CONFIG.replace(b"target: somewhere-else\n", b"")
    greedy = {".github/previewbot.yml": config} if case.config else {}
    elsewhere = lying_elsewhere(world, library, case.extra)
    sha = fork.commit({**TELLS_ITS_ENVIRONMENT, **greedy, **elsewhere})
    pull = world.gh.open_pull(repository, "main", fork=fork, author="eve")
    told(world, pull, "opened")
    concluded(world, repository, sha, "action_required")
    with open_safe(world.installation.settings(), repository.full_name) as safe:
        for context in Context:
            scope = Scope(context=context, branches="**" if context is Context.BRANCH else None)
            safe.variables.put(safe.repository, scope, f"{context.name}_TOKEN", SECRET)
    if case.labeled:
        pull.labels.append("preview")
        told(world, pull, "labeled", label=LABEL)

    says(world, pull, "max", f"/preview approve {sha}")
    concluded(world, repository, sha, "success")

    page = world.get(pull_url(world, repository, pull.number))
    assert page.headers["x-preview-sha"] == sha
    assert SECRET not in page.body.decode()
    assert [name for name in json.loads(page.body) if name.endswith("_TOKEN")] == []
    assert fetched_elsewhere(world) == before


@pytest.mark.parametrize("extra", [Extra.GITMODULES, Extra.LFSCONFIG])
def test_what_lies_elsewhere_is_fetched_where_the_default_branch_says_so(
    world: GitHubWorld, library: FakeRepository, extra: Extra
) -> None:
    before = len(fetched_elsewhere(world))
    repository = world.gh.add_repository(f"octo/ours{len(world.gh.store.repositories)}")
    allowed = {".github/previewbot.yml": "submodules: true\nlfs: true\n"}

    elsewhere = lying_elsewhere(world, library, extra)
    sha = world.push(repository, {**greets("ours"), **allowed, **elsewhere})

    assert world.checked(repository, sha).conclusion is not None
    assert fetched_elsewhere(world)[before:] != []


def test_a_button_does_what_the_command_does(world: GitHubWorld) -> None:
    repository = world.gh.add_repository("octo/buttons")
    world.gh.give_role(repository, "ada", "write")
    sha = world.push(repository)
    run = world.checked(repository, sha)
    url = world.url_in(run)

    world.deliver(world.gh.button_payload(repository, run, "destroy", "ada"), event="check_run")
    removed = concluded(world, repository, sha, "neutral")
    world.until_gone(url)
    world.deliver(
        world.gh.button_payload(repository, removed, "redeploy", "ada"), event="check_run"
    )
    again = concluded(world, repository, sha, "success")

    assert removed.title == "Removed: ada removed it"
    assert again.title is not None
    assert world.get(url).headers["x-preview-sha"] == sha


def test_a_rollback_serves_the_earlier_page_and_a_stranger_is_refused(world: GitHubWorld) -> None:
    repository = world.gh.add_repository("octo/back")
    world.gh.give_role(repository, "max", "admin")
    first = world.push(repository, greets("first"), branch="dev")
    url = world.url_in(world.checked(repository, first))
    second = world.push(repository, changed_greeting("second"), branch="dev")
    world.checked(repository, second)
    pull = world.gh.open_pull(repository, "dev")
    told(world, pull, "opened")

    refused = says(world, pull, "eve", "/preview rollback")
    reacted(world, refused, "eyes", "-1")
    says(world, pull, "max", "/preview rollback")
    page = world.until_serves(url, first)

    assert page.body == b"first\n"
    assert replied(world, repository, pull).endswith(
        "`/preview rollback`: It needs the maintain role or more, and eve has read."
    )
