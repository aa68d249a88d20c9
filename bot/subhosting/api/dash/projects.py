"""Organizations, projects and deployments as deployctl asks for them.

Every route answers with and without a slash at its end: deployctl writes some of them so.
"""

from collections.abc import Callable
from math import ceil
from typing import Any

from flask import Blueprint, Response, request

from bot.subhosting.api import answers, paging, parameters
from bot.subhosting.api.dash import documents
from bot.subhosting.api.requests import json_body, organization_id, parsed, services
from bot.subhosting.errors import Forbidden, InvalidRequest, NotFound
from bot.subhosting.service import dash, deployments, projects, regions
from bot.subhosting.store import deployments as deployment_rows
from bot.subhosting.store import projects as project_rows
from bot.subhosting.store.records import Page, ProjectRecord
from bot.wire import dash as wire

_ALL = Page(page=1, limit=10_000, sort="name", descending=False, matching=None)


def register(routes: Blueprint) -> None:
    """Add the routes."""
    _add(routes, "GET", "/meta", get_metadata)
    _add(routes, "GET", "/organizations", list_organizations)
    _add(routes, "POST", "/organizations", create_organization)
    _add(routes, "GET", "/organizations/<organization>", get_organization)
    _add(routes, "GET", "/organizations/<organization>/projects", list_projects)
    _add(routes, "GET", "/projects", list_own_projects)
    _add(routes, "POST", "/projects", create_project)
    _add(routes, "GET", "/projects/<project>", get_project)
    _add(routes, "PATCH", "/projects/<project>", update_project)
    _add(routes, "DELETE", "/projects/<project>", delete_project)
    _add(routes, "GET", "/projects/<project>/domains", list_domains)
    _add(routes, "GET", "/projects/<project>/databases", list_databases)
    _add(routes, "GET", "/projects/<project>/deployments", list_deployments)
    _add(routes, "GET", "/projects/<project>/deployments/<deployment>", get_project_deployment)
    _add(routes, "GET", "/deployments/<deployment>", get_deployment)
    _add(routes, "DELETE", "/deployments/<deployment>", delete_deployment)


def get_metadata() -> Response:
    """GET /meta: the regions of this server, of which there is one."""
    return answers.json({"regionCodes": [regions.THIS_SERVER]})


def list_organizations() -> Response:
    """GET /organizations: the one that the token belongs to."""
    return answers.json([_organization()])


def create_organization() -> Response:
    """POST /organizations: not by a token; a server has the organizations of its operator."""
    raise Forbidden("notAllowed", "organizations: only the operator of this server makes them.")


def get_organization(organization: str) -> Response:
    """GET /organizations/{id}, with its projects; nobody is a member, for tokens have no names."""
    _check_organization(organization)
    return answers.json({**_organization(), "members": [], "projects": _projects()})


def list_projects(organization: str) -> Response:
    """GET /organizations/{id}/projects: all of them, by name."""
    _check_organization(organization)
    return list_own_projects()


def list_own_projects() -> Response:
    """GET /projects: those of the token's organization."""
    return answers.json(_projects())


def create_project() -> Response:
    """POST /projects/."""
    body = parsed(wire.CreateProject, json_body())
    if body.organization_id not in {None, organization_id()}:
        raise NotFound("organization", str(body.organization_id))
    if body.env_vars or body.envs:
        field = "envVars" if body.env_vars else "envs"
        msg = f"{field}: a project here has none; deployments have their own."
        raise InvalidRequest("notSupported", msg)
    made = projects.create(services(), organization_id(), body.name, None)
    return answers.json(documents.project(made, _organization()["name"]))


def get_project(project: str) -> Response:
    """GET /projects/{nameOrId}, with the deployment that answers on the project's own host."""
    return answers.json(_document(_found(project)))


def update_project(project: str) -> Response:
    """PATCH /projects/{nameOrId}."""
    body = parsed(wire.UpdateProject, json_body())
    return answers.json(_document(projects.update(services(), _found(project), body.name, None)))


def delete_project(project: str) -> Response:
    """DELETE /projects/{nameOrId}, with everything in it; deployctl wants JSON."""
    projects.delete(services(), _found(project))
    return answers.json({})


def list_domains(project: str) -> Response:
    """GET /projects/{nameOrId}/domains: the custom ones that lead to it now."""
    found = dash.custom_domains(services(), _found(project))
    return answers.json(
        [documents.domain(host, is_validated=is_validated) for host, is_validated in found]
    )


def list_databases(project: str) -> Response:
    """GET /projects/{nameOrId}/databases: those that its deployments use."""
    found = dash.databases_of(services(), _found(project))
    return answers.json(
        [documents.database(use, dash.size_of(services(), use.database.id)) for use in found]
    )


def list_deployments(project: str) -> Response:
    """GET /projects/{nameOrId}/deployments: a pair of builds, newest first, and the page's place.

    Pages count from 0 here, and from 1 in v1.
    """
    found = _found(project)
    number = _page_from_0()
    limit = parameters.whole_number("limit", paging.DEFAULT_LIMIT, paging.MAX_LIMIT)
    page = Page(page=number + 1, limit=limit, sort="created_at", descending=True, matching=None)
    with services().database.reading() as connection:
        records, total = deployment_rows.listed(connection, found.id, page)
    name = _organization()["name"]
    builds = [documents.build(each, found, name) for each in dash.shown(services(), records)]
    place = wire.PagingInfo(
        page=number,
        count=len(builds),
        limit=limit,
        total_count=total,
        total_pages=ceil(total / limit),
    )
    return answers.json([builds, place.model_dump(mode="json", by_alias=True)])


def get_project_deployment(project: str, deployment: str) -> Response:
    """GET /projects/{nameOrId}/deployments/{id}."""
    located = deployments.get(services(), organization_id(), deployment)
    if located.project.id != _found(project).id:
        raise NotFound("deployment", deployment)
    return get_deployment(deployment)


def get_deployment(deployment: str) -> Response:
    """GET /deployments/{id}, whether it serves or not."""
    located = deployments.get(services(), organization_id(), deployment)
    found = dash.shown(services(), [located.deployment])[0]
    return answers.json(documents.build(found, located.project, _organization()["name"]))


def delete_deployment(deployment: str) -> Response:
    """DELETE /deployments/{id}; deployctl wants JSON."""
    located = deployments.get(services(), organization_id(), deployment)
    deployments.delete(services(), located)
    return answers.json({})


def _add(routes: Blueprint, method: str, path: str, view: Callable[..., Response]) -> None:
    for suffix in ("", "/"):
        endpoint = view.__name__ + ("_with_slash" if suffix else "")
        routes.add_url_rule(path + suffix, endpoint, view, methods=[method])


def _found(wanted: str) -> ProjectRecord:
    return projects.get_by_name_or_id(services(), organization_id(), wanted)


def _projects() -> list[dict[str, Any]]:
    name = _organization()["name"]
    with services().database.reading() as connection:
        found, _ = project_rows.listed(connection, organization_id(), _ALL)
    return [documents.project(each, name) for each in found]


def _document(project: ProjectRecord) -> dict[str, Any]:
    production = dash.in_production(services(), project)
    return documents.project(project, _organization()["name"], production)


def _page_from_0() -> int:
    given = request.args.get("page", "0")
    if not (given.isascii() and given.isdigit()) or int(given[:9]) >= paging.MAX_PAGE:
        msg = f"page: must be a whole number from 0, below {paging.MAX_PAGE}."
        raise InvalidRequest("invalidRequest", msg)
    return int(given)


def _organization() -> dict[str, str]:
    with services().database.reading() as connection:
        row = project_rows.organization(connection, organization_id())
    return {"id": row.id, "name": row.name}


def _check_organization(organization: str) -> None:
    if organization != organization_id():
        raise NotFound("organization", organization)
