"""Layers of v2."""

from flask import Blueprint, Response

from bot.subhosting.api import answers, parameters
from bot.subhosting.api.requests import json_body, organization_id, parsed, services
from bot.subhosting.api.v2 import documents, paging
from bot.subhosting.api.v2.bodies import optional_json_body
from bot.subhosting.service import layers
from bot.subhosting.service.layers import LayerUser, LayerView
from bot.subhosting.store.records import After
from bot.wire import deploy_v2 as wire


def register(v2: Blueprint) -> None:
    """Add the routes."""
    v2.post("/layers")(create_layer)
    v2.get("/layers")(list_layers)
    v2.get("/layers/<layer>")(get_layer)
    v2.patch("/layers/<layer>")(update_layer)
    v2.delete("/layers/<layer>")(delete_layer)
    v2.get("/layers/<layer>/apps")(list_layer_apps)


def create_layer() -> Response:
    """POST /layers."""
    wanted = parsed(wire.LayerInit, json_body())
    made = layers.create(services(), organization_id(), wanted)
    return answers.json(documents.layer(made), 201)


def list_layers() -> Response:
    """GET /layers: newest first."""
    limit = paging.limit()
    found = layers.listed(
        services(),
        organization_id(),
        search=parameters.text("search"),
        after=paging.after(),
        limit=limit + 1,
    )
    return paging.page(found, limit, documents.layer, _place)


def get_layer(layer: str) -> Response:
    """GET /layers/{layer}, by id or slug."""
    return answers.json(documents.layer(layers.get(services(), organization_id(), layer)))


def update_layer(layer: str) -> Response:
    """PATCH /layers/{layer}: env_vars merges; apps that use it restart."""
    wanted = parsed(wire.LayerUpdate, optional_json_body())
    changed = layers.update(services(), organization_id(), layer, wanted)
    return answers.json(documents.layer(changed))


def delete_layer(layer: str) -> Response:
    """DELETE /layers/{layer}: 409 while it is used."""
    layers.delete(services(), organization_id(), layer)
    return Response(status=204)


def list_layer_apps(layer: str) -> Response:
    """GET /layers/{layer}/apps: newest app first."""
    limit = paging.limit()
    found = layers.apps(
        services(), organization_id(), layer, after=paging.after(), limit=limit + 1
    )
    return paging.page(found, limit, documents.layer_user, _place_of_user)


def _place(view: LayerView) -> After:
    return After(created_at=view.layer.created_at, id=view.layer.id)


def _place_of_user(user: LayerUser) -> After:
    return After(created_at=user.created_at, id=user.id)
