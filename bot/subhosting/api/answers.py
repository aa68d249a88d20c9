"""What goes out: JSON, and every kind of failure as an error body."""

import logging

import orjson
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from bot.subhosting.api import v2_errors
from bot.subhosting.errors import SubhostingError

LOG = logging.getLogger(__name__)

# Seconds until a client that met `Busy` should come back.
_RETRY_AFTER_S = 1
_BUSY = 503

_CODES = {
    400: "invalidRequest",
    404: "notFound",
    405: "methodNotAllowed",
    411: "lengthRequired",
    413: "bodyTooLarge",
    415: "unsupportedMediaType",
}


def json(document: object, status: int = 200) -> Response:
    """Return `document` as JSON.

    The content type has no charset: deployctl accepts this exact value only.
    """
    return Response(orjson.dumps(document), status=status, content_type="application/json")


def empty() -> Response:
    """Return v1's answer to a delete: 200 without a body."""
    return Response(b"", status=200)


def answer_errors(app: Flask) -> None:
    """Make every failure of `app` an error body, so that no client ever meets a page."""
    app.register_error_handler(SubhostingError, _ours)
    app.register_error_handler(HTTPException, _of_http)
    app.register_error_handler(Exception, _unexpected)


def _ours(error: SubhostingError) -> Response:
    response = json(_spelled(error.body()), error.status)
    response.headers.update(error.headers())
    if error.status == _BUSY:
        response.headers["Retry-After"] = str(_RETRY_AFTER_S)
    return response


def _of_http(error: HTTPException) -> Response:
    status = error.code or 500
    code = _CODES.get(status, "error")
    message = error.description or error.name
    return json(_spelled({"code": code, "message": message}), status)


def _unexpected(error: Exception) -> Response:
    # The boundary of the process: whatever got here is our fault, and the client hears no more.
    LOG.error("request_failed", exc_info=error)
    message = "The server failed; its log has more."
    return json(_spelled({"code": "internalError", "message": message}), 500)


def _spelled(body: dict[str, object]) -> dict[str, object]:
    """Return an error body in the words of the API that was called."""
    if v2_errors.speaks_v2(request.path):
        return v2_errors.body(body)
    # Some of v1's readers know the message by this name, and Deno's schema of an error is open.
    return {**body, "error": body["message"]}
