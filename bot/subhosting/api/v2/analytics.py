"""Analytics of v2: what an app used, in whole buckets."""

from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, Response

from bot.subhosting.api import answers, parameters
from bot.subhosting.api.requests import organization_id, services
from bot.subhosting.service import analytics, apps
from bot.subhosting.service.analytics import PROCESSES_ARE_MEASURED
from bot.subhosting.store.usage import Usage
from bot.wire import deploy_v2_revisions as wire

# Nothing is published; this is how long the host keeps them.
_LONGEST = timedelta(days=90)

# Clients map columns by name. What is not measured is left out, for the schema knows no null, and
# a zero would be a lie: these where the host cannot see what a process uses, or does with KV.
_OF_PROCESSES = ("cpu_seconds", "memory_time_byte_seconds")
_OF_KV = ("kv_read_units", "kv_write_units")


def register(v2: Blueprint) -> None:
    """Add the route."""
    v2.get("/apps/<app>/analytics")(get_analytics)


def get_analytics(app: str) -> Response:
    """GET /apps/{app}/analytics: every bucket that lies within the range, by default a day."""
    project = apps.find(services(), organization_id(), app)
    since, until = parameters.moment("since"), parameters.moment("until")
    now = services().clock.now()
    wanted = analytics.range_between(now, since, until, longest=_LONGEST).narrowed()
    rows = [_row(*each) for each in analytics.of_project(services(), project.id, wanted)]
    names = list(_row(now, Usage()))
    document = wire.Analytics(
        fields=[
            wire.AnalyticsField(name=name, type="time" if name == "time" else "number")
            for name in names
        ],
        values=[list(row.values()) for row in rows],
    )
    return answers.json(document.model_dump(mode="json"))


def _row(moment: datetime, usage: Usage) -> dict[str, Any]:
    row = {
        "time": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
        "request_count": usage.requests,
        "cpu_seconds": round(usage.cpu_s, 3),
        "runtime_seconds": round(usage.uptime_s, 3),
        "memory_time_byte_seconds": round(usage.memory_byte_s),
        "network_ingress_bytes": usage.ingress_bytes,
        "network_egress_bytes": usage.egress_bytes,
        "kv_read_units": usage.kv_read_units,
        "kv_write_units": usage.kv_write_units,
    }
    unknown = {
        *(() if PROCESSES_ARE_MEASURED else _OF_PROCESSES),
        *(() if services().config.kv_connect else _OF_KV),
    }
    return {name: value for name, value in row.items() if name not in unknown}
