"""Revisions of v2."""

from flask import Blueprint, Response, request

from bot.subhosting.api import answers
from bot.subhosting.api.requests import one_of, organization_id, parsed, services
from bot.subhosting.api.v2 import documents, paging
from bot.subhosting.api.v2.bodies import optional_json_body
from bot.subhosting.service import apps, revisions, timelines
from bot.subhosting.store.records import After, DeploymentRecord
from bot.wire import deploy_v2_revisions as wire


def register(v2: Blueprint) -> None:
    """Add the routes."""
    v2.get("/apps/<app>/revisions")(list_revisions)
    v2.get("/revisions/<revision>")(get_revision)
    v2.patch("/revisions/<revision>")(update_revision)
    v2.delete("/revisions/<revision>")(delete_revision)
    v2.post("/revisions/<revision>/cancel")(cancel_revision)
    v2.get("/revisions/<revision>/timelines")(list_revision_timelines)
    v2.put("/revisions/<revision>/domains")(attach_domains)
    v2.delete("/revisions/<revision>/domains/<hostname>")(detach_domain)
    v2.post("/revisions/<revision>/promote")(promote)


def list_revisions(app: str) -> Response:
    """GET /apps/{app}/revisions: newest first, which nobody published."""
    found = apps.find(services(), organization_id(), app)
    status = request.args.get("status")
    if status is not None:
        one_of("status", status, tuple(wire.RevisionStatus))
    limit = paging.limit()
    listed = revisions.listed(
        services(), found, status=status, after=paging.after(), limit=limit + 1
    )
    return paging.page(listed, limit, documents.revision_item, _place)


def get_revision(revision: str) -> Response:
    """GET /revisions/{revision}."""
    return answers.json(documents.revision(revisions.get(services(), organization_id(), revision)))


def update_revision(revision: str) -> Response:
    """PATCH /revisions/{revision}: its retention; whoever runs this server is entitled to it."""
    wanted = parsed(wire.RevisionUpdate, optional_json_body())
    changed = revisions.retain(services(), organization_id(), revision, wanted.retention)
    return answers.json(documents.revision(changed))


def delete_revision(revision: str) -> Response:
    """DELETE /revisions/{revision}: 409 while it is being built or routed."""
    revisions.delete(services(), organization_id(), revision)
    return Response(status=204)


def cancel_revision(revision: str) -> Response:
    """POST /revisions/{revision}/cancel: answers at once, the build ends soon after."""
    optional_json_body()
    return answers.json(
        documents.revision(revisions.cancel(services(), organization_id(), revision))
    )


def list_revision_timelines(revision: str) -> Response:
    """GET /revisions/{revision}/timelines: a bare array, without pages."""
    view = revisions.get(services(), organization_id(), revision)
    found = timelines.of_revision(view.app, view.bindings)
    return answers.json([documents.timeline(each) for each in found])


def attach_domains(revision: str) -> Response:
    """PUT /revisions/{revision}/domains: additive, the newest revision of a host answers."""
    wanted = parsed(wire.DeployDomains, optional_json_body())
    revisions.attach(services(), organization_id(), revision, wanted)
    return Response(status=204)


def detach_domain(revision: str, hostname: str) -> Response:
    """DELETE /revisions/{revision}/domains/{hostname}: as attached, template included."""
    revisions.detach(services(), organization_id(), revision, hostname)
    return Response(status=204)


def promote(revision: str) -> Response:
    """POST /revisions/{revision}/promote: production is this one until another is promoted."""
    optional_json_body()
    revisions.promote(services(), organization_id(), revision)
    return Response(status=204)


def _place(record: DeploymentRecord) -> After:
    return After(created_at=record.created_at, id=record.id)
