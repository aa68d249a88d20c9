"""Projects: create, find, change, delete."""

import re

from sqlalchemy.exc import IntegrityError

from bot.subhosting.errors import InvalidRequest, NotFound, ProjectNameTaken
from bot.subhosting.identifiers import new_project_name, new_uuid
from bot.subhosting.service.services import Services
from bot.subhosting.store import bindings, deployments, projects
from bot.subhosting.store.records import ProjectRecord

# A DNS label that leaves room for `-` and a deployment id (12) within the 63 bytes of one label.
MAX_NAME_LENGTH = 50
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")

MAX_DESCRIPTION_LENGTH = 1000

# There are about 3 million random names: more than a few clashes in a row mean something else.
_NAME_ATTEMPTS = 10


def create(
    services: Services, organization_id: str, name: str | None, description: str | None
) -> ProjectRecord:
    """Make a project; without a name it gets a random one.

    Raises:
        ProjectNameTaken: another project has the name.
        InvalidRequest: the name cannot be part of a host name.

    """
    if name is not None:
        _check_name(name)
        return _insert(services, organization_id, name, description or "")
    for _ in range(_NAME_ATTEMPTS):
        try:
            return _insert(services, organization_id, new_project_name(), description or "")
        except ProjectNameTaken:
            continue
    raise ProjectNameTaken("")


def get(services: Services, organization_id: str, project_id: str) -> ProjectRecord:
    """Return a project by id.

    Raises:
        NotFound: there is none, or it is another organization's.

    """
    with services.database.reading() as connection:
        found = projects.find(connection, organization_id, project_id)
    if found is None:
        raise NotFound("project", project_id)
    return found


def get_by_name_or_id(services: Services, organization_id: str, wanted: str) -> ProjectRecord:
    """Return a project by id or, as deployctl asks for it, by name.

    Raises:
        NotFound: there is none, or it is another organization's.

    """
    with services.database.reading() as connection:
        found = projects.find(connection, organization_id, wanted) or projects.find_by_name(
            connection, organization_id, wanted
        )
    if found is None:
        raise NotFound("project", wanted)
    return found


def update(
    services: Services, project: ProjectRecord, name: str | None, description: str | None
) -> ProjectRecord:
    """Change what is not None and return the project as it is then.

    Raises:
        ProjectNameTaken: another project has the name.
        InvalidRequest: the name cannot be part of a host name.

    """
    changes: dict[str, str] = {}
    if name is not None:
        _check_name(name)
        changes["name"] = name
    if description is not None:
        changes["description"] = description
    try:
        with services.database.writing() as connection:
            projects.update(connection, project.id, changes, services.clock.now())
    except IntegrityError as error:
        raise ProjectNameTaken(name or "") from error
    return get(services, project.organization_id, project.id)


def delete(services: Services, project: ProjectRecord) -> None:
    """Remove a project, its deployments, its hosts and its blobs."""
    with services.database.writing() as connection:
        gone = deployments.ids_of_project(connection, project.id)
        attached = bindings.hosts_of(connection, gone)
        projects.delete(connection, project.id)
    hosts = [host for hosts in attached.values() for host in hosts]
    services.host.deployments_deleted(gone, hosts)
    services.blobs.forget_project(project.id)


def _check_name(name: str) -> None:
    if len(name) > MAX_NAME_LENGTH or _NAME.fullmatch(name) is None:
        msg = (
            f"name: {name!r} must be 1 to {MAX_NAME_LENGTH} characters of a-z, 0-9 and `-`, and"
            " neither begin nor end with `-`, because it becomes part of host names."
        )
        raise InvalidRequest("invalidProjectName", msg)


def _insert(
    services: Services, organization_id: str, name: str, description: str
) -> ProjectRecord:
    now = services.clock.now()
    project = ProjectRecord(
        id=new_uuid(),
        organization_id=organization_id,
        name=name,
        description=description,
        created_at=now,
        updated_at=now,
    )
    try:
        with services.database.writing() as connection:
            projects.insert(connection, project)
    except IntegrityError as error:
        raise ProjectNameTaken(name) from error
    return project
