"""Database instances of v2: Deno KV for real, the other engines refused by name."""

from flask import Blueprint, Response

from bot.subhosting.api import answers
from bot.subhosting.api.requests import json_body, organization_id, parsed, services
from bot.subhosting.service import databases
from bot.subhosting.service.databases import DENO_KV
from bot.wire import deploy_v2_domains as wire


def register(v2: Blueprint) -> None:
    """Add the route."""
    v2.post("/database_instances")(create_instance)


def create_instance() -> Response:
    """POST /database_instances: it has no databases until a deploy names one."""
    body = parsed(wire.DatabaseInstanceInit, json_body())
    made = databases.create_instance(
        services(), organization_id(), body.slug, body.connection.engine
    )
    document = wire.DatabaseInstance(
        id=made.id,
        slug=made.slug,
        engine=DENO_KV,
        connection=wire.DenokvConnection(engine=DENO_KV),
        databases=[],
        created_at=made.created_at,
    )
    return answers.json(document.model_dump(mode="json"))
