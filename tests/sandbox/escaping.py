"""Runs every attempt at one level, in an app and in a build, and finds out who won."""

import contextlib
import json
import re
import socket
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from bot.subhosting.host_link import control_socket
from tests.sandbox.attempt import WON, Attempt, Language, Place
from tests.sandbox.attempts.everything import ATTEMPTS
from tests.sandbox.attempts.resources import LIMITS
from tests.sandbox.outside import Outside, canaries, processes
from tests.subhosting.builds.app import deployed, log, with_commands
from tests.subhosting.server import CANARY, Answer, Json, RunningSubhosting, wait_until
from tests.subhosting.v2.client import new_app

_FOLDER = Path(__file__).parent / "scripts"

# Everything that a deno.json may ask for.
_UNSTABLE = ["kv", "http", "net", "vsock", "ffi", "worker-options", "raw-imports"]

_NEIGHBOUR = """using kv = await Deno.openKv();
await kv.set(["secret"], "CANARY");
console.log("CANARY");
Deno.serve(() => new Response("CANARY"));"""

# Without the proxy that builds are asked to use.
_BUILD = "env -u HTTP_PROXY -u HTTPS_PROXY -u http_proxy -u https_proxy deno run -A build.ts"

_AT_ONCE = 6


@dataclass(slots=True)
class Outcome:
    """What came of all attempts at one level in one kind of place."""

    place: Place
    answers: dict[str, str] = field(default_factory=dict)
    # Ids of attempts of which something outside was heard or found.
    seen: set[str] = field(default_factory=set)

    def has_won(self, attempt: Attempt) -> bool:
        """Return whether the attacker succeeded."""
        answer = self.answers[attempt.id]
        return attempt.id in self.seen or CANARY in answer or WON in answer.split()

    def word(self, attempt: Attempt) -> str:
        """Return by what an attempt is known outside: its `id`."""
        return f"{self.place.value}-{attempt.id}."


# Which attempts are made where.
Tried = Callable[[Attempt, Place], bool]


def outcomes(data_dir: Path, level: str, is_tried: Tried) -> dict[Place, Outcome]:
    """Run at a level what is to be tried there."""
    settings: Json = {"highest_isolation": level, "warm_up": 20, "runtime": LIMITS}
    chosen = {place: [each for each in ATTEMPTS if is_tried(each, place)] for place in Place}
    with canaries() as outside, RunningSubhosting(data_dir, **settings) as server:
        _introduce(outside, server)
        with ThreadPoolExecutor() as pool:
            building = pool.submit(_in_a_build, outside, server, chosen[Place.BUILD])
            app = _in_an_app(outside, server, chosen[Place.APP])
            build = building.result()
        _bring(outside, server, chosen[Place.APP], app)
        _alone(server, chosen[Place.APP], app)
        for place, outcome in ((Place.APP, app), (Place.BUILD, build)):
            _look_outside(outside, server, chosen[place], outcome)
        return {Place.APP: app, Place.BUILD: build}


def _introduce(outside: Outside, server: RunningSubhosting) -> None:
    """Add another tenant and our own doors to the world."""
    organization = f"/v1/organizations/{server.organization}"
    database = server.call("POST", f"{organization}/databases", {}).json["id"]
    source = _NEIGHBOUR.replace("CANARY", CANARY)
    project = server.new_project()["id"]
    neighbour = server.deployed(project, {"main.ts": source}, databases={"default": database})
    assert neighbour["status"] == "success", server.build_log(neighbour["id"])
    assert server.host is not None
    folder = server.data_dir / "deployments" / neighbour["id"]
    said = folder / "logs" / "app.log"
    wait_until(lambda: said.exists() and CANARY in said.read_text(), "the neighbour's line")
    [neighbours_socket] = (server.runtime_dir / "i").glob(f"{neighbour['id']}.*/s")
    outside.world |= {
        "api": server.api_port,
        "previews": server.previews_port,
        "host_pid": server.host.pid,
        "database": str(server.data_dir / "subhosting.db"),
        "blobs": str(server.config.blobs_dir),
        "deployments": str(server.config.deployments_dir),
        "tools": str(server.config.tools_dir),
        "control": str(control_socket(server.data_dir)),
        "neighbour": neighbour["id"],
        "neighbour_host": server.authority(neighbour["domains"][0]),
        "neighbour_folder": str(folder),
        "neighbour_socket": str(neighbours_socket),
        "kv": str(server.config.kv_file(database)),
    }


def _in_an_app(outside: Outside, server: RunningSubhosting, chosen: Iterable[Attempt]) -> Outcome:
    attempts = [each for each in chosen if each.language is Language.JAVASCRIPT and not each.alone]
    files = {**_files(outside, attempts), "main.ts": _script("app.ts"), "spare.ts": "spare"}
    live = server.deployed(server.new_project()["id"], files)
    assert live["status"] == "success", server.build_log(live["id"])
    outcome = Outcome(Place.APP)

    def ask(attempt: Attempt) -> None:
        answer = server.get(live["domains"][0], f"/{attempt.id}")
        outcome.answers[attempt.id] = _said(answer)
        if found := re.search(r"PORT (\d+)", answer.text):
            _visit(int(found[1]), attempt, outcome)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(ask, attempts))
    return outcome


def _in_a_build(
    outside: Outside, server: RunningSubhosting, attempts: Sequence[Attempt]
) -> Outcome:
    files = {
        **_files(outside, [each for each in attempts if each.language is Language.JAVASCRIPT]),
        **{f"{each.id}.sh": each.script for each in attempts if each.language is Language.SHELL},
        "build.ts": _script("build.ts"),
        "main.ts": _script("left.ts"),
    }
    app = new_app(server)
    config = with_commands(build=_BUILD)
    made = deployed(server, app["id"], files, config=config, production=True)
    lines = [line["message"] for line in log(server, made["id"])]
    outcome = Outcome(Place.BUILD)
    for line in lines:
        if line.startswith("ANSWER "):
            _, name, text = line.split(" ", 2)
            outcome.answers[name] = json.loads(text)
    assert made["status"] == "succeeded", lines
    missing = {each.id for each in attempts} - outcome.answers.keys()
    assert not missing, lines
    left = server.get(f"{app['slug']}.localhost").json
    for attempt in attempts:
        if name := re.search(r"left-\w+", attempt.script):
            outcome.answers[attempt.id] += left[name[0]]
    return outcome


def _bring(
    outside: Outside, server: RunningSubhosting, chosen: Iterable[Attempt], outcome: Outcome
) -> None:
    """Deploy files and links that lead out."""
    for attempt in (each for each in chosen if each.language is Language.ASSETS):
        word = outcome.word(attempt)
        assets = attempt.script.replace("$folder", str(outside.folder)).replace("$id", word)
        made = server.deploy(server.new_project()["id"], json.loads(assets))
        answer = f"refused: {made.text}"
        if made.status == 200:
            server.build_log(made.json["id"])
            live = server.call("GET", f"/v1/deployments/{made.json['id']}").json
            if live["status"] == "success":
                answer = _said(server.get(live["domains"][0]))
        outcome.answers[attempt.id] = answer


def _alone(server: RunningSubhosting, chosen: Iterable[Attempt], outcome: Outcome) -> None:
    """Run what needs a process of its own, and look at the neighbours meanwhile."""

    def run(attempt: Attempt) -> None:
        files = {**_files(Outside(), [attempt]), "main.ts": _script("app.ts")}
        live = server.deployed(server.new_project()["id"], files)
        assert live["status"] == "success", server.build_log(live["id"])
        answer = _said(server.get(live["domains"][0], f"/{attempt.id}"))
        logs = server.data_dir / "deployments" / live["id"] / "logs"
        if sum(file.stat().st_size for file in logs.glob("*")) > 4 * LIMITS["log_file_bytes"]:
            answer += f" {WON}: it filled the disk"
        # Whatever it did, it is served again.
        if server.get(live["domains"][0], "/hello").text != "refused: no such attempt":
            answer += f" {WON}: it stayed broken"
        outcome.answers[attempt.id] = answer

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(run, (each for each in chosen if each.alone)))


def _look_outside(
    outside: Outside, server: RunningSubhosting, attempts: Iterable[Attempt], outcome: Outcome
) -> None:
    """Find what attempts left outside, each under its own word."""
    folders = (
        outside.folder,
        Path(outside.world["neighbour_folder"]) / "src",
        server.config.tools_dir,
    )
    names = [each.name for folder in folders if folder.is_dir() for each in folder.iterdir()]
    for attempt in attempts:
        word = outcome.word(attempt)
        if outside.has_heard(word) or any(name.startswith(word) for name in names):
            outcome.seen.add(attempt.id)
        daemon = re.search(r"sleep (\S*\$nap)", attempt.script)
        if daemon and processes(outside.sleeping(daemon[1])):
            outcome.seen.add(attempt.id)


def _visit(port: int, attempt: Attempt, outcome: Outcome) -> None:
    """Connect to a port that an attempt says it listens on."""
    with (
        contextlib.suppress(OSError),
        socket.create_connection(("127.0.0.1", port), timeout=2) as connection,
        connection.makefile("rb") as answer,
    ):
        connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
        if outcome.word(attempt).encode() in answer.read():
            outcome.seen.add(attempt.id)


def _said(answer: Answer) -> str:
    """Return what the attempt said; a page of the router's is nothing that it said."""
    return answer.text if answer.status == 200 else f"refused: {answer.status}"


def _script(name: str) -> str:
    return (_FOLDER / name).read_text()


def _files(outside: Outside, attempts: Iterable[Attempt]) -> dict[str, str]:
    body = "\n".join(f'"{each.id}": async (w, id) => {{ {each.script}\n}},' for each in attempts)
    return {
        "attempts.js": f"export const attempts = {{\n{body}\n}};\n",
        "answering.js": _script("answering.js"),
        "world.json": json.dumps(outside.world),
        "deno.json": json.dumps({"unstable": _UNSTABLE}),
    }
