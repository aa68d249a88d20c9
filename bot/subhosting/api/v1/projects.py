"""Organizations and projects of v1."""

from flask import Blueprint, Response

from bot.subhosting.api import answers, paging
from bot.subhosting.api.requests import json_body, organization_id, parsed, services
from bot.subhosting.api.v1 import documents
from bot.subhosting.errors import NotFound
from bot.subhosting.service import projects
from bot.subhosting.service.analytics import DEFAULT_RANGE
from bot.subhosting.store import projects as project_rows
from bot.wire import subhosting_v1 as wire


def register(v1: Blueprint) -> None:
    """Add the routes."""
    organization = "/organizations/<organization>"
    v1.get(organization)(get_organization)
    v1.get(f"{organization}/projects")(list_projects)
    v1.post(f"{organization}/projects")(create_project)
    v1.get("/projects/<project_id>")(get_project)
    v1.patch("/projects/<project_id>")(update_project)
    v1.delete("/projects/<project_id>")(delete_project)


def get_organization(organization: str) -> Response:
    """GET /organizations/{id}."""
    _check_organization(organization)
    with services().database.reading() as connection:
        row = project_rows.organization(connection, organization)
    document = wire.Organization(
        id=row.id, name=row.name, created_at=row.created_at, updated_at=row.updated_at
    )
    return answers.json(document.model_dump(mode="json", by_alias=True))


def list_projects(organization: str) -> Response:
    """GET /organizations/{id}/projects: sorted by updated_at, ascending, unless told otherwise.

    Requests and bandwidth are those of the last 24 hours; over which time is not published.
    """
    _check_organization(organization)
    since = services().clock.now() - DEFAULT_RANGE
    sortable = project_rows.sortable_by_use(since)
    page = paging.requested_page(sortable, "updated_at")
    with services().database.reading() as connection:
        found, total = project_rows.listed(connection, organization, page, sortable)
    response = answers.json([documents.project(each) for each in found])
    return paging.link(response, page, total)


def create_project(organization: str) -> Response:
    """POST /organizations/{id}/projects."""
    _check_organization(organization)
    body = parsed(wire.CreateProjectRequest, json_body())
    made = projects.create(services(), organization, body.name, body.description)
    return answers.json(documents.project(made))


def get_project(project_id: str) -> Response:
    """GET /projects/{id}."""
    found = projects.get(services(), organization_id(), project_id)
    return answers.json(documents.project(found))


def update_project(project_id: str) -> Response:
    """PATCH /projects/{id}: null means unchanged."""
    found = projects.get(services(), organization_id(), project_id)
    # The same two optional fields as in a create, with another meaning of null.
    body = parsed(wire.CreateProjectRequest, json_body())
    changed = projects.update(services(), found, body.name, body.description)
    return answers.json(documents.project(changed))


def delete_project(project_id: str) -> Response:
    """DELETE /projects/{id}, with everything in it."""
    projects.delete(services(), projects.get(services(), organization_id(), project_id))
    return answers.empty()


def _check_organization(organization: str) -> None:
    if organization != organization_id():
        raise NotFound("organization", organization)
