"""What `previewbot doctor` says of GitHub, its own records and its reach, problem by problem."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from pydantic import SecretStr
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from bot.adapters.storage.connect import prepare
from bot.bootstrap import doctor_records as records
from bot.bootstrap.connecting import connect_repository
from bot.bootstrap.doctor_github import _clock_of, _reachable, look
from bot.bootstrap.findings import Check, Outcome
from bot.bootstrap.places import database_url
from bot.core.decide.github_app import EVENTS, permissions
from bot.core.model.surfaces import DEFAULT_SURFACES
from bot.settings import Settings
from tests.fakes.github.server import AppCredentials, FakeGitHub

RIGHTS = {
    each.name: each.level for each in permissions(DEFAULT_SURFACES, removes_environments=False)
}


@pytest.fixture
def gh(tmp_path: Path) -> Iterator[FakeGitHub]:
    with FakeGitHub(tmp_path / "github") as github:
        github.add_repository("octo/hello")
        yield github


@pytest.fixture
def public_url() -> Iterator[str]:
    """Return the address of somebody who is as healthy as we are."""
    healthy = Response('{"status":"ok"}\n', content_type="application/json")
    server = make_server("127.0.0.1", 0, Request.application(lambda _: healthy), threaded=True)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def settings_of(gh: FakeGitHub, app: AppCredentials, public_url: str, data: Path) -> Settings:
    gh.store.app_hook_url = gh.store.app_hook_url or f"{public_url}/webhooks/github"
    return Settings(
        data_dir=data,
        github_api_url=gh.api_url,
        github_app_id=app.app_id,
        github_private_key=SecretStr(app.private_key),
        github_webhook_secret=SecretStr("whs"),
        public_url=public_url,
    )


@pytest.fixture
def healthy(gh: FakeGitHub, public_url: str, tmp_path: Path) -> Settings:
    app = gh.add_app(permissions=RIGHTS, events=EVENTS)
    return settings_of(gh, app, public_url, tmp_path)


def found(settings: Settings) -> dict[str, Check]:
    return {check.name: check for check in look(settings)}


def test_an_app_as_the_set_up_makes_it_is_in_order(healthy: Settings) -> None:
    assert {name: check.outcome for name, check in found(healthy).items()} == dict.fromkeys(
        [
            "github",
            "clock",
            "permissions",
            "events",
            "installations",
            "webhook",
            "reachability",
            "deliveries",
        ],
        Outcome.OK,
    )


def test_a_missing_right_is_named_with_where_to_give_it(
    gh: FakeGitHub, public_url: str, tmp_path: Path
) -> None:
    poor = RIGHTS | {"contents": "read", "checks": "read"}
    del poor["deployments"]
    app = gh.add_app(permissions=poor, events=EVENTS)

    check = found(settings_of(gh, app, public_url, tmp_path))["permissions"]

    assert (check.outcome, check.found) == (
        Outcome.PROBLEM,
        "missing: checks: write, deployments: write",
    )
    assert "Permissions & events" in check.fix


def test_an_event_that_is_not_subscribed_to_is_named(
    gh: FakeGitHub, public_url: str, tmp_path: Path
) -> None:
    app = gh.add_app(permissions=RIGHTS, events=("push", "pull_request"))

    check = found(settings_of(gh, app, public_url, tmp_path))["events"]

    assert check.outcome is Outcome.PROBLEM
    assert "issue_comment" in check.found


def test_a_webhook_that_leads_elsewhere_is_told_with_both_addresses(
    gh: FakeGitHub, healthy: Settings
) -> None:
    gh.store.app_hook_url = "https://old.example.com/webhooks/github"

    check = found(healthy)["webhook"]

    assert check.outcome is Outcome.PROBLEM
    assert "https://old.example.com/webhooks/github" in check.found
    assert f"{healthy.public_url}/webhooks/github" in check.found


def test_an_app_that_is_installed_nowhere_is_told_with_the_link(
    gh: FakeGitHub, healthy: Settings
) -> None:
    gh.store.installations.clear()

    check = found(healthy)["installations"]

    assert check.outcome is Outcome.PROBLEM
    assert "/installations/new" in check.fix


def test_a_key_of_another_app_is_told(gh: FakeGitHub, healthy: Settings) -> None:
    other = gh.add_app("other")
    mixed = healthy.model_copy(update={"github_private_key": SecretStr(other.private_key)})

    check = found(mixed)["github"]

    assert check.outcome is Outcome.PROBLEM
    assert "PREVIEWBOT_GITHUB_APP_ID" in check.fix


def test_lost_deliveries_are_counted(gh: FakeGitHub, healthy: Settings) -> None:
    for number in range(3):
        gh.try_to_deliver("http://127.0.0.1:9/", "push", {"zen": "x"}, "s", guid=f"g{number}")

    check = found(healthy)["deliveries"]

    assert (check.outcome, check.found) == (
        Outcome.LACKING,
        "3 of the last day never arrived",
    )


def test_a_local_address_cannot_be_reached_by_a_public_github(healthy: Settings) -> None:
    public = healthy.model_copy(update={"github_api_url": "https://api.github.com"})

    [check] = _reachable(public)

    assert check.outcome is Outcome.PROBLEM
    assert "PREVIEWBOT_PUBLIC_URL" in check.fix


def test_an_address_where_nobody_answers_is_told(healthy: Settings) -> None:
    nobody = healthy.model_copy(update={"public_url": "http://127.0.0.1:9"})

    assert found(nobody)["reachability"].outcome is Outcome.LACKING


def test_an_address_where_somebody_else_answers_is_a_problem(
    gh: FakeGitHub, healthy: Settings
) -> None:
    other = healthy.model_copy(update={"public_url": gh.git_url})

    check = found(other)["reachability"]

    assert check.outcome is Outcome.PROBLEM
    assert "404" in check.found


@pytest.mark.parametrize("off_by", [timedelta(minutes=2), timedelta(minutes=-2)])
def test_a_clock_that_is_off_is_told(off_by: timedelta) -> None:
    check = _clock_of(off_by)

    assert check.outcome is Outcome.PROBLEM
    assert "120 s" in check.found
    assert "timedatectl" in check.fix


def test_a_token_is_told_what_an_app_could_do(
    gh: FakeGitHub, public_url: str, tmp_path: Path
) -> None:
    token = gh.add_personal_token("ada", {"octo/hello": "write"})
    settings = Settings(
        data_dir=tmp_path,
        github_api_url=gh.api_url,
        github_token=SecretStr(token),
        public_url=public_url,
    )

    checks = found(settings)

    assert checks["github"].found.endswith("with the token of ada")
    assert checks["checks"].outcome is Outcome.LACKING
    assert "repository connect" in checks["webhook"].fix


def test_a_token_that_github_does_not_know_is_told(
    gh: FakeGitHub, public_url: str, tmp_path: Path
) -> None:
    settings = Settings(
        data_dir=tmp_path,
        github_api_url=gh.api_url,
        github_token=SecretStr("ghp_unknown"),
        public_url=public_url,
    )

    check = found(settings)["github"]

    assert check.outcome is Outcome.PROBLEM
    assert "ghp_unknown" not in check.found


@pytest.fixture
def connected(gh: FakeGitHub, public_url: str, tmp_path: Path) -> Settings:
    """Return the settings of an administrator's token, with one repository connected by it."""
    token = gh.add_personal_token("ada", {"octo/hello": "admin"})
    settings = Settings(
        data_dir=tmp_path,
        github_api_url=gh.api_url,
        github_token=SecretStr(token),
        public_url=public_url,
    )
    connect_repository(settings, "octo/hello")
    return settings


def test_a_connected_repository_is_in_order(connected: Settings) -> None:
    checks = found(connected)

    assert checks["permissions"].outcome is checks["webhook"].outcome is Outcome.OK
    assert "octo/hello" in checks["webhook"].found
    assert {"events", "deliveries"}.isdisjoint(checks)


@pytest.mark.parametrize(
    ("scopes", "outcome", "told"),
    [
        ("gist, public_repo", Outcome.LACKING, "private repositories"),
        ("gist", Outcome.PROBLEM, "gist"),
        ("", Outcome.PROBLEM, "no scope"),
        (None, Outcome.OK, "fine-grained"),
    ],
)
def test_the_scopes_of_a_token_are_told(
    gh: FakeGitHub, connected: Settings, scopes: str | None, outcome: Outcome, told: str
) -> None:
    token = gh.add_personal_token("eve", {"octo/hello": "admin"}, scopes=scopes)
    other = connected.model_copy(update={"github_token": SecretStr(token)})

    check = found(other)["permissions"]

    assert check.outcome is outcome
    assert told in check.found
    assert outcome is Outcome.OK or "`repo`" in check.fix


@pytest.mark.parametrize(
    ("changed", "name", "told", "fix"),
    [
        ({"url": "https://old.example.com/"}, "webhook", "sends nothing", "repository connect"),
        ({"active": False}, "webhook", "switched off", "Active"),
        ({"events": ("push",)}, "events", "issue_comment, pull_request", "repository connect"),
    ],
)
def test_a_webhook_that_was_changed_is_a_problem_with_its_repository(
    gh: FakeGitHub, connected: Settings, changed: dict[str, Any], name: str, told: str, fix: str
) -> None:
    gh.store.hooks[0] = replace(gh.store.hooks[0], **changed)

    check = found(connected)[name]

    assert check.outcome is Outcome.PROBLEM
    assert "octo/hello" in check.found
    assert told in check.found
    assert fix in check.fix


def test_a_webhook_that_is_subscribed_to_everything_lacks_nothing(
    gh: FakeGitHub, connected: Settings
) -> None:
    gh.store.hooks[0] = replace(gh.store.hooks[0], events=("*",))

    assert "events" not in found(connected)


def test_deliveries_that_a_repositorys_webhook_lost_are_counted(
    gh: FakeGitHub, connected: Settings
) -> None:
    hook = gh.store.hooks[0].id
    for guid in ("a", "b"):
        gh.try_to_deliver(
            "http://127.0.0.1:9/", "push", {"zen": "x"}, "s", guid=guid, hook_id=hook
        )

    check = found(connected)["deliveries"]

    assert (check.outcome, check.found) == (
        Outcome.LACKING,
        "octo/hello: 2 of the last day never arrived",
    )


def test_a_token_of_no_administrator_is_told_that_it_sees_no_webhook(
    gh: FakeGitHub, connected: Settings
) -> None:
    token = gh.add_personal_token("eve", {"octo/hello": "write"})
    other = connected.model_copy(update={"github_token": SecretStr(token)})

    check = found(other)["webhook"]

    assert check.outcome is Outcome.LACKING
    assert "administrator" in check.fix


# --- records -------------------------------------------------------------------------------------


def test_records_that_are_not_there_yet_are_no_problem(tmp_path: Path) -> None:
    [check] = records.database(Settings(data_dir=tmp_path))

    assert check.outcome is Outcome.OK
    assert "first start" in check.found
    assert list(tmp_path.iterdir()) == []


def test_tables_of_this_version_are_in_order(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    prepare(database_url(settings))

    [check] = records.database(settings)

    assert check.outcome is Outcome.OK


def test_a_damaged_file_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "previewbot.db").write_bytes(b"not a database" * 100)

    [check] = records.database(Settings(data_dir=tmp_path))

    assert check.outcome is Outcome.PROBLEM
    assert "previewbot.db" in check.found


def test_a_database_that_is_away_is_a_problem_and_its_password_is_not_told(
    tmp_path: Path,
) -> None:
    away = "postgresql://bot:hush@127.0.0.1:9/previews"

    [check] = records.database(Settings(data_dir=tmp_path, database_url=away))

    assert check.outcome is Outcome.PROBLEM
    assert "hush" not in check.found


def test_the_disk_is_looked_at_where_the_directory_will_be(tmp_path: Path) -> None:
    [check] = records.disk(Settings(data_dir=tmp_path / "not" / "yet"))

    assert str(tmp_path) in check.found
    assert not (tmp_path / "not").exists()
