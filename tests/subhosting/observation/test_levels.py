"""The levels of the console, as real apps use it, read back by both APIs."""

from tests.subhosting.observation.observing import (
    NDJSON,
    long_ago,
    next_line,
    now,
    spelled,
    streaming,
)
from tests.subhosting.server import Json, RunningSubhosting, wait_until

CONSOLE = """
Deno.serve(async (request) => {
  const path = new URL(request.url).pathname;
  if (path === "/levels") {
    console.debug("low", 1);
    console.info("plain");
    console.warn("careful");
    console.error("bad");
    console.log("one\\ntwo", { deep: [1, { a: "b" }] });
  }
  if (path === "/flood") {
    for (let time = 0; time < 3000; time++) console.log(`flood ${time}`);
  }
  if (path === "/native") Deno.stderr.writeSync(new TextEncoder().encode("straight\\n"));
  if (path === "/env") return Response.json(Deno.env.toObject());
  if (path === "/crash") setTimeout(() => { throw new Error("lost my way"); });
  if (path.startsWith("/export/")) {
    const url = Deno.env.get("OTEL_EXPORTER_OTLP_ENDPOINT") + "/v1/logs";
    return new Response(await fetch(url, { method: "POST" }).catch(String));
  }
  return new Response("done");
});
"""


def lines_of(server: RunningSubhosting, deployment: Json) -> list[tuple[str, str]]:
    path = f"/v1/deployments/{deployment['id']}/app_logs?since={long_ago()}&limit=10000&order=asc"
    return [(line["level"], line["message"]) for line in server.call("GET", path).json]


def wait_for(server: RunningSubhosting, deployment: Json, message: str) -> None:
    def found() -> bool:
        return any(message in text for _, text in lines_of(server, deployment))

    wait_until(found, f"the line {message}")


def test_each_method_of_the_console_has_its_level(
    observed: RunningSubhosting, own_project: Json
) -> None:
    live = observed.deployed(own_project["id"], {"main.ts": CONSOLE})
    observed.get(live["domains"][0], "/levels")
    wait_for(observed, live, "deep")

    assert lines_of(observed, live) == [
        ("debug", "low 1"),
        ("info", "plain"),
        ("warning", "careful"),
        ("error", "bad"),
        ("info", 'one\ntwo { deep: [ 1, { a: "b" } ] }'),
    ]
    v2 = f"/v2/apps/{own_project['name']}/logs?start={long_ago()}&end={spelled(now())}"
    warned = observed.call("GET", f"{v2}&level=warn").json["logs"]
    assert [(line["level"], line["message"]) for line in warned] == [
        ("warn", "careful"),
        ("error", "bad"),
    ]


def test_a_live_stream_shows_levels_soon(observed: RunningSubhosting, own_project: Json) -> None:
    live = observed.deployed(own_project["id"], {"main.ts": CONSOLE})
    path = f"/v1/deployments/{live['id']}/app_logs?level=debug"
    with streaming(observed, path, NDJSON) as stream:
        said_at = now()
        observed.get(live["domains"][0], "/levels")
        first = next_line(stream)
        shown_at = now()

    assert (first["level"], first["message"]) == ("debug", "low 1")
    assert (shown_at - said_at).total_seconds() < 3


def test_nothing_of_a_burst_is_lost(observed: RunningSubhosting, own_project: Json) -> None:
    live = observed.deployed(own_project["id"], {"main.ts": CONSOLE})
    observed.get(live["domains"][0], "/flood")
    wait_for(observed, live, "flood 2999")

    assert lines_of(observed, live) == [("info", f"flood {time}") for time in range(3000)]


def test_what_does_not_come_by_the_console_is_kept_too(
    observed: RunningSubhosting, own_project: Json
) -> None:
    live = observed.deployed(own_project["id"], {"main.ts": CONSOLE})
    observed.get(live["domains"][0], "/native")
    observed.get(live["domains"][0], "/crash")
    wait_for(observed, live, "lost my way")

    found = lines_of(observed, live)
    assert found[0] == ("error", "straight")
    assert {level for level, _ in found} == {"error"}
    assert "Uncaught Error: lost my way" in found[1][1].replace("(in promise) ", "")


def test_what_was_said_just_before_a_stop_is_kept(
    observed: RunningSubhosting, own_project: Json
) -> None:
    live = observed.deployed(own_project["id"], {"main.ts": CONSOLE})
    observed.get(live["domains"][0], "/levels")
    observed.stop_host()
    observed.start_host()

    wait_for(observed, live, "deep")
    assert len(lines_of(observed, live)) == 5


def test_an_app_reaches_neither_the_receiver_nor_another_s_log(
    observed: RunningSubhosting, own_project: Json
) -> None:
    hosts = [
        observed.deployed(own_project["id"], {"main.ts": f"{CONSOLE} // {n}"})["domains"][0]
        for n in range(2)
    ]
    secrets = {observed.get(host, "/env").json["OTEL_EXPORTER_OTLP_HEADERS"] for host in hosts}

    assert len(secrets) == 2
    assert "NotCapable" in observed.get(hosts[0], "/export/").text


def test_the_build_log_holds_what_an_app_says_at_its_start(
    observed: RunningSubhosting, own_project: Json
) -> None:
    broken = 'console.warn("first\\nsecond");\nthrow new Error("no way");'
    made = observed.deployed(own_project["id"], {"main.ts": broken})

    said = [line["message"] for line in observed.build_log(made["id"])]
    assert made["status"] == "failed"
    assert said.index("first") + 1 == said.index("second")
    assert any("Error: no way" in each for each in said)
    assert any("at file:///src/main.ts:2:7" in each for each in said)
