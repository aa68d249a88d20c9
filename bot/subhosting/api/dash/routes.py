"""All routes of deployctl's protocol as a blueprint."""

from flask import Blueprint

from bot.subhosting.api.dash import assets, crons, deploy, logs, projects, stats


def blueprint() -> Blueprint:
    """Return the routes below `/api`."""
    dash = Blueprint("dash", __name__)
    assets.register(dash)
    deploy.register(dash)
    projects.register(dash)
    logs.register(dash)
    crons.register(dash)
    stats.register(dash)
    return dash
