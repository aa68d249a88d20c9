import base64
import re
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest
from typing_extensions import override
from werkzeug.test import TestResponse

from bot.core.model.ids import TargetDeploymentId
from bot.core.model.outcomes import LogLine
from bot.core.model.preview import DeploymentState, Stage, Transfer
from bot.web.services import AppLogLine
from tests.data import hostile
from tests.integration.web.conftest import HEAD, Site

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


class Seen(HTMLParser):
    """What a browser makes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.attributes: set[str] = set()
        self.text = ""

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        self.addresses += [value or "" for name, value in attrs if name in {"href", "src"}]

    @override
    def handle_data(self, data: str) -> None:
        self.text += data


def seen(response: TestResponse) -> Seen:
    found = Seen()
    found.feed(response.get_data(as_text=True))
    return found


def test_the_page_of_a_deployment_shows_all_there_is(site: Site) -> None:
    made = site.deployment(
        "feature/x",
        url="http://hello--feature-x.localhost:8081",
        deployment_url="http://hello-d-1.localhost:8081",
        transfer=Transfer(files_total=9, files_sent=1, bytes_sent=1234),
        title="Live: 1 of 9 files sent",
    )
    site.store.stage_started(made.id, Stage.BUILD)
    site.wait(1.5)
    site.store.stage_finished(made.id, Stage.BUILD, "built well")
    site.store.save_log(made.id, [LogLine(level="info", message="Downloaded main.ts")])

    response = site.client.get(f"/deployments/{made.id}")

    page = seen(response)
    assert response.status_code == 200
    for shown in (
        "octo/hello",
        "feature/x",
        HEAD,
        "1 of 9 files sent, 1.2 KB on the wire",
        "1.50 s",
        "built well",
        "Downloaded main.ts",
        "deploying",
    ):
        assert shown in page.text
    assert "http://hello--feature-x.localhost:8081" in page.addresses
    assert "http://hello-d-1.localhost:8081" in page.addresses


@pytest.mark.parametrize("state", DeploymentState)
def test_a_page_refreshes_itself_until_it_is_over(site: Site, state: DeploymentState) -> None:
    made = site.deployment(state=state)

    page = site.client.get(f"/deployments/{made.id}").get_data(as_text=True)

    assert ('http-equiv="refresh"' in page) is not made.is_over


def test_the_json_twin_says_the_same(site: Site) -> None:
    transfer = Transfer(files_total=9, files_sent=1, bytes_sent=1234)
    made = site.deployment(url="http://x.localhost:1", transfer=transfer, title="Live")
    site.store.stage_started(made.id, Stage.ACQUIRE)

    document = site.client.get(f"/api/deployments/{made.id}").get_json()

    assert document == {
        "id": made.id,
        "state": "deploying",
        "title": "Live",
        "repository": "octo/hello",
        "branch": "main",
        "app": "hello",
        "commit": HEAD,
        "generation": 1,
        "created_at": "2026-03-01 12:00:00Z",
        "finished_at": None,
        "seconds": None,
        "superseded_by": None,
        "url": "http://x.localhost:1",
        "deployment_url": None,
        "transfer": {"files_total": 9, "files_sent": 1, "bytes_sent": 1234},
        "sent": "1 of 9 files sent, 1.2 KB on the wire",
        "is_over": False,
        "stages": [
            {
                "name": "acquire",
                "started_at": "2026-03-01 12:00:00Z",
                "seconds": None,
                "detail": "",
            }
        ],
        "log": "",
        "log_lines_left_out": 0,
        "app_log": None,
    }


def test_the_list_leads_to_the_pages(site: Site) -> None:
    first, second = site.deployment("main"), site.deployment("feature/x")

    page = seen(site.client.get("/"))

    links = [address for address in page.addresses if address.startswith("/deployments/")]
    assert sorted(links) == sorted([f"/deployments/{first.id}", f"/deployments/{second.id}"])


def test_an_empty_list_says_what_to_do(site: Site) -> None:
    assert "Push a branch" in seen(site.client.get("/")).text


@pytest.mark.parametrize("text", hostile.HOSTILE)
def test_hostile_text_stays_text_on_every_page(site: Site, text: str) -> None:
    made = site.deployment(text, title=text, url=text, deployment_url=f"javascript:{text}")
    site.store.save_log(made.id, [LogLine(level=text, message=text)])
    site.store.stage_started(made.id, Stage.BUILD)
    site.store.stage_finished(made.id, Stage.BUILD, text)
    plain = site.deployment("plain")

    for hurt, healthy in (
        (f"/deployments/{made.id}", f"/deployments/{plain.id}"),
        ("/", "/"),
    ):
        response, page = site.client.get(hurt), seen(site.client.get(hurt))
        allowed = {*seen(site.client.get(healthy)).tags, "pre", "table", "thead", "tbody"}
        assert response.status_code == 200
        assert set(page.tags) - {"tr", "th", "td", "h2", "p"} <= allowed
        assert not {name for name in page.attributes if name.startswith("on")}
        assert all(address.startswith("/") for address in page.addresses)
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", page.text)
    assert site.client.get(f"/api/deployments/{made.id}").status_code == 200


@pytest.mark.parametrize(
    "path",
    ["/deployments/none", "/deployments/..%2f..", "/deployments/%00", "/api/deployments/x", "/x"],
)
def test_what_is_not_there_is_404(site: Site, path: str) -> None:
    response = site.client.get(path)

    assert response.status_code == 404
    assert response.get_json()["code"] == "notFound"


def test_a_browser_gets_its_error_as_a_page(site: Site) -> None:
    response = site.client.get("/deployments/<script>", headers={"Accept": "text/html,*/*;q=0.8"})

    assert response.status_code == 404
    assert "script" not in seen(response).tags


@pytest.mark.parametrize("path", ["/", "/deployments/x", "/healthz", "/static/style.css", "/x"])
def test_every_answer_has_the_security_headers(site: Site, path: str) -> None:
    with site.client.get(path) as response:
        headers = response.headers

    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "script-src" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"


def test_pages_take_nothing_from_elsewhere(site: Site) -> None:
    made = site.deployment()

    page = site.client.get(f"/deployments/{made.id}").get_data(as_text=True)

    assert "<script" not in page
    assert "style=" not in page
    assert "http" not in page.replace("http-equiv", "")


def basic(password: str) -> str:
    return f"Basic {base64.b64encode(f'any:{password}'.encode()).decode()}"


@pytest.mark.parametrize("path", ["/", "/deployments/x", "/api/deployments/x"])
@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        "Bearer é",
        "Basic !",
        "Basic",
        "Digest token",
        basic(""),
        basic("tokeN"),
        basic("token "),
    ],
)
def test_pages_with_a_token_are_closed_without_it(path: str, authorization: str | None) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}

    response = Site(admin_token="token").client.get(path, headers=headers)

    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"].startswith("Basic ")


@pytest.mark.parametrize("authorization", ["Bearer token", basic("token")])
def test_pages_open_with_the_token(authorization: str) -> None:
    response = Site(admin_token="token").client.get("/", headers={"Authorization": authorization})

    assert response.status_code == 200


def test_a_token_with_odd_letters_works() -> None:
    response = Site(admin_token="tökén").client.get("/", headers={"Authorization": basic("tökén")})

    assert response.status_code == 200


def test_an_empty_token_lets_nobody_in() -> None:
    for authorization in ("Bearer ", basic("")):
        response = Site(admin_token="").client.get("/", headers={"Authorization": authorization})
        assert response.status_code == 401


def test_the_page_of_a_deployment_leads_to_what_its_app_said(site: Site) -> None:
    made = site.deployment(target_id=TargetDeploymentId("k1"))
    elsewhere = seen(site.client.get(f"/deployments/{made.id}"))
    site.app_logs = {"k1": [AppLogLine(time=NOON, level="error", message="<b>bad\x1b[2J\nnews")]}

    page = seen(site.client.get(f"/deployments/{made.id}"))
    log = seen(site.client.get("/logs/k1"))

    assert "/logs/k1" not in elsewhere.addresses
    assert "/logs/k1" in page.addresses
    assert "2026-01-02 12:00:00Z error   <b>bad" in log.text
    assert "news" in log.text
    assert "\x1b" not in log.text
    assert "b" not in log.tags


def test_a_log_that_is_not_kept_here_is_not_found(site: Site) -> None:
    without = site.client.get("/logs/k1").status_code
    site.app_logs = {"k2": []}

    assert without == 404
    assert site.client.get("/logs/k1").status_code == 404
    assert "Nothing that is still kept." in seen(site.client.get("/logs/k2")).text


def test_an_app_s_log_needs_the_admin_token_too(site: Site) -> None:
    site.app_logs = {"k1": []}
    site.admin_token = "admin"

    assert site.client.get("/logs/k1").status_code == 401
