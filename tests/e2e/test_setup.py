"""From nothing to a GitHub App by the link of the start, and to the first preview."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import httpx
import pytest

from tests.e2e.github_world import GitHubWorld, unconfigured
from tests.e2e.patience import until


@pytest.fixture
def world(tmp_path: Path) -> Iterator[GitHubWorld]:
    with unconfigured(tmp_path) as world:
        yield world


def clicked_through(world: GitHubWorld, browser: httpx.Client) -> httpx.Response:
    """Do what a person does: the link, our form, GitHub's form, the redirect."""
    first = browser.get(world.installation.address["setup_url"])
    assert first.status_code == 200
    token = found_in(first.text, r'name="token" value="([^"]+)"')
    second = browser.post("/setup", data={"token": token, "organization": ""})
    action = found_in(second.text, r'<form method="post" action="([^"]+)"')
    manifest = found_in(second.text, r'name="manifest" value="([^"]+)"')
    return browser.get(world.gh.submit_manifest(action, manifest))


def found_in(page: str, pattern: str) -> str:
    found = re.search(pattern, page)
    assert found, page
    return unescape(found[1])


def test_the_link_of_the_start_makes_an_app_that_works(world: GitHubWorld) -> None:
    repository = world.gh.add_repository("octo/first")
    base = world.installation.address["dashboard_url"].rstrip("/")
    with httpx.Client(base_url=base, trust_env=False) as browser:
        waiting = clicked_through(world, browser)
        progress = waiting.headers["Location"]
        page = until(
            lambda: text if "/installations/new" in (text := browser.get(progress).text) else None,
            "the App to be there",
        )
        [app] = world.gh.store.apps.values()
        assert f"/apps/{app.slug}/installations/new" in page
        assert browser.get(world.installation.address["setup_url"]).status_code == 410

    sha = world.push_as_app(repository)

    run = world.checked(repository, sha)
    assert (run.conclusion, run.app.id) == ("success", app.id)
    assert world.get(world.url_in(run)).body == b"hello\n"

    world.installation.stop()
    world.installation.start()
    assert world.installation.address["setup_url"] is None


def test_a_redirect_with_a_code_that_is_not_githubs_fails_in_words(world: GitHubWorld) -> None:
    base = world.installation.address["dashboard_url"].rstrip("/")
    with httpx.Client(base_url=base, trust_env=False) as browser:
        token = found_in(
            browser.get(world.installation.address["setup_url"]).text,
            r'name="token" value="([^"]+)"',
        )
        second = browser.post("/setup", data={"token": token})
        state = found_in(second.text, r"apps/new\?state=([^\"]+)\"")
        waiting = browser.get("/setup/callback", params={"state": state, "code": "made-up"})
        page = until(
            lambda: (
                text
                if "begin again" in (text := browser.get(waiting.headers["Location"]).text)
                else None
            ),
            "the failure to be told",
        )

    assert "404" in page
    assert "made-up" not in world.installation.logs()
