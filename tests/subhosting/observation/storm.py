"""An app that says very much at once."""

from pathlib import Path
from urllib.parse import urlencode

from tests.subhosting.observation.observing import long_ago
from tests.subhosting.server import RunningSubhosting, wait_until

STORMING = """
Deno.serve((request) => {
  const lines = Number(new URL(request.url).searchParams.get("lines"));
  for (let line = 0; line < lines; line++) console.log(`line ${line}`);
  return new Response("said");
});
"""
# No quota of ours: this is about what gets lost on the way.
SETTINGS = {"runtime": {"log_bytes_per_s": 1 << 30, "log_lines_per_s": 1_000_000}}
_PAGE = 10_000


def stored_after_a_storm(data_dir: Path, lines: int) -> list[str]:
    """Have an app say so many lines in one go, and return what its log holds in the end."""
    with RunningSubhosting(data_dir, **SETTINGS) as server:
        live = server.deployed(server.new_project()["id"], {"main.ts": STORMING})
        assert server.get(live["domains"][0], f"/?lines={lines}").text == "said"
        last = f"line {lines - 1}"
        wait_until(lambda: _log(server, live["id"], q=last), "the last line", within_s=90)
        return _all(server, live["id"])


def _all(server: RunningSubhosting, deployment: str) -> list[str]:
    path, found = _path(deployment, limit=_PAGE, order="asc"), []
    while path:
        answer = server.call("GET", path)
        found += [line["message"] for line in answer.json]
        link = answer.headers.get("link", "")
        path = "/" + link[1:].partition(">")[0].split("/", 3)[3] if 'rel="next"' in link else ""
    return found


def _log(server: RunningSubhosting, deployment: str, **query: object) -> list[object]:
    found: list[object] = server.call("GET", _path(deployment, **query)).json
    return found


def _path(deployment: str, **query: object) -> str:
    return f"/v1/deployments/{deployment}/app_logs?{urlencode({'since': long_ago(), **query})}"
