"""Vite, as it is on npm, builds a site on the server: with native programs, without Node."""

from pathlib import Path

from bot.core.model.outcomes import LogLine
from bot.core.render.diagnostics import diagnose
from soak.registry import settings
from tests.subhosting.builds.app import deployed, log, said
from tests.subhosting.server import RunningSubhosting, wait_until
from tests.subhosting.v2.client import new_app, progress

SITE = Path(__file__).parent / "vite"


def site() -> dict[str, str]:
    paths = [path for path in SITE.rglob("*") if path.is_file()]
    return {path.relative_to(SITE).as_posix(): path.read_text() for path in paths}


def test_vite_builds_a_site_and_says_where_it_is_wrong(tmp_path: Path) -> None:
    with RunningSubhosting(tmp_path / "data", **settings()) as server:
        app = new_app(server)

        # No configuration at all: package.json says enough.
        live = deployed(server, app["id"], site())
        assert live["status"] == "succeeded", "\n".join(said(server, live["id"]))
        wait_until((server.data_dir / "caches" / app["id"]).exists, "the packages to be kept")
        again = deployed(server, app["id"], site())
        broken = {**site(), "src/main.ts": "const words = = 1;"}
        failed = deployed(server, app["id"], broken)

        page = server.get(f"{app['slug']}.localhost")
        script = page.text.partition('src="')[2].partition('"')[0]
        assert "built by Vite" in server.get(f"{app['slug']}.localhost", script).text
        assert live["config"]["runtime"] == {"type": "static", "cwd": "dist"}
        downloads = [
            sum(".tgz" in line for line in said(server, each["id"])) for each in (live, again)
        ]
        assert downloads[0] > 0
        assert downloads[1] == 0
        assert progress(server, again["id"])[-1]["building"]["status"] == "succeeded"
        lines = [
            LogLine(level="error", message=each["message"]) for each in log(server, failed["id"])
        ]
        found = diagnose(lines)
        assert [(each.path, each.line, each.message) for each in found] == [
            ("src/main.ts", 1, 'Unexpected "="')
        ]
