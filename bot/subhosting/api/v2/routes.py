"""All routes of v2 as a blueprint, which is mounted twice."""

from flask import Blueprint

from bot.subhosting.api.v2 import (
    analytics,
    apps,
    build_streams,
    databases,
    domains,
    layers,
    logs,
    revisions,
)


def blueprint() -> Blueprint:
    """Return the routes of v2, without a prefix."""
    v2 = Blueprint("v2", __name__)
    for room in (apps, revisions, build_streams, layers, logs, analytics, domains, databases):
        room.register(v2)
    return v2
