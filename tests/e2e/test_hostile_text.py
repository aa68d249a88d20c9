"""One set of hostile strings through check, page, log and terminal: shown, and never obeyed."""

import html.parser
import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from typing_extensions import override

from bot.core.model.preview import Deployment, DeploymentState
from bot.kernel.paths import path_problem
from tests.data.hostile import HOSTILE
from tests.e2e import apps
from tests.e2e.github_world import GitHubWorld, as_app
from tests.e2e.local_world import LocalWorld, local_world, new_branch
from tests.fakes.github.entities import CheckRun
from tests.fakes.github.repository import Entry

# An app that says everything on both streams and dies of all of it at once.
LOUD = f"""\
const texts: string[] = {json.dumps(HOSTILE)};
for (const text of texts) {{
  console.log(text);
  console.error(text);
}}
throw new Error(texts.filter((text) => text.length < 1000).join("\\n"));
"""

SHORT = [text for text in HOSTILE if 1 < len(text) < 1000]


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


# --- what harmless means -------------------------------------------------------------------

_BYTES_OF_TERMINALS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_RUNNER_COMMANDS = re.compile(r"^\s*::\S|##\[|##vso\[", re.MULTILINE | re.IGNORECASE)
_MENTIONS = re.compile(r"@\w")


def assert_fit_for_a_terminal(text: str) -> None:
    assert _BYTES_OF_TERMINALS.findall(text) == []
    assert _RUNNER_COMMANDS.findall(text) == []


def assert_plain_text_is_harmless(text: str) -> None:
    assert _BYTES_OF_TERMINALS.findall(text) == []
    assert _MENTIONS.findall(text) == []
    assert "<!--" not in text


def assert_markdown_is_harmless(text: str, own_host: str) -> None:
    """Render it as GitHub would and look at what came alive."""
    assert_plain_text_is_harmless(text)
    tokens = MarkdownIt("commonmark", {"html": True, "linkify": False}).enable("table").parse(text)
    flat = [*tokens, *(child for token in tokens for child in token.children or [])]
    kinds = {token.type for token in flat}
    assert kinds.isdisjoint({"html_block", "html_inline", "image", "heading_open", "hr"})
    links = [str(token.attrs["href"]) for token in flat if token.type == "link_open"]
    assert [link for link in links if own_host not in link] == []
    fences = [token for token in flat if token.type == "fence"]
    assert all(fence.info == "text" for fence in fences)
    # GitHub makes links of bare addresses too, which the parser here does not.
    outside = [token.content for token in flat if token.type == "text"]
    bare = [words for words in outside if re.search(r"://|\bwww\.", words)]
    assert [words for words in bare if words not in links] == []


@dataclass
class Seen(html.parser.HTMLParser):
    """What a browser would make of a page."""

    tags: set[str] = field(default_factory=set)
    handlers: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.handlers += [name for name, _ in attrs if name.startswith("on")]
        self.addresses += [value or "" for name, value in attrs if name in {"href", "src"}]

    @override
    def handle_comment(self, data: str) -> None:
        self.comments.append(data)


def assert_page_is_harmless(page: str, previews: str) -> None:
    seen = Seen()
    seen.feed(page)
    assert _BYTES_OF_TERMINALS.findall(page) == []
    assert seen.tags.isdisjoint({"script", "img", "svg", "iframe", "object", "form"})
    assert seen.handlers == []
    assert seen.comments == []
    port = previews.rsplit(":", 1)[-1]
    ours = re.compile(rf"/|/static/.*|/deployments/\w+|http://[a-z0-9-]+\.localhost:{port}/?")
    assert [address for address in seen.addresses if not ours.fullmatch(address)] == []


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
