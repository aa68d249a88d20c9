"""The pages of a running installation, and who may see them."""

import base64
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from bot.core.model.preview import Deployment
from bot.kernel.processes import built_environment
from tests.e2e.local_world import LocalWorld, local_world, new_branch
from tests.e2e.patience import until

ADMIN_TOKEN = "a long random text"

# The API's, as the pages show it.
STAGES = ["acquire", "manifest", "upload", "build", "probe", "bind", "report"]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalWorld]:
    with local_world(tmp_path_factory.mktemp("open")) as world:
        yield world


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalWorld]:
    settings = {"PREVIEWBOT_ADMIN_TOKEN": ADMIN_TOKEN}
    with local_world(tmp_path_factory.mktemp("guarded"), **settings) as world:
        yield world


@pytest.fixture(scope="module")
def live(world: LocalWorld) -> Deployment:
    return world.pushed("feature/pages")


def ask(world: LocalWorld, path: str, **headers: str) -> httpx.Response:
    address = world.installation.address["dashboard_url"].rstrip("/")
    return httpx.get(f"{address}{path}", headers=headers, timeout=20, trust_env=False)


def basic(password: str) -> str:
    return f"Basic {base64.b64encode(f'anybody:{password}'.encode()).decode()}"


def test_the_first_page_lists_the_deployment(world: LocalWorld, live: Deployment) -> None:
    page = ask(world, "/", accept="text/html")

    assert page.status_code == 200
    assert f"/deployments/{live.id}" in page.text
    assert "feature/pages" in page.text


def test_the_page_of_a_deployment_shows_stages_and_urls(
    world: LocalWorld, live: Deployment
) -> None:
    page = ask(world, f"/deployments/{live.id}", accept="text/html")

    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert [stage for stage in STAGES if f"<td>{stage}</td>" not in page.text] == []
    for url in (live.url, live.deployment_url):
        assert f'href="{url}"' in page.text


def test_the_json_twin_says_the_same(world: LocalWorld, live: Deployment) -> None:
    twin = ask(world, f"/api/deployments/{live.id}").json()

    assert twin["state"] == "live"
    assert (twin["url"], twin["deployment_url"]) == (live.url, live.deployment_url)
    assert (twin["branch"], twin["commit"]) == ("feature/pages", live.head)
    assert [stage["name"] for stage in twin["stages"]] == STAGES
    assert twin["transfer"]["files_sent"] == twin["transfer"]["files_total"] == 5


def test_a_crash_s_page_leads_to_the_app_s_log(world: LocalWorld) -> None:
    dies = """Deno.serve((request) => {
        if (new URL(request.url).pathname !== "/die") return new Response("well");
        console.warn("farewell");
        setTimeout(() => Deno.exit(3), 50);
        return new Promise(() => {});
    });"""
    live = world.pushed("dies", {"main.ts": dies})
    own = ask(world, f"/deployments/{live.id}").text

    crash = world.get(live.url, "/die")
    [link] = re.findall(r'<a href="([^"]+)">The whole log', crash.body.decode())

    def read() -> bool:
        page = httpx.get(link, timeout=20, trust_env=False)
        return page.status_code == 200 and "warning farewell" in page.text

    assert crash.status == 502
    assert link.startswith(world.installation.address["dashboard_url"])
    assert f'href="{urlsplit(link).path}"' in own
    until(read, "the app's last words on its page")


@pytest.mark.parametrize(
    "path",
    ["/deployments/none", "/deployments/../etc", "/api/deployments/%00", "/deployments/", "/x"],
)
def test_what_does_not_exist_is_not_found(world: LocalWorld, path: str) -> None:
    assert ask(world, path).status_code == 404


def test_a_running_installation_is_healthy_and_ready(world: LocalWorld) -> None:
    assert ask(world, "/healthz").json() == {"status": "ok"}
    assert ask(world, "/readyz").json() == {"status": "ready", "problems": {}}


def test_the_records_are_on_the_terminal_too(world: LocalWorld, live: Deployment) -> None:
    listed = json.loads(world.command("previews", "list", "--json"))
    shown = json.loads(world.command("previews", "show", live.id, "--json"))

    assert [one["url"] for one in listed if one["deployment"] == live.id] == [live.url]
    assert shown["check"]["conclusion"] == "success"
    assert [stage["stage"] for stage in shown["stages"]] == STAGES


@pytest.mark.parametrize("path", ["/", "/deployments/none", "/api/deployments/none"])
def test_pages_need_the_admin_token_where_one_is_set(guarded: LocalWorld, path: str) -> None:
    right = [
        ask(guarded, path, authorization=f"Bearer {ADMIN_TOKEN}").status_code,
        ask(guarded, path, authorization=basic(ADMIN_TOKEN)).status_code,
    ]
    without = ask(guarded, path)
    wrong = ask(guarded, path, authorization=basic("a guess"))

    assert set(right) == ({200} if path == "/" else {404})
    assert (without.status_code, wrong.status_code) == (401, 401)
    assert without.headers["www-authenticate"].startswith("Basic")


def test_webhooks_and_health_need_no_admin_token(guarded: LocalWorld) -> None:
    delivered = guarded.deliver(guarded.payload("main", *new_branch("1" * 40)))

    assert delivered.status_code == 202
    assert ask(guarded, "/healthz").status_code == 200
    assert ask(guarded, "/readyz").status_code == 200


@pytest.mark.parametrize("bind", ["0.0.0.0", "::"])  # noqa: S104 - it must refuse them
@pytest.mark.parametrize("command", ["up", "web"])
def test_beyond_this_machine_nothing_starts_without_an_admin_token(
    tmp_path: Path, command: str, bind: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bot", command],
        capture_output=True,
        text=True,
        check=False,
        env=built_environment(
            PREVIEWBOT_DATA_DIR=str(tmp_path / "data"),
            PREVIEWBOT_BIND=bind,
            PREVIEWBOT_PORT="0",
            PREVIEWBOT_PREVIEW_PORT="0",
        ),
    )

    assert done.returncode == 1
    assert "PREVIEWBOT_ADMIN_TOKEN" in done.stderr
    assert not (tmp_path / "data").exists()
