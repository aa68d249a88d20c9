"""Negotiation: a client says what it has, we say what of it we lack."""

from flask import Blueprint, Response

from bot.subhosting.api import answers
from bot.subhosting.api.requests import json_body, organization_id, parsed, services
from bot.subhosting.service import projects
from bot.subhosting.service.assets import wanted_hashes
from bot.subhosting.store import content
from bot.wire.subhosting_v1 import NegotiateRequest


def register(routes: Blueprint) -> None:
    """Add the route; `identity` knows it by its name."""
    routes.post("/projects/<project>/assets/negotiate")(negotiate)


def negotiate(project: str) -> Response:
    """POST /projects/{nameOrId}/assets/negotiate: the hashes this project lacks, each once."""
    found = projects.get_by_name_or_id(services(), organization_id(), project)
    manifest = parsed(NegotiateRequest, json_body())
    wanted = list(dict.fromkeys(wanted_hashes(manifest.entries)))
    with services().database.reading() as connection:
        known = content.known(connection, found.id, wanted)
    return answers.json([sha1 for sha1 in wanted if sha1 not in known])
