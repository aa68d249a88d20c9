"""The web process: it stores what comes in and shows what is known. It talks to nobody else."""

from flask import Flask, Response

from bot.web import errors, health, receiver, setup
from bot.web.pages import views
from bot.web.services import WebServices

# Nothing from elsewhere, no script at all, nobody frames us, nothing is kept by the browser.
# https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Content-Security-Policy
SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex",
}


def create_app(services: WebServices) -> Flask:
    """Return the WSGI application; it keeps nothing between requests."""
    app = Flask("bot.web")
    app.jinja_options = {**app.jinja_options, "trim_blocks": True, "lstrip_blocks": True}
    app.register_blueprint(receiver.blueprint(services))
    app.register_blueprint(health.blueprint(services))
    app.register_blueprint(views.blueprint(services))
    if services.setup is not None:
        app.register_blueprint(setup.blueprint(services.setup))
    app.after_request(_with_security_headers)
    errors.register(app)
    return app


def _with_security_headers(response: Response) -> Response:
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Cache-Control", "no-store")
    return response
