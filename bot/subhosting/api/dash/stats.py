"""What a project uses at this moment: `deployctl top`."""

from typing import Any

from flask import Blueprint, Response

from bot.subhosting.api import log_streams
from bot.subhosting.api.log_streams import NDJSON
from bot.subhosting.api.requests import organization_id, services
from bot.subhosting.service import metering, projects, regions
from bot.subhosting.service.analytics import PROCESSES_ARE_MEASURED
from bot.subhosting.service.metering import Rates

# By KV Connect there are none, and without it nobody sees them.
_OF_QUEUES = ("enqueuePerMinute", "dequeuePerMinute")


def register(routes: Blueprint) -> None:
    """Add the route."""
    routes.get("/projects/<project>/stats")(stream_stats)


def stream_stats(project: str) -> Response:
    """GET /projects/{nameOrId}/stats: a line per running deployment, as long as one listens."""
    found = projects.get_by_name_or_id(services(), organization_id(), project)

    # Before the stream begins: then there is no request any more that could be asked.
    kv_counted = services().config.kv_connect

    def document(rates: Rates) -> dict[str, Any]:
        return _document(found.id, rates, kv_counted=kv_counted)

    lines = metering.follow(services(), found.id)
    return log_streams.stream(lines, document, NDJSON, services().clock)


def _document(project_id: str, rates: Rates, *, kv_counted: bool) -> dict[str, Any]:
    """Return a `ProjectStats` (deployctl, `api_types.ts`); null is what cannot be measured.

    Its `uptime` is left out: a deployment may be several processes, and deployctl shows none.
    """
    measured = PROCESSES_ARE_MEASURED
    return {
        # One process at a time serves a deployment, so this names all that can be named.
        "id": rates.deployment_id,
        "region": regions.THIS_SERVER,
        "projectId": project_id,
        "deploymentId": rates.deployment_id,
        "requestsPerMinute": rates.requests_per_minute,
        "cpuTimePerSecond": rates.cpu_ms_per_s if measured else None,
        "cpuTimePerRequest": rates.cpu_ms_per_request if measured else None,
        "maxRss5Minutes": rates.max_rss_bytes if measured else None,
        "ingressBytesPerMinute": rates.ingress_bytes_per_minute,
        "egressBytesPerMinute": rates.egress_bytes_per_minute,
        "kvReadUnitsPerMinute": rates.kv_read_units_per_minute if kv_counted else None,
        "kvWriteUnitsPerMinute": rates.kv_write_units_per_minute if kv_counted else None,
        **dict.fromkeys(_OF_QUEUES, 0 if kv_counted else None),
    }
