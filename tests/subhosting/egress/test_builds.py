"""What a build fetches goes out by the proxy, whoever it is that fetches."""

import re

import pytest

from tests.subhosting.builds.app import SERVES_A_FILE, deployed, said, with_commands
from tests.subhosting.egress.conftest import Modules
from tests.subhosting.server import Json, RunningSubhosting
from tests.subhosting.v2.client import new_app

SERVES_WORDS = 'import words from "{}";\nDeno.serve(() => new Response(words));'


@pytest.fixture
def project(outgoing: RunningSubhosting) -> Json:
    return outgoing.new_project()


def log(server: RunningSubhosting, deployment: Json) -> str:
    return "\n".join(line["message"] for line in server.build_log(deployment["id"]))


def test_imports_and_packages_come_by_the_proxy(
    outgoing: RunningSubhosting, project: Json, modules: Modules
) -> None:
    modules.files["/words.ts"] = 'export { default } from "npm:tiny-greeting@1";'
    live = outgoing.deployed(
        project["id"], {"main.ts": SERVES_WORDS.format(modules.opened("/words.ts"))}
    )

    assert live["status"] == "success", log(outgoing, live)
    assert outgoing.get(live["domains"][0]).text == "hello from a package"
    assert f"egress_ended owner={live['id']} " in outgoing.log.read_text()


def test_an_import_from_a_closed_address_fails_the_build_and_is_named(
    outgoing: RunningSubhosting, project: Json, modules: Modules
) -> None:
    modules.files["/words.ts"] = "export default 1;"
    closed = modules.closed("/words.ts")
    ended = outgoing.deployed(project["id"], {"main.ts": SERVES_WORDS.format(closed)})

    assert ended["status"] == "failed"
    assert closed in log(outgoing, ended)
    assert f"127.0.0.1:{modules.server_port} is refused: the host is not known" in log(
        outgoing, ended
    )
    assert modules.asked == []


def test_a_redirect_to_a_closed_address_is_not_followed(
    outgoing: RunningSubhosting, project: Json, modules: Modules
) -> None:
    modules.files["/words.ts"] = "export default 1;"
    modules.away["/away.ts"] = modules.closed("/words.ts")
    source = SERVES_WORDS.format(modules.opened("/away.ts"))
    ended = outgoing.deployed(project["id"], {"main.ts": source})

    assert ended["status"] == "failed"
    assert "is refused" in log(outgoing, ended)
    assert modules.paths() == ["/away.ts"]


def test_a_command_goes_out_by_the_proxy_with_a_password_of_its_own(
    outgoing: RunningSubhosting, modules: Modules
) -> None:
    modules.files["/open"] = "words"
    app = new_app(outgoing)
    fetches = f"""
for (const url of ["{modules.opened("/open")}", "{modules.closed("/open")}"]) {{
  console.log(url, (await fetch(url)).status);
}}"""
    build = "deno run -N make.ts && mkdir dist && env > dist/made.txt"
    live = deployed(
        outgoing,
        app["id"],
        {"main.ts": SERVES_A_FILE, "make.ts": fetches},
        config=with_commands(build=build),
    )

    assert live["status"] == "succeeded", said(outgoing, live["id"])
    heard = said(outgoing, live["id"], "building")
    assert f"{modules.opened('/open')} 200" in heard
    assert f"{modules.closed('/open')} 403" in heard
    variables = outgoing.get(f"{app['slug']}.localhost").text
    passwords = set(re.findall(r"(?i:http)s?_proxy=http://build:([^@]{30,})@", variables))
    assert len(passwords) == 1
    kept = outgoing.log.read_text() + str(said(outgoing, live["id"]))
    assert passwords.pop() not in kept
