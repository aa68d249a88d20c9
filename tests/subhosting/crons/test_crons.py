"""Crons of real apps, run by a host whose clock is put forward."""

from functools import partial

import pytest

from tests.subhosting.crons.conftest import MovedHost
from tests.subhosting.observation.observing import long_ago
from tests.subhosting.server import Json, deno_pids, wait_until

APP = """
const kv = await Deno.openKv();
Deno.cron("count", "* * * * *", async () => {
  const count = ((await kv.get(["count"])).value ?? 0) + 1;
  await kv.set(["count"], count);
  console.log("counted", count);
});
Deno.cron("never", "0 0 30 2 *", () => {});
Deno.serve(async () => new Response(String((await kv.get(["count"])).value)));
"""

FAILING = """
let attempts = 0;
Deno.cron("fail", "* * * * *", { backoffSchedule: [10, 20] }, () => {
  attempts++;
  if (attempts < 3) throw new Error(`attempt ${attempts}`);
});
Deno.cron("broken", "* * * * *", () => { throw new Error("always"); });
Deno.serve(() => new Response(""));
"""

SLOW = """
Deno.cron("slow", "* * * * *", async () => {
  console.log("began");
  await new Promise((resolve) => setTimeout(resolve, 60_000));
});
Deno.serve(() => new Response(""));
"""


def crons(moved: MovedHost, deployment: Json) -> dict[str, Json]:
    answer = moved.server.call("GET", f"/v1/deployments/{deployment['id']}/crons")
    assert answer.status == 200, answer
    return {cron["name"]: cron for cron in answer.json}


def ended_runs(moved: MovedHost, deployment: Json, name: str) -> list[Json]:
    runs: list[Json] = crons(moved, deployment)[name]["runs"]
    return [run for run in runs if run["status"] != "running"]


def has_both(moved: MovedHost, deployment: Json) -> bool:
    return len(crons(moved, deployment)) == 2


def deployed(moved: MovedHost, project: Json, source: str, database: Json, **more: object) -> Json:
    linked = {"default": database["id"]}
    made = moved.server.deployed(
        project["id"], {"main.ts": source}, databases=linked, enableCron=True, **more
    )
    assert made["status"] == "success", moved.server.build_log(made["id"])
    return made


def test_a_cron_runs_when_it_is_due_and_the_api_tells(
    moved: MovedHost, project: Json, database: Json
) -> None:
    live = deployed(moved, project, APP, database)
    wait_until(lambda: len(crons(moved, live)) == 2, "both crons")
    known = crons(moved, live)
    moved.next_minute()
    wait_until(lambda: ended_runs(moved, live, "count"), "a run")

    assert known["count"]["schedule"] == "* * * * *"
    assert known["count"]["nextRunAt"] is not None
    assert known["never"]["nextRunAt"] is None
    run = ended_runs(moved, live, "count")[-1]
    assert (run["status"], run["attempts"], run["message"]) == ("success", 1, None)
    assert run["dueAt"].endswith(":00Z")
    assert moved.server.get(live["domains"][0]).text == "1"
    log = f"/v1/deployments/{live['id']}/app_logs?since={long_ago()}"
    wait_until(lambda: moved.server.call("GET", f"{log}&q=counted").json, "its log line")
    dash = f"/api/projects/{project['name']}/deployments/{live['id']}/crons"
    shown = {each["cron_spec"]["name"]: each for each in moved.server.call("GET", dash).json}
    assert shown["count"]["history"][-1][0]["status"] == "success"
    assert shown["never"]["status"] == {"status": "unscheduled"}


def test_an_app_that_does_not_run_is_woken_for_its_time(
    moved: MovedHost, project: Json, database: Json
) -> None:
    live = deployed(moved, project, APP, database)
    moved.server.stop_host()
    assert not deno_pids(moved.server.data_dir)
    moved.server.start_host()
    moved.next_minute()

    wait_until(lambda: ended_runs(moved, live, "count"), "a run")
    assert moved.server.get(live["domains"][0]).text == "1"


def test_a_failed_run_is_repeated_by_the_app_s_own_schedule(
    moved: MovedHost, project: Json, database: Json
) -> None:
    live = deployed(moved, project, FAILING, database)
    wait_until(lambda: len(crons(moved, live)) == 2, "both crons")
    moved.next_minute()
    wait_until(
        lambda: ended_runs(moved, live, "fail") and ended_runs(moved, live, "broken"), "both runs"
    )

    repeated, once = (ended_runs(moved, live, name)[-1] for name in ("fail", "broken"))
    assert (repeated["status"], repeated["attempts"]) == ("success", 3)
    assert (once["status"], once["attempts"]) == ("failure", 1)
    assert once["message"] == "the handler failed; the app's log says why"
    log = f"/v1/deployments/{live['id']}/app_logs?since={long_ago()}&q=always"
    wait_until(lambda: moved.server.call("GET", log).json, "the exception")


def test_no_run_begins_while_the_one_before_goes_on(
    moved: MovedHost, project: Json, database: Json
) -> None:
    live = deployed(moved, project, SLOW, database)
    wait_until(lambda: crons(moved, live), "the cron")
    moved.next_minute()
    wait_until(lambda: crons(moved, live)["slow"]["runs"], "a run that goes on")
    moved.next_minute()
    # Another app's cron of the same minute shows that the host has looked.
    other = deployed(moved, moved.server.new_project(), FAILING, _database(moved))
    wait_until(lambda: len(crons(moved, other)) == 2, "the other crons")
    moved.next_minute()
    wait_until(lambda: ended_runs(moved, other, "broken"), "the other's run")

    assert [run["status"] for run in crons(moved, live)["slow"]["runs"]] == ["running"]
    moved.server.stop_host()
    moved.server.start_host()
    wait_until(lambda: ended_runs(moved, live, "slow"), "its end")
    ended = ended_runs(moved, live, "slow")[-1]
    assert (ended["status"], ended["message"]) == ("failure", "the server stopped while it ran")


def test_the_newest_deployment_of_the_first_project_owns_the_crons(
    moved: MovedHost, project: Json, database: Json
) -> None:
    old = deployed(moved, project, APP, database)
    new = deployed(moved, project, f"{APP} // 2", database)
    stranger = deployed(moved, moved.server.new_project(), f"{APP} // 3", database)
    without = moved.server.deployed(
        project["id"], {"main.ts": f"{APP} // 4"}, databases={"default": database["id"]}
    )
    for each in (old, new, stranger, without):
        wait_until(partial(has_both, moved, each), "its crons")

    in_force = [
        crons(moved, each)["count"]["nextRunAt"] is not None
        for each in (old, new, stranger, without)
    ]
    assert in_force == [False, True, False, False]


@pytest.mark.parametrize(("flag", "status"), [(False, "failed"), (True, "succeeded")])
def test_a_v2_revision_must_not_register_crons_if_its_config_says_so(
    moved: MovedHost, flag: object, status: str
) -> None:
    app = moved.server.call("POST", "/v2/apps", {}).json
    source = 'Deno.cron("each", "* * * * *", () => {}); Deno.serve(() => new Response(""));'
    body = {
        "assets": {"main.ts": {"kind": "file", "content": source}},
        "config": {"runtime": {"type": "dynamic", "entrypoint": "main.ts"}, "crons": flag},
    }
    made = moved.server.call("POST", f"/v2/apps/{app['slug']}/deploy", body).json
    log = moved.server.build_log(made["id"])
    found = moved.server.call("GET", f"/v2/revisions/{made['id']}").json

    assert found["status"] == status, log
    said = any("registers crons (each), and config.crons is false" in str(line) for line in log)
    assert said is not flag
    if flag:
        wait_until(lambda: crons(moved, made), "the cron")
        assert crons(moved, made)["each"]["context"] == "production"
        assert crons(moved, made)["each"]["nextRunAt"] is not None


def _database(moved: MovedHost) -> Json:
    path = f"/v1/organizations/{moved.server.organization}/databases"
    made: Json = moved.server.call("POST", path, {"description": "another"}).json
    return made
