"""Configuration, variables and production: signed webhooks in; checks and served pages out."""

import json
from collections.abc import Iterator, Mapping

import httpx
import pytest

from bot.bootstrap.variables import open_safe
from bot.core.model.environment import Context
from bot.core.model.variables import Scope
from tests.e2e.apps import greets
from tests.e2e.github_world import GitHubWorld, as_app
from tests.fakes.github.entities import CheckRun
from tests.fakes.github.repository import FakeRepository

CONFIG = ".github/previewbot.yml"
SECRET = "correct horse battery staple"

SAYS_ENV = {
    "main.ts": "Deno.serve({ onListen: () => {} }, () => Response.json(Deno.env.toObject()));\n"
}

# Counts at its own path: a probe that asks whether it answers is no visit.
COUNTS = {
    "main.ts": """\
const kv = await Deno.openKv();
Deno.serve({ onListen: () => {} }, async (request) => {
  if (new URL(request.url).pathname !== "/count") return new Response("");
  const { value } = await kv.get(["visits"]);
  await kv.set(["visits"], (value ?? 0) + 1);
  return new Response(String(value ?? 0));
});
"""
}

TWO_APPS = """\
apps:
  - {name: web, root: web}
  - {name: docs, root: docs, paths: [docs]}
"""

# Says all it knows while it is started, and then does not start.
DIES_TALKING = {"main.ts": "throw new Error(JSON.stringify(Deno.env.toObject()));\n"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitHubWorld]:
    with as_app(tmp_path_factory.mktemp("app")) as world:
        yield world


def keep(world: GitHubWorld, repository: str, kept: Mapping[tuple[Context, str], str]) -> None:
    with open_safe(world.installation.settings(), repository) as safe:
        for (context, key), value in kept.items():
            safe.variables.put(safe.repository, Scope(context=context), key, value)


def check(world: GitHubWorld, repository: FakeRepository, sha: str, name: str) -> CheckRun:
    return world.gh.wait_for_check(repository, sha, name=name, timeout=60)


def url(world: GitHubWorld, label: str) -> str:
    return world.installation.address["previews_url"].replace("*", label)


def seen_at(world: GitHubWorld, label: str) -> dict[str, str]:
    page = world.get(url(world, label))
    assert page.status == httpx.codes.OK, page.body
    seen: dict[str, str] = json.loads(page.body)
    return {key: seen[key] for key in ("STAGE", "ONLY_PREVIEW", "ONLY_PRODUCTION") if key in seen}


def test_an_app_that_is_promoted_sees_productions_values_only(world: GitHubWorld) -> None:
    repository = world.gh.add_repository("octo/stages")
    world.gh.give_role(repository, "max", "maintain")
    first = world.push(repository, {**SAYS_ENV, CONFIG: "production: true\n"})
    check(world, repository, first, "production/stages")
    keep(
        world,
        "octo/stages",
        {
            (Context.PREVIEW, "STAGE"): "preview",
            (Context.PREVIEW, "ONLY_PREVIEW"): SECRET,
            (Context.PRODUCTION, "STAGE"): "production",
            (Context.PRODUCTION, "ONLY_PRODUCTION"): "1",
        },
    )
    files = {**SAYS_ENV, CONFIG: "production: true\n", "new.ts": "// new\n"}
    sha = world.push(repository, files, branch="dev")
    previewed = check(world, repository, sha, "preview/stages")
    assert previewed.conclusion == "success", previewed.summary
    pull = world.gh.open_pull(repository, "dev")
    world.deliver(world.gh.pull_payload(pull, "opened"), event="pull_request")
    assert seen_at(world, "stages--dev") == {"STAGE": "preview", "ONLY_PREVIEW": SECRET}

    comment = world.gh.comment(pull, "max", "/preview promote")
    world.deliver(world.gh.comment_payload(pull, comment), event="issue_comment")
    promoted = check(world, repository, sha, "production/stages")

    page = world.get(url(world, "stages"))
    assert promoted.conclusion == "success", promoted.summary
    assert page.headers["x-preview-sha"] == sha
    assert seen_at(world, "stages") == {"STAGE": "production", "ONLY_PRODUCTION": "1"}
    assert SECRET not in page.body.decode()


def test_production_that_goes_back_sees_productions_values_only(world: GitHubWorld) -> None:
    repository = world.gh.add_repository("octo/back")
    world.gh.give_role(repository, "max", "maintain")
    files = {**SAYS_ENV, CONFIG: "production: true\n"}
    check(world, repository, world.push(repository, files), "production/back")
    keep(
        world,
        "octo/back",
        {
            (Context.PREVIEW, "STAGE"): "preview",
            (Context.PREVIEW, "ONLY_PREVIEW"): SECRET,
            (Context.PRODUCTION, "STAGE"): "production",
        },
    )
    good = world.push(repository, {**files, "new.ts": "// good\n"})
    check(world, repository, good, "production/back")
    keep(world, "octo/back", {(Context.PRODUCTION, "STAGE"): "broken"})
    bad = world.push(repository, {**files, "new.ts": "// bad\n"})
    left = check(world, repository, bad, "production/back")
    assert seen_at(world, "back") == {"STAGE": "broken"}

    world.deliver(world.gh.button_payload(repository, left, "rollback", "max"), event="check_run")
    page = world.until_serves(url(world, "back"), good)

    assert page.status == httpx.codes.OK
    assert seen_at(world, "back") == {"STAGE": "production"}
    assert seen_at(world, "back--main") == {"STAGE": "preview", "ONLY_PREVIEW": SECRET}


def test_a_preview_keeps_its_database_over_pushes_and_no_other_has_it(world: GitHubWorld) -> None:
    repository = world.gh.add_repository("octo/counter")
    files = {**COUNTS, CONFIG: "database: true\n"}
    world.checked(repository, world.push(repository, files))
    assert [world.get(url(world, "counter--main"), "/count").body for _ in range(2)] == [
        b"0",
        b"1",
    ]
    world.checked(repository, world.push(repository, files, branch="dev"))

    world.checked(repository, world.push(repository, {"new.ts": "// new\n"}))

    assert world.get(url(world, "counter--main"), "/count").body == b"2"
    assert world.get(url(world, "counter--dev"), "/count").body == b"0"


def test_a_wrong_file_is_annotated_at_its_lines(world: GitHubWorld) -> None:
    repository = world.gh.add_repository("octo/wrong")

    sha = world.push(repository, {**greets("x"), CONFIG: "\nrots: x\nspa: yes\n"})

    run = world.checked(repository, sha)
    assert run.conclusion == "failure"
    assert [(each["path"], each["start_line"]) for each in run.annotations] == [
        (CONFIG, 2),
        (CONFIG, 3),
    ]


def test_each_app_of_a_repository_has_its_check_and_page(world: GitHubWorld) -> None:
    repository = world.gh.add_repository("octo/mono")
    files = {f"web/{path}": text for path, text in greets("web").items()}
    sha = world.push(repository, {**files, "docs/index.html": "docs", CONFIG: TWO_APPS})
    for name in ("preview/mono-web", "preview/mono-docs"):
        assert check(world, repository, sha, name).conclusion == "success"

    later = world.push(repository, {"web/more.ts": "// more\n"})

    assert check(world, repository, later, "preview/mono-web").conclusion == "success"
    skipped = check(world, repository, later, "preview/mono-docs")
    assert skipped.conclusion == "skipped"
    assert "web/more.ts" in (skipped.summary or "")
    assert world.get(url(world, "mono-web--main")).body == b"web\n"
    assert world.get(url(world, "mono-docs--main")).body == b"docs"


def test_an_unchanged_app_is_live_at_once_and_says_so(world: GitHubWorld) -> None:
    repository = world.gh.add_repository("octo/same")
    files = {f"app/{path}": text for path, text in greets("same").items()}
    first = world.push(repository, {**files, CONFIG: "root: app\n"})
    world.checked(repository, first)

    second = world.push(repository, {"README.md": "# Words\n"})

    run = world.checked(repository, second)
    assert run.title == f"Live: unchanged since {first[:7]}, so nothing was built"
    assert world.get(world.url_in(run)).headers["x-preview-sha"] == second


def test_a_value_that_an_app_shouts_at_its_start_stays_in_no_check(world: GitHubWorld) -> None:
    repository = world.gh.add_repository("octo/loud")
    world.checked(repository, world.push(repository))
    keep(world, "octo/loud", {(Context.PREVIEW, "TOKEN"): SECRET})

    sha = world.push(repository, DIES_TALKING)

    run = world.checked(repository, sha)
    shown = world.installation.story
    with world.installation.reader() as reader:
        attempt = next(each for each in reader.store.recent(50) if each.head == sha)
        log = [line.message for line in reader.store.log(attempt.id)]
        told = shown(reader)
    assert run.conclusion == "failure"
    assert any("[redacted]" in line for line in log)
    everywhere = repr([run, log, told, world.gh.requests, world.installation.logs()])
    assert SECRET not in everywhere
