"""POST /webhooks/github: verify, parse, store; what follows is the worker's."""

from http import HTTPStatus

import orjson
import structlog
from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import (
    BadRequest,
    RequestEntityTooLarge,
    Unauthorized,
    UnsupportedMediaType,
)

from bot.core.model.decisions import Ignored
from bot.ports.inbox import DeliveryRecord, Received
from bot.web.services import Claimed, SecretsFor, WebServices
from bot.webhooks import delivery, signature
from bot.webhooks.delivery import Delivery, Malformed
from bot.webhooks.parse import parse

log = structlog.get_logger(__name__)

# GitHub sends no more, and drops events that would be larger.
# https://docs.github.com/en/webhooks/webhook-events-and-payloads#payload-cap
MAX_BODY_BYTES = 25 * 1024 * 1024
_PIECE_BYTES = 64 * 1024

# What a database's column holds.
MAX_ID = 2**63 - 1

_FORM = "application/x-www-form-urlencoded"


def blueprint(services: WebServices) -> Blueprint:
    """Return the receiver's route. The signature is its only guard; it needs no admin token."""
    routes = Blueprint("receiver", __name__)

    @routes.post("/webhooks/github")
    def receive() -> ResponseReturnValue:
        body = _body()
        if request.mimetype == _FORM:
            raise UnsupportedMediaType(
                "The body is a form. Set the webhook's content type to application/json."
            )
        _verify(body, services.secrets_for)
        return _stored(_read(body), services)

    return routes


def _body() -> bytes:
    """Return the request's body, which is read whatever becomes of it.

    A client that is still sending would take an early answer for a broken connection.

    Raises:
        RequestEntityTooLarge: there is more than `MAX_BODY_BYTES`; so much was read.
        BadRequest: it ended early or was garbled.

    """
    too_large = (request.content_length or 0) > MAX_BODY_BYTES
    body = bytearray()
    read_bytes = 0
    try:
        while read_bytes <= MAX_BODY_BYTES and (piece := request.stream.read(_PIECE_BYTES)):
            read_bytes += len(piece)
            if not too_large:
                body += piece
    except OSError as error:  # what gunicorn raises about broken chunks is one, too
        raise BadRequest("The body could not be read to its end.") from error
    if too_large or read_bytes > MAX_BODY_BYTES:
        raise RequestEntityTooLarge(f"The body is larger than {MAX_BODY_BYTES} bytes.")
    return bytes(body)


def _verify(body: bytes, secrets_for: SecretsFor) -> None:
    """Let only signed bodies pass.

    Raises:
        Unauthorized: the signature is missing, or no secret for the body's repository made it.

    """
    header = request.headers.get(signature.HEADER)
    if header is None:
        raise Unauthorized(f"The header {signature.HEADER} is missing. Set the webhook's secret.")
    secrets = {secret: secret.encode() for secret in secrets_for(_claimed(body))}
    if signature.verified_by(header, body, secrets) is None:
        raise Unauthorized(
            f"{signature.HEADER} does not match. Is the webhook's secret the one the bot has?"
        )


def _claimed(body: bytes) -> Claimed:
    """Return the repository that an unverified body claims to be about."""
    try:
        payload: object = orjson.loads(body)
    except orjson.JSONDecodeError:
        return Claimed()
    repository = payload.get("repository") if isinstance(payload, dict) else None
    if not isinstance(repository, dict):
        return Claimed()
    number, name = repository.get("id"), repository.get("full_name")
    return Claimed(
        id=number if type(number) is int and abs(number) <= MAX_ID else None,
        name=name if isinstance(name, str) else None,
    )


def _read(body: bytes) -> Delivery:
    """Return the delivery.

    Raises:
        BadRequest: a header is missing or wrong, or the body is no JSON object.

    """
    match delivery.read(dict(request.headers.items()), body):
        case Malformed(problem=problem):
            raise BadRequest(f"{problem[:1].upper()}{problem[1:]}.")
        case Delivery(payload=dict()) as read:
            return read
        case _:
            raise BadRequest("The body is not a JSON object.")


def _stored(read: Delivery, services: WebServices) -> ResponseReturnValue:
    verdict = parse(read.event_name, read.payload)
    received = Received(
        key=read.key,
        event_name=read.event_name,
        body=read.body,
        verdict=verdict,
        received_at=services.clock.now(),
    )
    first = services.inbox.put(received)
    if first is not None:
        log.info("delivery_repeated", delivery=read.key.guid, event_name=read.event_name)
        return _first_outcome(first), HTTPStatus.OK
    if isinstance(verdict, Ignored):
        log.info("delivery_ignored", delivery=read.key.guid, reason=str(verdict.reason))
        outcome = jsonify(
            delivery=read.key.guid,
            status="ignored",
            reason=str(verdict.reason),
            detail=verdict.detail,
        )
        return outcome, HTTPStatus.ACCEPTED
    log.info("delivery_accepted", delivery=read.key.guid, event_name=read.event_name)
    return jsonify(delivery=read.key.guid, status="accepted"), HTTPStatus.ACCEPTED


def _first_outcome(first: DeliveryRecord) -> Response:
    return jsonify(
        delivery=first.key.guid,
        status="repeated",
        reason=first.reason,
        detail=first.detail,
        deployments=list(first.deployments),
    )
