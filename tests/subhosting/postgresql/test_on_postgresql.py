"""The main roads of v1 and v2 on PostgreSQL; `tests/conformance --store=postgresql` has all.

One server for the file: what differs from SQLite is concurrency and the dialect.
"""

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier

import pytest

from bot.subhosting.config import Limits
from bot.subhosting.errors import TooManyDeployments
from bot.subhosting.service import rate
from bot.subhosting.service.services import services_for
from bot.subhosting.store import content
from bot.subhosting.store.blobs import Blob
from bot.subhosting.store.engine import Database
from bot.subhosting.store.tables import organizations
from tests.plugins.postgresql import Postgresql
from tests.subhosting.load import SETTINGS, Load
from tests.subhosting.server import Json, RunningSubhosting, wait_until
from tests.subhosting.v2 import client

HELLO = "console.log('I have started'); Deno.serve(() => new Response('hello'));"


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, postgresql: Postgresql
) -> Iterator[RunningSubhosting]:
    data_dir = tmp_path_factory.mktemp("postgresql") / "data"
    url = postgresql.new_database()
    with RunningSubhosting(data_dir, database_url=url, warm_up=3, **SETTINGS) as running:
        yield running


def test_nothing_is_kept_in_sqlite(server: RunningSubhosting) -> None:
    assert not (server.data_dir / "subhosting.db").exists()


def test_a_deployment_is_bound_to_a_host_and_its_log_is_kept(
    server: RunningSubhosting, project: Json
) -> None:
    made = server.deployed(project["id"], {"main.ts": HELLO})
    host = f"{project['name']}.localhost"

    bound = server.call("PUT", f"/v1/deployments/{made['id']}/domains/{host}")

    assert bound.status == 200, bound
    assert server.get(host).text == "hello"
    logs = f"/v1/deployments/{made['id']}/app_logs"
    wait_until(lambda: "I have started" in server.call("GET", logs).text, "the app's own log")


def test_one_key_sent_by_eight_at_once_makes_one_deployment(
    server: RunningSubhosting, project: Json
) -> None:
    def create(_number: int) -> str:
        made = server.deploy(
            project["id"], {"main.ts": HELLO}, headers={"Idempotency-Key": "the same"}
        )
        assert made.status == 200, made
        return str(made.json["id"])

    with ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(create, range(8)))

    assert len(ids) == 1
    listed = server.call("GET", f"/v1/projects/{project['id']}/deployments").json
    assert [each["id"] for each in listed] == list(ids)


def test_the_same_new_files_in_opposite_orders_do_not_lock_each_other_out(
    server: RunningSubhosting, project: Json
) -> None:
    database = Database(server.config.database)
    together = Barrier(2, timeout=20)
    rounds = [[Blob.of(b"%d %d" % (turn, number)) for number in range(2000)] for turn in range(3)]

    def record(step: int) -> None:
        for blobs in rounds:
            together.wait()
            with database.writing() as connection:
                ordered = {blob.git_sha1: blob for blob in blobs[::step]}
                content.record(connection, project["id"], ordered)

    try:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(record, (1, -1)))
    finally:
        database.close()


def test_the_limit_of_an_hour_holds_when_all_come_at_once(server: RunningSubhosting) -> None:
    services = services_for(replace(server.config, limits=Limits(deployments_per_hour=5)))
    now = services.clock.now()
    someone = {"id": "someone", "name": "someone", "created_at": now, "updated_at": now}
    with services.database.writing() as connection:
        connection.execute(organizations.insert().values(someone))
    together = Barrier(8, timeout=20)

    def create(_number: int) -> bool:
        together.wait()
        try:
            with services.database.writing() as connection:
                rate.spend(services, connection, "someone")
        except TooManyDeployments:
            return False
        return True

    try:
        with ThreadPoolExecutor(8) as pool:
            made = list(pool.map(create, range(8)))
    finally:
        services.database.close()

    assert made.count(True) == 5


def test_negotiation_names_what_is_missing(server: RunningSubhosting, project: Json) -> None:
    server.deployed(project["id"], {"main.ts": HELLO})
    known, unknown = (
        hashlib.sha1(b"blob %d\0" % len(sent) + sent).hexdigest()  # noqa: S324 - git's
        for sent in (HELLO.encode(), b"never sent")
    )
    entries = {
        name: {"kind": "file", "gitSha1": sha1}
        for name, sha1 in {"main.ts": known, "new.ts": unknown}.items()
    }

    refused = server.deploy(project["id"], entries)

    assert (refused.status, refused.json["code"]) == (400, "assetNotFound")
    assert "new.ts" in refused.json["message"]
    assert "main.ts" not in refused.json["message"]
    accepted = server.deploy(project["id"], {"main.ts": entries["main.ts"]})
    assert accepted.status == 200, accepted


def test_v2_makes_an_app_and_deploys_it(server: RunningSubhosting) -> None:
    app = client.new_app(server)

    revision = client.deployed(server, app["id"], client.says("from v2"))

    assert revision["status"] == "succeeded"
    found = [host for each in client.hosts(revision).values() for host in each]
    assert server.get(found[0].partition(":")[0]).text == "from v2"


def test_what_was_answered_survives_a_killed_control_api(
    tmp_path: Path, postgresql: Postgresql
) -> None:
    url = postgresql.new_database()
    with RunningSubhosting(tmp_path / "data", database_url=url, **SETTINGS) as server:
        load = Load(server, count=40, clients=4)

        load.run_with_a_kill()

        load.assert_nothing_was_lost()
