"""Revisions that nobody visits: disabled, enabled again, deleted, and whom that spares."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.subhosting.store import deployments
from bot.subhosting.store.engine import Database
from tests.subhosting.intake.limited import git_sha1
from tests.subhosting.server import Answer, Json, RunningSubhosting, wait_until
from tests.subhosting.v2.client import deployed, new_app, says

DAY_S = timedelta(days=1).total_seconds()


class Site:
    """A server whose host can be put into the future."""

    def __init__(self, server: RunningSubhosting, ahead: Path) -> None:
        self.server = server
        self._ahead = ahead
        self._days = 0.0

    def pass_days(self, days: float) -> None:
        """Put the host's clock forward; it looks at once when it starts."""
        self._days += days
        self.server.stop_host()
        self._ahead.write_text(str(self._days * DAY_S), encoding="utf-8")
        self.server.start_host()

    def revision(self, revision_id: str) -> Answer:
        return self.server.call("GET", f"/v2/revisions/{revision_id}")

    def wait_until_disabled(self, revision_id: str) -> None:
        wait_until(
            lambda: "disabled_at" in self.revision(revision_id).json,
            f"the end of {revision_id}",
        )

    def used_at(self, revision_id: str) -> datetime | None:
        """Return when it was visited last, as far as that is stored."""
        database = Database(self.server.config.database)
        try:
            with database.reading() as connection:
                record = deployments.load(connection, revision_id)
        finally:
            database.close()
        return None if record is None else record.used_at

    def ask(self, app: Json, revision: Json) -> Answer:
        """Visit a revision at its own address."""
        return self.server.get(f"{app['slug']}-{revision['id']}.localhost")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    settings = {"collect_every": 0, "scan_every": 0.2, "blob_grace": 0.2, "analytics_every": 0.2}
    with RunningSubhosting(tmp_path / "data", **settings) as server:
        yield Site(server, tmp_path / "data.ahead")


def test_an_idle_revision_is_disabled_then_deleted_and_others_stay(site: Site) -> None:
    server = site.server
    app = new_app(server)
    old = deployed(server, app["id"], says("old"), preview=True)
    kept = deployed(server, app["id"], says("kept"), preview=True, retention="indefinite")
    own = deployed(server, app["id"], says("own"), preview=True, production=False)
    new = deployed(server, app["id"], says("new"), preview=True)
    of_v1 = server.deployed(app["id"], {"main.ts": "Deno.serve(() => new Response('v1'));"})

    site.pass_days(30.5)
    site.wait_until_disabled(old["id"])
    site.wait_until_disabled(own["id"])
    refused = site.ask(app, old)
    span = "since=2020-01-01T00:00:00Z&until=2100-01-01T00:00:00Z"
    log = f"/v1/deployments/{own['id']}/app_logs?{span}"
    wait_until(lambda: server.call("GET", log).json, "the line in its log")
    (line,) = server.call("GET", log).json
    enabled = server.call("PATCH", f"/v2/revisions/{own['id']}", {"retention": "indefinite"})
    back = site.ask(app, own)
    site.pass_days(7.5)
    wait_until(lambda: site.revision(old["id"]).status == 404, "the deletion")
    wait_until(lambda: site.ask(app, old).status == 404, "the end of its address")

    assert refused.status == 410
    assert "was disabled on" in refused.text
    assert "after 30 days without visitors" in refused.text
    assert "nobody visited it for 30 days" in line["message"]
    assert "disabled_at" not in enabled.json
    assert (back.status, back.text) == (200, "own")
    assert [site.ask(app, each).text for each in (kept, own, new)] == ["kept", "own", "new"]
    assert server.get(f"{app['slug']}.localhost").text == "new"
    assert server.get(of_v1["domains"][0]).text == "v1"
    assert site.revision(of_v1["id"]).json["retention"] == "indefinite"
    blobs = server.data_dir / "blobs" / app["id"]
    content = git_sha1(says("old").encode())
    wait_until(lambda: not (blobs / content).exists(), "the end of its contents", within_s=60)


def test_a_visit_keeps_a_revision(site: Site) -> None:
    server = site.server
    app = new_app(server)
    visited = deployed(server, app["id"], says("visited"), preview=True, production=False)
    lonely = deployed(server, app["id"], says("lonely"), preview=True, production=False)

    site.pass_days(20)
    assert site.ask(app, visited).text == "visited"
    wait_until(lambda: site.used_at(visited["id"]), "the note of the visit")
    site.pass_days(20)
    site.wait_until_disabled(lonely["id"])

    assert "disabled_at" not in site.revision(visited["id"]).json
    assert site.ask(app, visited).text == "visited"


def test_a_disabled_revision_serves_when_it_answers_for_others_again(site: Site) -> None:
    server = site.server
    app = new_app(server)
    first = deployed(server, app["id"], says("first"), preview=True)
    second = deployed(server, app["id"], says("second"), preview=True)
    site.pass_days(31)
    site.wait_until_disabled(first["id"])

    host = f"{app['slug']}.localhost"
    server.call("DELETE", f"/v2/revisions/{second['id']}/domains/{host}")

    assert server.get(host).text == "first"
    assert "disabled_at" not in site.revision(first["id"]).json


def test_promoting_a_disabled_revision_enables_it(site: Site) -> None:
    server = site.server
    app = new_app(server)
    first = deployed(server, app["id"], says("first"), preview=True)
    deployed(server, app["id"], says("second"))
    site.pass_days(31)
    site.wait_until_disabled(first["id"])

    promoted = server.call("POST", f"/v2/revisions/{first['id']}/promote")

    assert promoted.status == 204
    assert "disabled_at" not in site.revision(first["id"]).json
    assert site.ask(app, first).text == "first"
    assert server.get(f"{app['slug']}.localhost").text == "first"


def test_v1_tells_when_a_deployment_was_visited_last(site: Site) -> None:
    server = site.server
    app = new_app(server)
    made = server.deployed(app["id"], {"main.ts": "Deno.serve(() => new Response('v1'));"})
    visits = f"/v1/deployments/{made['id']}/visits"
    before = server.call("GET", visits).json

    server.get(made["domains"][0])
    wait_until(lambda: server.call("GET", visits).json["lastVisitedAt"], "the note of the visit")

    told = server.call("GET", visits).json["lastVisitedAt"]
    assert before == {"lastVisitedAt": None}
    assert datetime.fromisoformat(told) == site.used_at(made["id"])
    assert server.call("GET", "/v1/deployments/nowhere/visits").status == 404
