"""For supervisors and balancers: are you there, and can you do your work?"""

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from bot.web.services import WebServices


def blueprint(services: WebServices) -> Blueprint:
    """Return the two routes; they need no token and tell no secret."""
    routes = Blueprint("health", __name__)

    @routes.get("/healthz")
    def alive() -> ResponseReturnValue:
        return jsonify(status="ok")

    @routes.get("/readyz")
    def ready() -> ResponseReturnValue:
        problems = dict(services.ready())
        if problems:
            return jsonify(status="not ready", problems=problems), 503
        return jsonify(status="ready", problems={})

    return routes
