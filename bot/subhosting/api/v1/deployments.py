"""Deployments of v1 and their domains."""

from typing import Any

from flask import Blueprint, Response, request

from bot.subhosting.api import answers, paging
from bot.subhosting.api.requests import (
    body_with_assets,
    json_body,
    organization_id,
    parsed,
    services,
)
from bot.subhosting.api.v1 import documents
from bot.subhosting.service import deployments, domains, projects, rate
from bot.subhosting.service.deployments import Located
from bot.subhosting.store import bindings
from bot.subhosting.store import deployments as deployment_rows
from bot.wire import subhosting_v1 as wire


def register(v1: Blueprint) -> None:
    """Add the routes."""
    v1.get("/projects/<project_id>/deployments")(list_deployments)
    v1.post("/projects/<project_id>/deployments")(create_deployment)
    v1.get("/deployments/<deployment_id>")(get_deployment)
    v1.delete("/deployments/<deployment_id>")(delete_deployment)
    v1.get("/deployments/<deployment_id>/visits")(get_visits)
    v1.put("/deployments/<deployment_id>/domains/<domain>")(attach_domain)
    v1.delete("/deployments/<deployment_id>/domains/<domain>")(detach_domain)


def list_deployments(project_id: str) -> Response:
    """GET /projects/{id}/deployments: by created_at, ascending, unless told otherwise."""
    project = projects.get(services(), organization_id(), project_id)
    page = paging.requested_page(deployment_rows.SORTABLE, "created_at")
    with services().database.reading() as connection:
        found, total = deployment_rows.listed(connection, project.id, page)
        hosts = bindings.hosts_of(connection, [each.id for each in found])
    return paging.link(answers.json(documents.of(services(), found, hosts)), page, total)


def create_deployment(project_id: str) -> Response:
    """POST /projects/{id}/deployments: 200 and `pending` at once; the build goes on elsewhere."""
    project = projects.get(services(), organization_id(), project_id)
    key = request.headers.get(wire.IDEMPOTENCY_KEY)
    # Before the body, which may be long: what is answered or refused anyway need not be read.
    made = deployments.made_before(services(), project, key)
    if made is None:
        rate.check(services(), project.organization_id)
        with body_with_assets() as received:
            wanted = parsed(wire.CreateDeploymentRequest, _with_assets(received.document))
            made = deployments.create(services(), project, wanted, key, received.sent)
    return answers.json(_document(made))


def get_deployment(deployment_id: str) -> Response:
    """GET /deployments/{id}."""
    found = deployments.get(services(), organization_id(), deployment_id)
    return answers.json(_document(found))


def delete_deployment(deployment_id: str) -> Response:
    """DELETE /deployments/{id}."""
    found = deployments.get(services(), organization_id(), deployment_id)
    deployments.delete(services(), found)
    return answers.empty()


def get_visits(deployment_id: str) -> Response:
    """GET /deployments/{id}/visits: when somebody was there last; an extension of ours."""
    found = deployments.get(services(), organization_id(), deployment_id)
    return answers.json({"lastVisitedAt": found.deployment.used_at})


def attach_domain(deployment_id: str, domain: str) -> Response:
    """PUT /deployments/{id}/domains/{domain}: the host answers with this one from now on."""
    found = deployments.get(services(), organization_id(), deployment_id)
    # The published operation has no body; ours may carry a revision.
    has_body = bool(request.content_length) or "Transfer-Encoding" in request.headers
    wanted = parsed(wire.AttachDomainRequest, json_body() if has_body else {})
    host = domains.attach(services(), found.project, found.deployment, domain, wanted.revision)
    return answers.json({"domain": host})


def detach_domain(deployment_id: str, domain: str) -> Response:
    """DELETE /deployments/{id}/domains/{domain}."""
    found = deployments.get(services(), organization_id(), deployment_id)
    domains.detach(services(), found.project, found.deployment, domain)
    return answers.empty()


def _document(located: Located) -> dict[str, Any]:
    deployment = located.deployment
    return documents.of(services(), [deployment], {deployment.id: located.hosts})[0]


def _with_assets(body: dict[str, Any]) -> dict[str, Any]:
    """Return `body` with the published `assets`, which may be absent beside our `base`."""
    return {"assets": {}, **body} if body.get("base") is not None else body
