"""The control API as a Flask application."""

from flask import Flask, Response, g, request

from bot.subhosting.api import answers, tls, v2_errors
from bot.subhosting.api.dash import identity
from bot.subhosting.api.dash import routes as dash_routes
from bot.subhosting.api.requests import SERVICES, authenticate, services
from bot.subhosting.api.streaming_bodies import ACCEPTED_ENCODINGS, discard_rest
from bot.subhosting.api.streams import WAITING_ROOM, WaitingRoom
from bot.subhosting.api.v1 import routes
from bot.subhosting.api.v2 import routes as v2_routes
from bot.subhosting.config import SubhostingConfig
from bot.subhosting.host_link import stored_isolation
from bot.subhosting.service.services import Services, services_for

HEALTH = "/healthz"
READINESS = "/readyz"


def create_app(
    config: SubhostingConfig, given: Services | None = None, *, waiting_places: int = 8
) -> Flask:
    """Return the application; it opens the store at the first request, so forking it is safe.

    At most `waiting_places` requests wait for build logs at once. `bot.subhosting.setup.prepare`
    must have run on the same data directory.
    """
    app = Flask("previewbot-subhosting", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = config.limits.body_bytes
    app.extensions[SERVICES] = given or services_for(config)
    identity.install(app, app.extensions[SERVICES])
    app.extensions[WAITING_ROOM] = WaitingRoom(waiting_places)
    app.before_request(_check_token)
    app.after_request(_end_request)
    app.get(HEALTH)(_health)
    app.get(READINESS)(_ready)
    # Deno serves v1 at api.deno.com/v1 and, for deployctl, at dash.deno.com/api/v1.
    app.register_blueprint(routes.blueprint(), url_prefix="/v1", name="v1")
    app.register_blueprint(routes.blueprint(), url_prefix="/api/v1", name="api-v1")
    app.register_blueprint(tls.blueprint(), url_prefix=tls.PREFIX)
    # Both of Deno's v2 SDKs use console.deno.com/api/v2.
    app.register_blueprint(v2_routes.blueprint(), url_prefix="/v2", name="v2")
    app.register_blueprint(v2_routes.blueprint(), url_prefix="/api/v2", name="api-v2")
    app.after_request(_traced)
    app.register_blueprint(dash_routes.blueprint(), url_prefix="/api")
    answers.answer_errors(app)
    return app


def _check_token() -> None:
    if request.path in {HEALTH, READINESS} or request.blueprint == tls.NAME:
        return
    if identity.presented():
        g.organization_id = identity.admit()
    else:
        g.organization_id = authenticate(request.headers)


def _end_request(response: Response) -> Response:
    """Say how bodies may be compressed (RFC 9110, section 12.5.3), and hear the client out."""
    response.headers["Accept-Encoding"] = ", ".join(ACCEPTED_ENCODINGS)
    if not discard_rest(2 * services().config.limits.body_bytes, services().clock):
        response.headers["Connection"] = "close"
    return response


def _traced(response: Response) -> Response:
    return v2_errors.traced(response) if v2_errors.speaks_v2(request.path) else response


def _health() -> Response:
    return answers.json({"status": "ok"})


def _ready() -> Response:
    """Answer whether deployments can be built and served, and how well they are isolated."""
    isolation = stored_isolation(services().config.data_dir)
    level = None if isolation is None else isolation["level"]
    if not services().host.is_there():
        problem = {"status": "not ready", "problems": {"host": "the host process is away"}}
        return answers.json({**problem, "isolation": level}, 503)
    return answers.json({"status": "ready", "isolation": level})
