"""All routes of v1 as a blueprint, which is mounted twice."""

from flask import Blueprint

from bot.subhosting.api.v1 import (
    analytics,
    app_logs,
    build_logs,
    crons,
    databases,
    deployments,
    domains,
    isolation,
    projects,
    redeploy,
    source,
)


def blueprint() -> Blueprint:
    """Return the routes of v1, without a prefix."""
    v1 = Blueprint("v1", __name__)
    projects.register(v1)
    deployments.register(v1)
    build_logs.register(v1)
    app_logs.register(v1)
    crons.register(v1)
    analytics.register(v1)
    domains.register(v1)
    databases.register(v1)
    redeploy.register(v1)
    isolation.register(v1)
    source.register(v1)
    return v1
