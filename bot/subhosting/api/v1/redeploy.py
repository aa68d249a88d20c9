"""Redeploy of v1."""

from flask import Blueprint, Response

from bot.subhosting.api import answers
from bot.subhosting.api.requests import json_body, organization_id, parsed, services
from bot.subhosting.api.v1 import documents
from bot.subhosting.service import deployments, redeploy
from bot.wire import subhosting_v1 as wire


def register(v1: Blueprint) -> None:
    """Add the route."""
    v1.post("/deployments/<deployment_id>/redeploy")(redeploy_deployment)


def redeploy_deployment(deployment_id: str) -> Response:
    """POST /deployments/{id}/redeploy: a new deployment, `pending`.

    deployctl adds `?internal=true`, which changes nothing here.
    """
    found = deployments.get(services(), organization_id(), deployment_id)
    wanted = parsed(wire.RedeployRequest, json_body())
    made = redeploy.redeploy(services(), found, wanted)
    return answers.json(documents.of(services(), [made.deployment], {})[0])
