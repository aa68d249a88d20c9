"""What an app did, read back through Deno's own SDKs: log, visitors, data, crons, a failed build.

The SDK of v2 has no call for analytics and none for databases: visitors are counted over plain
HTTP there.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.conformance.conftest import Site
from tests.conformance.nameserver import Nameserver
from tests.conformance.recording import Record
from tests.conformance.sdk import environment, running
from tests.conformance.world import V1World, V2World
from tests.subhosting.domains.world import TlsProxy
from tests.subhosting.server import request

WITH_KV = """
const kv = await Deno.openKv();
Deno.cron("tick", "* * * * *", async () => {
  await kv.set(["ticked"], "by the cron");
  console.info((await kv.get(["ticked"])).value);
});
Deno.serve(async () => {
  await kv.atomic().sum(["visits"], 1n).commit();
  const visits = String((await kv.get(["visits"])).value.value);
  console.warn(`visit ${visits}`);
  return new Response(visits);
});
"""

WITHOUT_KV = """
Deno.cron("tick", "* * * * *", () => console.info("by the cron"));
Deno.serve(() => { console.warn("visited"); return new Response("hello"); });
"""

UNPARSABLE = "Deno.serve(() => new Response(;"
COMPLAINT = "SyntaxError: Expression expected"


def let_a_minute_begin(tmp_path: Path) -> None:
    """Put the host's clock forward; see `tests.subhosting.process`."""
    new = tmp_path / "new"
    new.write_text("60", encoding="utf-8")
    new.replace(tmp_path / "data.ahead")


def test_through_v1(
    fresh: Callable[[str], Site], record: Record, zone: Nameserver, tls: TlsProxy, tmp_path: Path
) -> None:
    site = fresh("read back by subhosting")
    url, token = f"{site.proxy.url}/v1", site.server.token
    with running(environment("v1"), "v1.py", url, token) as sdk:
        v1 = V1World(site.server, sdk, record, zone, tls)
        project = v1.project()
        linked = {"default": v1.database()["id"]}
        # Of a later version than this SDK.
        more = {"enableCron": True}
        live = v1.deployed(project["id"], WITH_KV, databases=linked, extra_body=more)
        visits = [v1.text_at(live["domains"][0]) for _ in range(2)]

        def said(text: str) -> Any:  # noqa: ANN401 - JSON is anything
            since = v1.now(hours=-1)
            return v1.call("deployments.app_logs.get", live["id"], since=since, q=text)

        def used(name: str) -> list[Any]:
            span = {"since": v1.now(hours=-1), "until": v1.now(minutes=30)}
            got = v1.call("projects.analytics.get", project["id"], **span)
            place = [each["name"] for each in got["fields"]].index(name)
            return [row[place] for row in got["values"]]

        def requests() -> bool:
            seen: int = sum(used("requestCount"))
            return seen == len(visits)

        def operations() -> bool:
            # Each visitor is one sum and one look at it, of a few bytes.
            names = ("kvWriteCount", "kvWriteUnits", "kvReadCount", "kvReadUnits")
            return all(sum(used(name)) == len(visits) for name in names)

        assert visits == ["1", "2"]
        assert v1.eventually(lambda: said("visit 2"))[0]["level"] == "warning"
        assert v1.eventually(requests)
        assert v1.eventually(operations)
        assert v1.eventually(lambda: used("kvStorageBytes")[-1] > 0)
        let_a_minute_begin(tmp_path)
        assert v1.eventually(lambda: said("by the cron"))[0]["level"] == "info"

        failed = v1.deployed(project["id"], UNPARSABLE)
        lines = v1.call("deployments.build_logs.get", failed["id"])
        assert failed["status"] == "failed"
        assert COMPLAINT in "\n".join(
            line["message"] for line in lines if line["level"] == "error"
        )


def test_through_v2(
    fresh: Callable[[str], Site], record: Record, zone: Nameserver, tls: TlsProxy, tmp_path: Path
) -> None:
    site = fresh("read back by deno-sandbox")
    variables = {"DENO_DEPLOY_ENDPOINT": site.proxy.url, "DENO_DEPLOY_TOKEN": site.server.token}
    with running(Path(sys.executable), "v2.py", **variables) as sdk:
        v2 = V2World(site.server, sdk, record, zone, tls)
        app = v2.app()
        live = v2.deployed(app["slug"], WITHOUT_KV)
        assert v2.text_at(v2.hosts(live["id"])[0]) == "hello"

        def said(text: str) -> Any:  # noqa: ANN401 - JSON is anything
            page = v2.call("apps.logs", app["slug"], start=v2.now(hours=-1), query=text)
            return page["logs"]

        assert v2.eventually(lambda: said("visited"))[0]["level"] == "warn"
        assert v2.eventually(lambda: counted(site, app["slug"], v2) == 1)
        let_a_minute_begin(tmp_path)
        assert v2.eventually(lambda: said("by the cron"))[0]["level"] == "info"

        failed = v2.deployed(app["slug"], UNPARSABLE)
        lines = v2.call("revisions.build_logs", failed["id"])
        assert (failed["status"], failed["failure_reason"]) == ("failed", "error")
        assert COMPLAINT in "\n".join(
            line["message"] for line in lines if line["level"] == "error"
        )


def counted(site: Site, app: str, v2: V2World) -> int:
    """Return how many visitors were counted, of which the SDK cannot ask."""
    span = urlencode({"since": v2.now(hours=-1), "until": v2.now(minutes=30)})
    headers = {"Authorization": f"Bearer {site.server.token}"}
    path = f"/v2/apps/{app}/analytics?{span}"
    found = request(site.proxy.server_port, "GET", path, headers=headers).json
    place = [each["name"] for each in found["fields"]].index("request_count")
    return sum(row[place] for row in found["values"])
