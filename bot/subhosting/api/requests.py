"""What comes in: whose request it is, and a JSON body that is what it should be."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any, TypeVar, cast

from flask import current_app, g
from pydantic import BaseModel, ValidationError
from werkzeug.datastructures import Headers

from bot.subhosting.api import streaming_assets, streaming_bodies
from bot.subhosting.api.streaming_assets import Received
from bot.subhosting.errors import InvalidRequest, Unauthorized
from bot.subhosting.identifiers import token_hash
from bot.subhosting.service.services import Services
from bot.subhosting.store import projects

SERVICES = "subhosting"

Model = TypeVar("Model", bound=BaseModel)


def services() -> Services:
    """Return the services of the running app."""
    return cast("Services", current_app.extensions[SERVICES])


def organization_id() -> str:
    """Return whose token came with this request; `authenticate` has seen to it."""
    return cast("str", g.organization_id)


def authenticate(headers: Headers) -> str:
    """Return the organization of the bearer token.

    Raises:
        Unauthorized: there is none, or it is unknown.

    """
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthorized
    with services().database.reading() as connection:
        owner = projects.organization_of_token(connection, token_hash(token.strip()))
    if owner is None:
        raise Unauthorized
    return owner


def json_body() -> dict[str, Any]:
    """Return the request's body, which must be a JSON object.

    Raises:
        InvalidRequest: it is not; the message says where the text stops being JSON.
        TooLarge: it is longer than a body without files may be.

    """
    text = streaming_bodies.body(services().config.limits.json_bytes).all()
    return streaming_assets.parsed_object(text)


def body_with_assets() -> AbstractContextManager[Received]:
    """Read the request's body, a JSON object with files; what was sent is gone after the block.

    The document has `gitSha1` in place of each `content`, and the contents stand beside it.

    Raises:
        InvalidRequest: it is not; the message names the field.
        TooLarge: a limit is exceeded; the message names it.

    """
    limits = services().config.limits
    read = streaming_bodies.body(limits.body_bytes).read
    return streaming_assets.received(read, services().blobs, limits)


def parsed(model: type[Model], document: Mapping[str, Any]) -> Model:
    """Return `document` as `model`.

    Raises:
        InvalidRequest: it does not fit; the message names the first field that is wrong.

    """
    try:
        return model.model_validate(document)
    except ValidationError as error:
        raise InvalidRequest("invalidRequest", first_problem(document, error)) from error


def first_problem(document: Mapping[str, Any], error: ValidationError) -> str:
    """Return `field: what is wrong` for the first error, in the client's own spelling.

    A union reports the errors of all its members. Those of another `kind` than the client's say
    nothing, and an asset with a bad `gitSha1` need not hear that it lacks `content`.
    """
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    other_kinds = [
        each["loc"][:-1]
        for each in problems
        if each["type"] == "literal_error" and each["loc"][-1] == "kind"
    ]
    candidates = [
        each
        for each in problems
        if not any(each["loc"][: len(other)] == other for other in other_kinds)
    ] or problems
    sent = [each for each in candidates if each["type"] != "missing"]
    first = (sent or candidates)[0]
    message = "must be an object" if first["type"].startswith("model_") else first["msg"]
    return f"{'.'.join(_steps(first['loc'], document, missing=not sent))}: {message}."


def _steps(location: tuple[int | str, ...], document: object, *, missing: bool) -> list[str]:
    """Return the steps of `location` that exist in the document, and the one that is missing.

    Pydantic puts the names of a union's members in between (`assets`, `main.ts`,
    `FileHashAsset`, `gitSha1`), which mean nothing to a client.
    """
    steps: list[str] = []
    here = document
    for step in location:
        try:
            here = here[step]  # type: ignore[index]  # whatever it is, it is that or an error
        except (KeyError, IndexError, TypeError):
            if not (missing and step == location[-1]):
                continue
        steps.append(str(step))
    return steps


def one_of(name: str, value: str, allowed: Mapping[str, object] | tuple[str, ...]) -> str:
    """Return `value` if it is allowed for the query parameter `name`.

    Raises:
        InvalidRequest: it is not; the message lists what is.

    """
    if value not in allowed:
        msg = f"{name}: {value!r} is not one of {', '.join(allowed)}."
        raise InvalidRequest("invalidRequest", msg)
    return value
