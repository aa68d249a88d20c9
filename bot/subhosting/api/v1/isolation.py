"""Extension of v1: how well apps are isolated on this server."""

from flask import Blueprint, Response

from bot.subhosting.api import answers
from bot.subhosting.api.requests import services
from bot.subhosting.errors import NotFound
from bot.subhosting.host_link import stored_isolation


def register(v1: Blueprint) -> None:
    """Add the route."""
    v1.get("/isolation")(get_isolation)


def get_isolation() -> Response:
    """Return what the host reached and what it asks for at least."""
    config = services().config
    found = stored_isolation(config.data_dir)
    if found is None:
        raise NotFound("isolation", "of a host that has not run yet")
    return answers.json({**found, "minimum": config.min_isolation})
