"""One table from exceptions to answers. What a client sends never gives a 500."""

import structlog
from flask import Flask, current_app, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from bot.core.model.errors import BotError, ConfigurationProblem, RecordNotFound

log = structlog.get_logger(__name__)

# The first line that fits counts. What is not here is our trouble: 500, and the log has it.
_ANSWERS: tuple[tuple[type[BotError], int, str], ...] = (
    (RecordNotFound, 404, "notFound"),
    (ConfigurationProblem, 503, "notConfigured"),
)


def register(app: Flask) -> None:
    """Make `app` answer exceptions by the table."""
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(BotError, _ours)
    app.register_error_handler(Exception, _anything)


def answer(status: int, code: str, message: str) -> ResponseReturnValue:
    """Return an error as JSON, or as a page to a browser."""
    best = request.accept_mimetypes.best_match(("application/json", "text/html"))
    if best == "text/html" and request.method == "GET":
        return render_template("error.html", status=status, message=message), status
    return jsonify(code=code, message=message), status


def _http(error: HTTPException) -> ResponseReturnValue:
    response = error.get_response()
    status = error.code or response.status_code
    if status < 400:  # noqa: PLR2004 - a redirect is an exception for Flask, but no error
        return response
    made = current_app.make_response(answer(status, _code(error), error.description or error.name))
    for name in ("Allow", "WWW-Authenticate", "Retry-After"):
        if name in response.headers:
            made.headers[name] = response.headers[name]
    return made


def _ours(error: BotError) -> ResponseReturnValue:
    for kind, status, code in _ANSWERS:
        if isinstance(error, kind):
            return answer(status, code, str(error))
    return _anything(error)


def _anything(error: Exception) -> ResponseReturnValue:
    if current_app.testing:
        raise error
    log.error("request_failed", method=request.method, path=request.path, exc_info=error)
    return answer(500, "internalError", "The server failed; its log says how.")


def _code(error: HTTPException) -> str:
    """Return "notFound" for "Not Found"."""
    first, *others = error.name.split()
    return first.lower() + "".join(word.title() for word in others)
