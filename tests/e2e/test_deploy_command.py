"""`previewbot deploy`: a directory in, a URL out, on our own platform and on any other."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.core.decide.names import branch_label, slug_candidates
from bot.core.model.ids import AppName, AppSlug, Branch, RepoName, Repository, RepositoryId
from tests.data.hostile import HOSTILE
from tests.e2e import apps
from tests.e2e.action_runner import ROOT, Runner, action
from tests.e2e.deploying import app_in, denos, embedded, foreign, run_deploy
from tests.e2e.harmless import LOUD, assert_fit_for_a_terminal
from tests.e2e.installation import Installation
from tests.fakes.deno.platform import serving_deno
from tests.fakes.subhosting.server import FakeServer, serving
from tests.fakes.target import BREAKS

SHA = "c0ffee" * 6 + "c0ff"

# What some command needs, though this one seldom does.
SELDOM = ("yaml", "bot.core.model.events", "bot.wire.deploy_v2_revisions")

# Prints which heavy modules were imported, after the command's own output.
IMPORTED = f"""
import json, sys
from bot.cli.main import main
code = main(sys.argv[1:])
heavy = {{"dbos", "flask", "sqlalchemy", "git", "github", "alembic", "gunicorn"}}
print(json.dumps(sorted((heavy | set({SELDOM})) & sys.modules.keys())))
sys.exit(code)
"""

# Refuses every package that is not in the lock of the deploy profile.
ONLY_LOCKED = f"""
import re, sys
from importlib.metadata import packages_distributions

lock = open({str(ROOT / "requirements/deploy.txt")!r}).read()
locked = set(re.findall(r"^([A-Za-z0-9._-]+)==", lock, re.M))
names = {{
    name
    for name, owners in packages_distributions().items()
    if any(owner.lower().replace("_", "-") in locked for owner in owners)
}}
allowed = names | sys.stdlib_module_names | {{"bot"}}

class OnlyLocked:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top not in allowed and not top.startswith("_sysconfigdata"):
            raise ModuleNotFoundError(f"{{name}} is not in requirements/deploy.txt", name=name)

sys.meta_path.insert(0, OnlyLocked())
from bot.cli.main import main
code = main(sys.argv[1:])
assert "rich" not in sys.modules
sys.exit(code)
"""


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with Installation(tmp_path_factory.mktemp("deploy") / "data") as installation:
        yield installation


@pytest.fixture(scope="module")
def platform(installation: Installation) -> dict[str, str]:
    """Return the settings for the installation's own platform."""
    return embedded(installation.address)


@pytest.fixture
def stranger() -> Iterator[FakeServer]:
    with serving(extensions=False) as server:
        yield server


@pytest.fixture
def app(tmp_path: Path) -> Path:
    return app_in(tmp_path / "my-app", apps.greets("deployed"))


def test_a_directory_comes_up_at_the_url_on_the_last_line(
    installation: Installation, platform: dict[str, str], app: Path
) -> None:
    words = (str(app), "--branch", "main", "--project", "first")

    ran = run_deploy(*words, "--json", settings=platform)

    assert ran.code == 0, ran.stderr
    assert (ran.result["ok"], ran.result["status"]) == (True, "live")
    assert (ran.result["files_total"], ran.result["files_sent"]) == (5, 5)
    answer = installation.get(ran.result["url"])
    assert (answer.status, answer.body) == (200, b"deployed\n")
    assert answer.headers["x-preview-sha"] == ran.result["sha"]
    assert installation.get(ran.result["deployment_url"]).body == b"deployed\n"


def test_a_folder_of_plain_pages_is_served_as_a_static_site(
    installation: Installation, platform: dict[str, str], tmp_path: Path
) -> None:
    files = {"index.html": "<h1>home</h1>", "docs/index.html": "docs", "a.css": "p {}"}
    folder = app_in(tmp_path / "pages", files)

    ran = run_deploy(str(folder), "--branch", "main", "--json", settings=platform)

    assert ran.code == 0, ran.stderr
    answer = installation.get(ran.result["url"])
    assert (answer.status, answer.body) == (200, b"<h1>home</h1>")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["x-preview-sha"] == ran.result["sha"]


def test_without_json_the_url_is_all_that_is_printed(platform: dict[str, str], app: Path) -> None:
    first = run_deploy(str(app), "--branch", "plain", "--json", settings=platform)

    ran = run_deploy(str(app), "--branch", "plain", settings=platform)

    assert ran.stdout == f"{first.result['url']}\n"


def test_the_same_content_has_the_same_name_and_is_not_sent_again(
    platform: dict[str, str], app: Path
) -> None:
    words = (str(app), "--branch", "again", "--project", "again", "--json")
    first = run_deploy(*words, settings=platform).result

    same = run_deploy(*words, settings=platform).result
    (app / "README.md").write_text("# Changed\n")
    changed = run_deploy(*words, settings=platform).result

    assert (first["files_sent"], same["files_sent"], changed["files_sent"]) == (5, 0, 1)
    assert first["sha"] == same["sha"] != changed["sha"]
    assert first["url"] == same["url"] == changed["url"]


def test_the_commit_is_what_git_says(platform: dict[str, str], app: Path) -> None:
    def git(*words: str) -> str:
        who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
        done = subprocess.run(
            ["git", *who, *words], cwd=app, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    git("init", "--quiet")
    git("add", "--all")
    git("commit", "--quiet", "--message", "Say hello")

    ran = run_deploy(str(app), "--branch", "main", "--json", settings=platform)

    assert ran.result["sha"] == git("rev-parse", "HEAD")


def test_commit_and_project_can_be_named(
    installation: Installation, platform: dict[str, str], app: Path
) -> None:
    ran = run_deploy(
        *(str(app), "--branch", "main", "--sha", SHA, "--project", "chosen", "--json"),
        settings=platform,
    )

    assert ran.result["sha"] == SHA
    assert ran.result["url"] == installation.address["previews_url"].replace("*", "chosen--main")
    assert installation.get(ran.result["url"]).headers["x-preview-sha"] == SHA


def test_in_a_workflow_the_url_is_the_one_that_the_bot_would_choose(
    installation: Installation, platform: dict[str, str], app: Path, tmp_path: Path
) -> None:
    workflow = {
        "GITHUB_REPOSITORY": "Octo/Hello.World",
        "GITHUB_REPOSITORY_ID": "42",
        "GITHUB_SHA": SHA,
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
    }

    ran = run_deploy(str(app), "--branch", "Feature/1", settings={**platform, **workflow})

    repository = Repository(
        id=RepositoryId(42), name=RepoName("Octo/Hello.World"), default_branch=Branch("main")
    )
    slug: AppSlug = slug_candidates(repository, AppName(""))[0]
    label = branch_label(slug, repository, Branch("Feature/1"))
    url = installation.address["previews_url"].replace("*", label)
    assert ran.stdout == f"{url}\n"
    outputs = dict(line.split("=", 1) for line in (tmp_path / "output").read_text().splitlines())
    assert outputs.keys() == {"url", "deployment-id", "status"}
    assert (outputs["url"], outputs["status"]) == (url, "live")
    assert outputs["deployment-id"]
    assert (tmp_path / "summary.md").read_text() == f"**Preview** <{url}>\n"
    assert installation.get(url).headers["x-preview-sha"] == SHA


def test_an_app_that_does_not_build_ends_with_1_and_the_place(
    platform: dict[str, str], app: Path, tmp_path: Path
) -> None:
    (app / "main.ts").write_text("// one\nconst = 1;\n")
    files = {"GITHUB_OUTPUT": str(tmp_path / "out"), "GITHUB_STEP_SUMMARY": str(tmp_path / "sum")}

    ran = run_deploy(str(app), "--branch", "broken", "--json", settings={**platform, **files})

    assert ran.code == 1
    assert (ran.result["ok"], ran.result["status"], ran.result["url"]) == (False, "failed", None)
    assert "main.ts:2: SyntaxError" in ran.result["reason"]
    assert "It exited before serving" in ran.stderr
    assert "status=failed\n" in (tmp_path / "out").read_text()
    assert "main.ts:2" in (tmp_path / "sum").read_text()


def test_what_an_app_says_is_no_command_to_the_runner(
    platform: dict[str, str], app: Path, tmp_path: Path
) -> None:
    (app / "main.ts").write_text(LOUD)
    files = {"GITHUB_OUTPUT": str(tmp_path / "out"), "GITHUB_STEP_SUMMARY": str(tmp_path / "sum")}

    ran = run_deploy(str(app), "--branch", "loud", "--json", settings={**platform, **files})

    assert ran.code == 1
    assert "octocat" in ran.stderr
    assert_fit_for_a_terminal(ran.stdout)
    assert_fit_for_a_terminal(ran.stderr)
    assert len((tmp_path / "out").read_text().splitlines()) == 3


@pytest.mark.parametrize("option", ["--branch", "--project", "--sha", "--entrypoint"])
def test_hostile_words_on_the_command_line_come_out_harmless(
    stranger: FakeServer, app: Path, option: str
) -> None:
    word = "".join(text for text in HOSTILE if 1 < len(text) < 200 and "\0" not in text)
    word = word.encode(errors="replace").decode()

    ran = run_deploy(
        str(app), "--branch=main", f"{option}={word}", "--json", settings=foreign(stranger)
    )

    assert ran.code in {0, 1}
    assert_fit_for_a_terminal(ran.stdout)
    assert_fit_for_a_terminal(ran.stderr)


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--branch", ""], "--branch"),
        (["--branch", "main", "--sha", "abc"], "--sha"),
        (["--branch", "main", "--project", "No Name"], "--project"),
        (["--branch", "main", "--entrypoint", "none.ts"], "none.ts"),
    ],
)
def test_a_wrong_word_is_named(
    stranger: FakeServer, app: Path, words: list[str], named: str
) -> None:
    ran = run_deploy(str(app), *words, "--json", settings=foreign(stranger))

    assert (ran.code, ran.result["ok"]) == (1, False)
    assert named in f"{ran.result['reason']}{ran.stderr}"


@pytest.mark.parametrize(
    ("target", "missing"),
    [("embedded", "TOKEN"), ("subhosting-v1", "TOKEN"), ("subhosting-v1", "ORGANIZATION")],
)
def test_a_missing_setting_is_named(
    stranger: FakeServer, app: Path, target: str, missing: str
) -> None:
    settings = foreign(stranger) | {"PREVIEWBOT_TARGET": target}
    del settings[f"PREVIEWBOT_TARGET_{missing}"]

    ran = run_deploy(str(app), "--branch", "main", "--json", settings=settings)

    assert ran.code == 1
    assert f"PREVIEWBOT_TARGET_{missing}" in ran.result["reason"]
    assert f"PREVIEWBOT_TARGET_{missing}" in ran.stderr


def test_a_token_that_the_platform_refuses_is_not_repeated_in_the_answer(
    stranger: FakeServer, app: Path
) -> None:
    settings = foreign(stranger) | {"PREVIEWBOT_TARGET_TOKEN": "ddo_wrong"}

    ran = run_deploy(str(app), "--branch", "main", "--json", settings=settings)

    assert (ran.code, ran.result["status"]) == (1, "failed")
    assert "invalidToken" in ran.stderr
    assert "ddo_wrong" not in ran.stdout + ran.stderr


def test_a_strangers_v1_server_takes_it_too(stranger: FakeServer, app: Path) -> None:
    ran = run_deploy(str(app), "--branch", "main", "--json", settings=foreign(stranger))

    assert ran.code == 0, ran.stderr
    assert ran.result["url"] == stranger.previews_url.replace("*", "my-app--main")
    [deployment] = stranger.platform.deployments.values()
    assert ran.result["deployment_id"] == deployment.id
    assert deployment.files["lib/greeting.ts"].decode() == (app / "lib/greeting.ts").read_text()


def test_a_build_that_breaks_on_a_strangers_server_ends_with_1(
    stranger: FakeServer, app: Path
) -> None:
    (app / "main.ts").write_bytes(BREAKS)

    ran = run_deploy(str(app), "--branch", "main", "--json", settings=foreign(stranger))

    assert (ran.code, ran.result["status"]) == (1, "failed")
    assert ran.result["reason"].startswith("The build failed")


@pytest.mark.parametrize(
    ("more", "imported"),
    [
        ({}, []),
        ({"deno.json": '{"deploy": {"include": ["**"]}}'}, ["yaml"]),
        ({".github/previewbot.yml": "exclude: [docs]"}, ["yaml"]),
    ],
)
def test_only_what_this_deploy_needs_is_imported(
    stranger: FakeServer, tmp_path: Path, more: dict[str, str], imported: list[str]
) -> None:
    app = app_in(tmp_path / "pages", {"index.html": "<h1>home</h1>", **more})

    ran = run_deploy(
        *(str(app), "--branch", "main"),
        settings=foreign(stranger),
        python=(sys.executable, "-c", IMPORTED),
    )

    assert ran.code == 0, ran.stderr
    assert json.loads(ran.stdout.splitlines()[-1]) == imported


def test_the_packages_of_its_own_lock_are_enough(stranger: FakeServer, app: Path) -> None:
    ran = run_deploy(
        *(str(app), "--branch", "main", "--json"),
        settings=foreign(stranger),
        python=(sys.executable, "-c", ONLY_LOCKED),
    )

    assert ran.code == 0, ran.stderr
    assert ran.result["ok"] is True


def test_help_needs_no_setting() -> None:
    ran = run_deploy("--help", settings={})

    assert ran.code == 0
    assert "--branch" in ran.stdout


# --- the Action: its last step; soak/test_action.py runs all of them --------------------------


@pytest.fixture
def runner(app: Path) -> Runner:
    """Return a runner on which the Action's first step has been, with our own environment."""
    runner = Runner(
        app.parent,
        {
            "repository": "octo/Hello_World",
            "repository_id": 42,
            "sha": "a" * 40,
            "ref_name": "7/merge",
            "head_ref": "feature/action",
            "event": {
                "repository": {"name": "Hello_World"},
                "pull_request": {"head": {"sha": SHA}},
            },
        },
    )
    temp = app.parent / "_runner" / "temp"
    temp.mkdir(parents=True)
    (temp / "previewbot").symlink_to(sys.prefix)
    return runner


def test_the_action_gives_url_deployment_and_status(stranger: FakeServer, runner: Runner) -> None:
    inputs = {
        "directory": "my-app",
        "target-url": stranger.api_url,
        "token": foreign(stranger)["PREVIEWBOT_TARGET_TOKEN"],
        "organization": foreign(stranger)["PREVIEWBOT_TARGET_ORGANIZATION"],
        "previews-url": stranger.previews_url,
    }

    runner.use(action()["runs"]["steps"][-1:], inputs)

    assert runner.code == 0, runner.log
    [deployment] = stranger.platform.deployments.values()
    url = runner.outputs["url"]
    assert runner.outputs.keys() == set(action()["outputs"])
    assert url.startswith("http://hello-world--feature-action-")
    assert (runner.outputs["deployment-id"], runner.outputs["status"]) == (deployment.id, "live")
    assert runner.summary == f"**Preview** <{url}>\n"
    assert json.loads(runner.log.splitlines()[0])["sha"] == SHA


def test_the_action_fails_when_the_build_does(stranger: FakeServer, runner: Runner) -> None:
    (runner.folder / "my-app" / "main.ts").write_bytes(BREAKS)
    inputs = {
        "directory": "my-app",
        "target-url": stranger.api_url,
        "token": foreign(stranger)["PREVIEWBOT_TARGET_TOKEN"],
        "organization": foreign(stranger)["PREVIEWBOT_TARGET_ORGANIZATION"],
    }

    runner.use(action()["runs"]["steps"][-1:], inputs)

    assert runner.code == 1
    assert runner.outputs["status"] == "failed"


def test_denos_platform_needs_no_server_of_ours(tmp_path: Path) -> None:
    app = app_in(tmp_path / "hello", apps.greets("from Deno"))

    with serving_deno() as deno:
        ran = run_deploy(str(app), "--branch", "feature/x", "--json", settings=denos(deno))

        assert ran.code == 0, ran.stderr
        (made,) = deno.apps.values()
        assert made.slug.startswith("hello--feature-x-")
        assert ran.result["url"] == deno.previews_url.replace("*", made.slug)
        assert ran.result["status"] == "live"


MONOREPO = {
    ".github/previewbot.yml": (
        "apps:\n  - name: web\n    root: apps/web\n  - name: docs\n    root: docs\n"
        "    spa: true\n    entrypoint: index.html\n"
    ),
    **{f"apps/web/{path}": text for path, text in apps.greets("web").items()},
    "docs/index.html": "docs",
}


def test_one_of_several_apps_is_deployed_as_the_configuration_says(
    installation: Installation, platform: dict[str, str], tmp_path: Path
) -> None:
    folder = app_in(tmp_path / "monorepo", MONOREPO)
    words = (str(folder), "--branch", "main", "--json")

    web = run_deploy(*words, "--app", "web", settings=platform)
    docs = run_deploy(*words, "--app", "docs", settings=platform)

    assert (web.code, docs.code) == (0, 0), web.stderr + docs.stderr
    assert installation.get(web.result["url"]).body == b"web\n"
    assert installation.get(docs.result["url"], "/any/path").body == b"docs"
    assert web.result["files_total"] == 5
    assert "monorepo-web--main" in web.result["url"]


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ((), "--app: is missing; the configuration has web, docs"),
        (("--app", "wbe"), "the configuration has no app 'wbe'; it has web, docs"),
    ],
)
def test_which_of_several_apps_is_meant_has_to_be_said(
    platform: dict[str, str], tmp_path: Path, words: tuple[str, ...], problem: str
) -> None:
    folder = app_in(tmp_path / "monorepo", MONOREPO)

    ran = run_deploy(str(folder), "--branch", "main", "--json", *words, settings=platform)

    assert ran.code == 1
    assert problem in ran.result["reason"]


def test_a_wrong_configuration_is_named_by_its_line(
    platform: dict[str, str], tmp_path: Path
) -> None:
    files = {**apps.greets("x"), ".github/previewbot.yml": "\nrots: x\n"}
    folder = app_in(tmp_path / "wrong", files)

    ran = run_deploy(str(folder), "--branch", "main", "--json", settings=platform)

    assert ran.code == 1
    assert "previewbot.yml:2: there is no key 'rots'" in ran.result["reason"]
