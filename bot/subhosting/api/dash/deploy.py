"""A deployment in one request: a form comes in, lines about its progress go out.

Unlike elsewhere the answer waits for the build, as deployctl shows it. The last line is `success`
or `error`, and an empty line ends the answer (deployctl, `src/utils/api.ts`).
"""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, cast

import orjson
from flask import Blueprint, Response, current_app, stream_with_context

from bot.subhosting.api.dash import documents, forms, identity
from bot.subhosting.api.requests import organization_id, parsed, services
from bot.subhosting.api.streams import WAITING_ROOM, WaitingRoom
from bot.subhosting.api.v1.build_logs import NDJSON
from bot.subhosting.service import dash, projects, rate
from bot.subhosting.service.deployments import Located
from bot.subhosting.service.services import Services
from bot.subhosting.store.records import Status
from bot.wire.dash import PushDeploymentRequest


def register(routes: Blueprint) -> None:
    """Add the routes; `identity` knows the second one by its name."""
    routes.post("/projects/<project>/deployment_with_assets")(deploy_assets)
    routes.post("/projects/<project>/deployment_github_actions")(deploy_workflow)


def deploy_assets(project: str) -> Response:
    """POST /projects/{nameOrId}/deployment_with_assets: for whoever has a token."""
    return _deployed(project, production=None)


def deploy_workflow(project: str) -> Response:
    """POST /projects/{nameOrId}/deployment_github_actions: for a run of the linked repository.

    The Action does not say whether it deploys to production: the run's branch decides.
    """
    return _deployed(project, production=identity.is_production())


def _deployed(name: str, *, production: bool | None) -> Response:
    project = projects.get_by_name_or_id(services(), organization_id(), name)
    rate.check(services(), project.organization_id)
    room = cast("WaitingRoom", current_app.extensions[WAITING_ROOM])
    with ExitStack() as held:
        # Before the body: to hear that there is no place after sending it would be a waste.
        held.enter_context(room.place())
        with forms.received_form() as form:
            wanted = parsed(PushDeploymentRequest, form.document)
            sent = sum(blob.size_bytes for blob in form.sent.values())
            made = dash.push(
                services(),
                project,
                wanted,
                form.sent,
                production=wanted.production if production is None else production,
            )
        lines = (orjson.dumps(line) + b"\n" for line in _progress(services(), made, sent))
        response = Response(stream_with_context(_ended(lines)), content_type=NDJSON)
        response.call_on_close(held.pop_all().close)
        return response


def _ended(lines: Iterator[bytes]) -> Iterator[bytes]:
    yield from lines
    yield b"\n"


def _progress(services: Services, made: Located, sent_bytes: int) -> Iterator[dict[str, Any]]:
    """Yield what deployctl shows; it wants a `load` before `uploadComplete`."""
    deployment = made.deployment
    yield {"type": "staticFile", "currentBytes": sent_bytes, "totalBytes": sent_bytes}
    files = dash.files_of(services, deployment)
    # We do not count modules: what was put in place are the deployment's files.
    entry = documents.url_of(deployment)
    yield {"type": "load", "url": entry, "seen": files, "total": files}
    yield {"type": "uploadComplete"}
    found = dash.ended(services, deployment.id)
    if found is None:
        yield documents.error("DeploymentNotFound", "The deployment was deleted meanwhile.")
    elif found.status is Status.SUCCESS:
        yield {"type": "success", **documents.deployment(dash.shown(services, [found])[0])}
    elif found.status is Status.FAILED:
        yield documents.error("DeploymentFailed", dash.failure_of(services, found.id))
    else:
        yield documents.error("DeploymentTimeout", "The build goes on; ask for it later.")
