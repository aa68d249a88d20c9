"""Apps of v2, and deploying to them."""

import re
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, request

from bot.subhosting.api import answers, parameters
from bot.subhosting.api.requests import (
    body_with_assets,
    json_body,
    organization_id,
    parsed,
    services,
)
from bot.subhosting.api.v2 import documents, paging
from bot.subhosting.api.v2.bodies import optional_json_body
from bot.subhosting.errors import InvalidRequest
from bot.subhosting.service import apps, deploying, projects, revisions, timelines
from bot.subhosting.service.apps import AppView
from bot.subhosting.service.deploying import DeployRequest
from bot.subhosting.store.records import After
from bot.wire import deploy_v2 as wire
from bot.wire.deploy_v2_revisions import DeployInit
from bot.wire.subhosting_v1 import CreateDeploymentRequest

_LABEL = re.compile(r"labels\[(.*)\]", re.DOTALL)


def register(v2: Blueprint) -> None:
    """Add the routes."""
    v2.get("/apps")(list_apps)
    v2.post("/apps")(create_app)
    v2.get("/apps/<app>")(get_app)
    v2.patch("/apps/<app>")(update_app)
    v2.delete("/apps/<app>")(delete_app)
    v2.post("/apps/<app>/deploy")(deploy)
    v2.get("/apps/<app>/timelines")(list_app_timelines)


def list_apps() -> Response:
    """GET /apps: newest first, with `labels[key]=value` as often as wanted, and `layer`."""
    limit = paging.limit()
    found = apps.listed(
        services(),
        organization_id(),
        labels=_wanted_labels(),
        layer=parameters.text("layer"),
        after=paging.after(),
        limit=limit + 1,
    )
    return paging.page(found, limit, documents.app_item, _place)


def create_app() -> Response:
    """POST /apps: 200, as published, and not 201."""
    wanted = parsed(wire.AppInit, json_body())
    return answers.json(documents.app(apps.create(services(), organization_id(), wanted)))


def get_app(app: str) -> Response:
    """GET /apps/{app}, by id or slug."""
    return answers.json(documents.app(apps.get(services(), organization_id(), app)))


def update_app(app: str) -> Response:
    """PATCH /apps/{app}: env_vars merges, everything else replaces."""
    found = apps.find(services(), organization_id(), app)
    wanted = parsed(wire.AppUpdate, optional_json_body())
    return answers.json(documents.app(apps.update(services(), found, wanted)))


def delete_app(app: str) -> Response:
    """DELETE /apps/{app}, with all its revisions."""
    projects.delete(services(), apps.find(services(), organization_id(), app))
    return Response(status=204)


def deploy(app: str) -> Response:
    """POST /apps/{app}/deploy: 202 and `queued` at once; the build goes on elsewhere."""
    found = apps.find(services(), organization_id(), app)
    with body_with_assets() as received:
        wanted = DeployRequest(
            options=_options(received.document),
            assets=_files(received.document),
            received=received.sent,
        )
        made = deploying.deploy(services(), found, wanted)
    view = revisions.get(services(), organization_id(), made.id)
    return answers.json(documents.revision(view), 202)


def list_app_timelines(app: str) -> Response:
    """GET /apps/{app}/timelines, which only the SDKs know; production first."""
    found = apps.find(services(), organization_id(), app)
    limit, after = paging.limit(), paging.after()
    known = timelines.of_app(services(), found)
    places = {
        id(each): After(created_at=found.created_at, id=str(n)) for n, each in enumerate(known)
    }
    start = 0 if after is None or not after.id.isdigit() else int(after.id[:9]) + 1
    return paging.page(known[start:], limit, documents.timeline, lambda each: places[id(each)])


def _options(document: Mapping[str, Any]) -> DeployInit:
    # The files were read already; their place is kept, so that its absence is noticed.
    without_files: dict[str, Any] = {"assets": {}} if "assets" in document else {}
    return parsed(DeployInit, {**document, **without_files})


def _files(document: Mapping[str, Any]) -> Any:  # noqa: ANN401 - the assets of v1's model
    """Return the assets as v1's, by hash; a hash from the client itself works as in v1."""
    stand_in = {"entryPointUrl": "", "envVars": {}, "assets": document["assets"]}
    return parsed(CreateDeploymentRequest, stand_in).assets


def _wanted_labels() -> dict[str, str]:
    wanted: dict[str, str] = {}
    for name, value in request.args.items(multi=True):
        if (found := _LABEL.fullmatch(name)) is not None:
            wanted[found.group(1)] = value
        elif name == "labels" and value:
            msg = "labels: is written `labels[key]=value`, once for each label."
            raise InvalidRequest("invalidRequest", msg)
    return wanted


def _place(view: AppView) -> After:
    return After(created_at=view.app.created_at, id=view.app.id)
