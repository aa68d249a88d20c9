"""The control API as a Flask application."""

from flask import Flask, Response, g, request

from bot.subhosting.api import answers
from bot.subhosting.api.dash import assets
from bot.subhosting.api.requests import SERVICES, authenticate
from bot.subhosting.api.streams import WaitingRoom
from bot.subhosting.api.v1 import build_logs, routes
from bot.subhosting.config import SubhostingConfig
from bot.subhosting.service.services import Services, services_for

HEALTH = "/healthz"


def create_app(
    config: SubhostingConfig, services: Services | None = None, *, waiting_places: int = 8
) -> Flask:
    """Return the application; it opens the store at the first request, so forking it is safe.

    At most `waiting_places` requests wait for build logs at once. `bot.subhosting.setup.prepare`
    must have run on the same data directory.
    """
    app = Flask("previewbot-subhosting", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = config.limits.body_bytes
    app.extensions[SERVICES] = services or services_for(config)
    app.extensions[build_logs.WAITING_ROOM] = WaitingRoom(waiting_places)
    app.before_request(_check_token)
    app.get(HEALTH)(_health)
    # Deno serves v1 at api.deno.com/v1 and, for deployctl, at dash.deno.com/api/v1.
    app.register_blueprint(routes.blueprint(), url_prefix="/v1", name="v1")
    app.register_blueprint(routes.blueprint(), url_prefix="/api/v1", name="api-v1")
    app.register_blueprint(assets.blueprint(), url_prefix="/api")
    answers.answer_errors(app)
    return app


def _check_token() -> None:
    if request.path != HEALTH:
        g.organization_id = authenticate(request.headers)


def _health() -> Response:
    return answers.json({"status": "ok"})
