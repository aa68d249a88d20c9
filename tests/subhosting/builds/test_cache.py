"""A second build of an app finds what its first one downloaded."""

from tests.subhosting.builds.app import deployed, said, with_commands
from tests.subhosting.server import RunningSubhosting, wait_until
from tests.subhosting.v2.client import new_app

FILES = {
    "main.ts": 'import words from "npm:tiny-greeting@1"; Deno.serve(() => new Response(words));'
}
RESTORED = "Restored the packages of the last build"


def test_the_next_build_of_an_app_downloads_nothing_twice(server: RunningSubhosting) -> None:
    app, other = new_app(server), new_app(server)
    config = with_commands(install="deno install --entrypoint main.ts", build="true")

    first = deployed(server, app["id"], FILES, config=config)
    kept = server.data_dir / "caches" / app["id"] / "1"
    wait_until(kept.exists, "the packages to be kept")
    second = deployed(server, app["id"], FILES, config=config)
    plain = deployed(server, app["id"], FILES, config=with_commands())
    elsewhere = deployed(server, other["id"], FILES, config=config)

    assert first["status"] == second["status"] == plain["status"] == "succeeded"
    logs = [said(server, each["id"]) for each in (first, second, plain, elsewhere)]
    downloads = [sum(".tgz" in line for line in lines) for lines in logs]
    assert [RESTORED in lines for lines in logs] == [False, True, True, False]
    assert downloads == [1, 0, 0, 1]
    assert server.get(f"{app['slug']}.localhost").text == "hello from a package"


def test_a_failed_build_leaves_nothing_to_the_next(server: RunningSubhosting) -> None:
    app = new_app(server)
    config = with_commands(install="deno install --entrypoint main.ts", build="exit 1")

    failed = deployed(server, app["id"], FILES, config=config)

    assert failed["status"] == "failed"
    assert not (server.data_dir / "caches" / app["id"]).exists()
