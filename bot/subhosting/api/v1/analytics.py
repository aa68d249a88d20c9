"""Analytics of v1: what a project or the whole organization used."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, Response

from bot.subhosting.api import answers, parameters
from bot.subhosting.api.requests import organization_id, services
from bot.subhosting.errors import NotFound
from bot.subhosting.service import analytics, projects
from bot.subhosting.service.analytics import PROCESSES_ARE_MEASURED, Range
from bot.subhosting.store.usage import Usage
from bot.wire import subhosting_v1 as wire

_LONGEST = timedelta(hours=24)

# In the order of the published example.
_COLUMNS = (
    "time",
    "requestCount",
    "cpuSeconds",
    "uptimeSeconds",
    "maxRssMemoryBytes",
    "networkIngressBytes",
    "networkEgressBytes",
    "kvReadCount",
    "kvWriteCount",
    "kvReadUnits",
    "kvWriteUnits",
    "kvStorageBytes",
)


def register(v1: Blueprint) -> None:
    """Add the routes."""
    v1.get("/organizations/<organization>/analytics")(get_organization_analytics)
    v1.get("/projects/<project_id>/analytics")(get_project_analytics)


def get_organization_analytics(organization: str) -> Response:
    """GET /organizations/{id}/analytics: all projects together, deleted ones too."""
    if organization != organization_id():
        raise NotFound("organization", organization)
    wanted = _range()
    buckets = analytics.of_organization(services(), organization, wanted)
    return _answer(buckets, analytics.kv_bytes_of_organization(services(), organization, wanted))


def get_project_analytics(project_id: str) -> Response:
    """GET /projects/{id}/analytics: all deployments together, deleted ones too."""
    project = projects.get(services(), organization_id(), project_id)
    wanted = _range()
    buckets = analytics.of_project(services(), project.id, wanted)
    return _answer(buckets, analytics.kv_bytes_of_project(services(), project.id, wanted))


def _range() -> Range:
    """Return every bucket that the asked range touches; at most 24 hours, by default the last.

    Published as required, with a text that gives defaults: we take their absence.
    """
    since, until = parameters.moment("since"), parameters.moment("until")
    now = services().clock.now()
    return analytics.range_between(now, since, until, longest=_LONGEST).widened()


def _answer(buckets: Sequence[tuple[datetime, Usage]], kv_bytes: Sequence[int]) -> Response:
    types = {"time": "time"}
    document = wire.Analytics(
        fields=[
            wire.AnalyticsField.model_validate({"name": name, "type": types.get(name, "number")})
            for name in _COLUMNS
        ],
        values=[
            _row(moment, usage, held)
            for (moment, usage), held in zip(buckets, kv_bytes, strict=False)
        ],
    )
    return answers.json(document.model_dump(mode="json", by_alias=True))


def _row(moment: datetime, usage: Usage, kv_bytes: int) -> list[Any]:
    """Return the values of a bucket; null is what cannot be measured on this machine."""
    kv = (usage.kv_reads, usage.kv_writes, usage.kv_read_units, usage.kv_write_units)
    return [
        moment,
        usage.requests,
        round(usage.cpu_s, 3) if PROCESSES_ARE_MEASURED else None,
        round(usage.uptime_s, 3),
        usage.max_rss_bytes if PROCESSES_ARE_MEASURED else None,
        usage.ingress_bytes,
        usage.egress_bytes,
        *(kv if services().config.kv_connect else (None,) * len(kv)),
        kv_bytes,
    ]
