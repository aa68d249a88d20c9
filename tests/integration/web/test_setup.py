"""The pages of the one-click set-up: open to one token, once, for an hour."""

import json
import re
from dataclasses import dataclass, field, replace
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient

from bot.core.decide.github_app import permissions
from bot.core.model.apps import GithubApp
from bot.core.model.surfaces import DEFAULT_SURFACES
from bot.ports.setups import Setup, SetupState
from bot.web.app import create_app
from bot.web.services import SetupServices, WebServices
from tests.fakes.clock import FakeClock
from tests.fakes.github.manifests import problems
from tests.fakes.inbox import FakeInbox
from tests.fakes.store import fake_store

TOKEN = "one-time-token"
APP = GithubApp(
    id=7,
    slug="previewbot-example",
    html_url="https://github.com/apps/previewbot-example",
    private_key="pem",
    webhook_secret="whs",
)


@dataclass
class FakeSetups:
    """Attempts by their states."""

    attempts: dict[str, Setup] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)
    app: GithubApp | None = None

    def open(self, state: str) -> None:
        self.attempts[state] = Setup(key=state, state=SetupState.OPEN)

    def take(self, state: str, code: str) -> bool:
        found = self.attempts.get(state)
        if found is None or found.state is not SetupState.OPEN:
            return False
        self.attempts[state] = replace(found, state=SetupState.EXCHANGING)
        self.codes[state] = code
        return True

    def find(self, state: str) -> Setup | None:
        return self.attempts.get(state)

    def end(self, state: str, ending: SetupState, problem: str = "") -> None:
        self.attempts[state] = Setup(key=state, state=ending, problem=problem)


@dataclass
class Site:
    setups: FakeSetups = field(default_factory=FakeSetups)
    token: str | None = TOKEN
    public_url: str = "https://previewbot.example.com"
    github_url: str = "https://github.com"

    @property
    def client(self) -> FlaskClient:
        clock = FakeClock()
        asked = permissions(DEFAULT_SURFACES, removes_environments=False)
        services = SetupServices(
            setups=self.setups,
            app=lambda: self.setups.app,
            token=self.token,
            github_url=self.github_url,
            public_url=self.public_url,
            webhook_url=f"{self.public_url}/webhooks/github",
            permissions=asked,
        )
        app = create_app(
            WebServices(
                inbox=FakeInbox(),
                store=fake_store(clock),
                clock=clock,
                secrets_for=lambda _: (),
                admin_token=None,
                ready=dict,
                setup=services,
            )
        )
        app.testing = True
        return app.test_client()

    def confirm(self, organization: str = "", token: str = TOKEN) -> str:
        """Send the first form; return the page with the second."""
        answer = self.client.post("/setup", data={"token": token, "organization": organization})
        assert answer.status_code == 200, answer.text
        return answer.text

    def state(self) -> str:
        [state] = self.setups.attempts
        return state


@pytest.fixture
def site() -> Site:
    return Site()


def action_of(page: str) -> str:
    found = re.search(r'<form method="post" action="([^"]+)"', page)
    assert found
    return unescape(found[1])


def manifest_of(page: str) -> dict[str, object]:
    found = re.search(r'name="manifest" value="([^"]+)"', page)
    assert found
    document: dict[str, object] = json.loads(unescape(found[1]))
    return document


def test_the_page_explains_every_right(site: Site) -> None:
    page = site.client.get(f"/setup?token={TOKEN}").text

    for permission in permissions(DEFAULT_SURFACES, removes_environments=False):
        assert permission.why in page


@pytest.mark.parametrize("token", ["", "wrong", "one-time-toke", "ключ"])
def test_without_the_token_it_stays_closed(site: Site, token: str) -> None:
    assert site.client.get("/setup", query_string={"token": token}).status_code == 403
    assert site.client.post("/setup", data={"token": token}).status_code == 403
    assert site.setups.attempts == {}


def test_without_a_token_of_ours_it_is_not_there(site: Site) -> None:
    site.token = None

    assert site.client.get("/setup?token=").status_code == 404


def test_once_there_is_an_app_it_is_closed(site: Site) -> None:
    site.confirm()
    site.setups.app = APP

    assert site.client.get(f"/setup?token={TOKEN}").status_code == 410
    assert site.client.post("/setup", data={"token": TOKEN}).status_code == 410
    late = site.client.get("/setup/callback", query_string={"state": site.state(), "code": "c"})
    assert late.status_code == 410


def test_the_browser_is_sent_to_ones_own_account(site: Site) -> None:
    page = site.confirm()

    assert action_of(page) == f"https://github.com/settings/apps/new?state={site.state()}"
    assert problems(manifest_of(page)) == []


def test_or_to_an_organization(site: Site) -> None:
    action = urlsplit(action_of(site.confirm("octo-org")))

    assert action.path == "/organizations/octo-org/settings/apps/new"
    assert parse_qs(action.query) == {"state": [site.state()]}


def test_or_to_a_github_enterprise_server() -> None:
    site = Site(github_url="https://github.example.com")

    assert action_of(site.confirm()).startswith("https://github.example.com/settings/apps/new?")


@pytest.mark.parametrize("name", ["../x", "a b", "-x", "x" * 40, '"><script>', "x?y"])
def test_what_is_no_organization_is_refused(site: Site, name: str) -> None:
    answer = site.client.post("/setup", data={"token": TOKEN, "organization": name})

    assert answer.status_code == 400
    assert site.setups.attempts == {}


def test_the_form_may_be_sent_to_github_alone(site: Site) -> None:
    answer = site.client.post("/setup", data={"token": TOKEN})

    policy = answer.headers["Content-Security-Policy"]
    assert "form-action https://github.com;" in policy
    assert "default-src 'none'" in policy


def test_the_first_form_may_be_sent_to_us_alone(site: Site) -> None:
    answer = site.client.get(f"/setup?token={TOKEN}")

    assert "form-action 'self'" in answer.headers["Content-Security-Policy"]


def test_the_redirect_leads_to_where_the_exchange_is_waited_for(site: Site) -> None:
    site.confirm()
    state = site.state()

    answer = site.client.get("/setup/callback", query_string={"state": state, "code": "c0de"})

    assert answer.status_code == 303
    assert site.setups.codes == {state: "c0de"}
    waiting = site.client.get(answer.headers["Location"])
    assert 'http-equiv="refresh"' in waiting.text


def test_a_redirect_is_good_once(site: Site) -> None:
    site.confirm()
    query = {"state": site.state(), "code": "c0de"}
    site.client.get("/setup/callback", query_string=query)

    again = site.client.get("/setup/callback", query_string=query | {"code": "other"})

    assert again.status_code == 410
    assert site.setups.codes == {site.state(): "c0de"}


@pytest.mark.parametrize("code", ["", "x" * 201])
def test_a_redirect_without_a_code_is_refused(site: Site, code: str) -> None:
    site.confirm()

    answer = site.client.get("/setup/callback", query_string={"state": site.state(), "code": code})

    assert answer.status_code == 400
    assert site.setups.codes == {}


def test_a_made_app_is_to_be_installed(site: Site) -> None:
    site.confirm()
    site.setups.end(site.state(), SetupState.DONE)
    site.setups.app = APP

    page = site.client.get(f"/setup/progress?state={site.state()}").text

    assert 'href="https://github.com/apps/previewbot-example/installations/new"' in page
    assert "pem" not in page


def test_a_failure_is_shown_as_text(site: Site) -> None:
    site.confirm()
    site.setups.end(site.state(), SetupState.FAILED, "<b>no</b>")

    page = site.client.get(f"/setup/progress?state={site.state()}").text

    assert "&lt;b&gt;no&lt;/b&gt;" in page


@pytest.mark.parametrize("state", ["", "unknown"])
def test_the_progress_of_nothing_is_not_found(site: Site, state: str) -> None:
    assert site.client.get("/setup/progress", query_string={"state": state}).status_code == 404


def test_an_address_that_github_cannot_reach_is_told_before_anything_is_made() -> None:
    site = Site(public_url="http://127.0.0.1:8080")

    page = site.client.get(f"/setup?token={TOKEN}").text

    assert "PREVIEWBOT_PUBLIC_URL" in page
    assert "<form" not in page
    assert site.client.post("/setup", data={"token": TOKEN}).status_code == 400
