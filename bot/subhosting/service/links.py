"""Which repository's workflows may deploy to a project: the operator says so, nobody else."""

from bot.subhosting.service.services import Services
from bot.subhosting.store import links
from bot.subhosting.store.links import LinkRecord
from bot.subhosting.store.records import ProjectRecord
from bot.subhosting.trust.oidc import RepositoryLink


def of_project(services: Services, project: ProjectRecord) -> LinkRecord | None:
    """Return the link of a project."""
    with services.database.reading() as connection:
        return links.find(connection, project.id)


def link(
    services: Services, project: ProjectRecord, repository_id: int, default_branch: str | None
) -> LinkRecord:
    """Link a project to a repository, instead of to the one before."""
    made = LinkRecord(
        project_id=project.id,
        repository_id=repository_id,
        default_branch=default_branch,
        created_at=services.clock.now(),
    )
    with services.database.writing() as connection:
        links.save(connection, made)
    return made


def unlink(services: Services, project: ProjectRecord) -> bool:
    """Take a project's link away; False if it had none."""
    with services.database.writing() as connection:
        return links.remove(connection, project.id)


def for_workflow(services: Services, wanted: str) -> tuple[str, RepositoryLink | None]:
    """Return the organization and the link of the project with this name or id, if there is one.

    Whoever asks has no organization yet; names of projects are unique on the whole server.
    """
    with services.database.reading() as connection:
        found = links.find_named(connection, wanted)
    organization_id, link = found or ("", None)
    if link is None:
        return organization_id, None
    return organization_id, RepositoryLink(
        repository_id=link.repository_id, default_branch=link.default_branch
    )
