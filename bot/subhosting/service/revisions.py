"""Revisions: deployments as API v2 sees them."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.engine import Connection

from bot.subhosting.errors import Conflict, NotFound
from bot.subhosting.service import targets
from bot.subhosting.service.services import Services
from bot.subhosting.store import bindings, deployments, projects
from bot.subhosting.store import layers as layer_rows
from bot.subhosting.store import retention as retention_rows
from bot.subhosting.store import revisions as rows
from bot.subhosting.store.records import (
    After,
    Attachment,
    BindingRecord,
    Context,
    DeploymentRecord,
    LayerRecord,
    ProjectRecord,
    Status,
)
from bot.wire.deploy_v2_revisions import DeployDomains


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionView:
    """A revision with everything an answer shows of it; `bindings` are those that lead to it."""

    app: ProjectRecord
    revision: DeploymentRecord
    layers: tuple[LayerRecord, ...]
    bindings: tuple[BindingRecord, ...]


def get(services: Services, organization_id: str, revision_id: str) -> RevisionView:
    """Return a revision by id.

    Raises:
        NotFound: there is none, or it is another organization's.

    """
    with services.database.reading() as connection:
        return _viewed(connection, organization_id, revision_id)


def listed(
    services: Services,
    app: ProjectRecord,
    *,
    status: str | None,
    after: After | None,
    limit: int,
) -> Sequence[DeploymentRecord]:
    """Return a page of an app's revisions, newest first."""
    with services.database.reading() as connection:
        return rows.listed(connection, app.id, status=status, after=after, limit=limit)


def cancel(services: Services, organization_id: str, revision_id: str) -> RevisionView:
    """Ask for the end of a build; one that has ended stays as it is.

    Raises:
        NotFound: there is no such revision.

    """
    view = get(services, organization_id, revision_id)
    with services.database.writing() as connection:
        asked = rows.request_cancellation(connection, view.revision.id, services.clock.now())
    if asked:
        services.host.cancellation_requested(view.revision.id)
    return get(services, organization_id, revision_id)


def retain(
    services: Services, organization_id: str, revision_id: str, retention: str | None
) -> RevisionView:
    """Change when a revision is collected, and enable it again; None leaves it as it is.

    Raises:
        NotFound: there is no such revision.

    """
    view = get(services, organization_id, revision_id)
    if retention is not None:
        with services.database.writing() as connection:
            rows.set_retention(connection, view.revision.id, retention)
            retention_rows.enable(connection, view.revision.id, services.clock.now())
    return get(services, organization_id, revision_id)


def delete(services: Services, organization_id: str, revision_id: str) -> None:
    """Remove a revision that is neither being built nor routed.

    Its own preview address does not count: it names the revision, so whoever deletes the one
    means the other.

    Raises:
        NotFound: there is no such revision.
        Conflict: it is in use; 409 is a guess, as the published document names no status.

    """
    view = get(services, organization_id, revision_id)
    revision = view.revision
    if revision.status is Status.PENDING:
        raise Conflict("revisionInUse", f"revision {revision.id} is being built; cancel it first.")
    own = targets.preview_host(services, view.app, revision.id)
    hosts = [binding.host for binding in view.bindings]
    if routed := [host for host in hosts if host != own]:
        msg = f"revision {revision.id} answers on {routed[0]}; detach or replace it first."
        raise Conflict("revisionInUse", msg)
    with services.database.writing() as connection:
        deployments.delete(connection, revision.id)
    services.host.deployments_deleted([revision.id], hosts)


def attach(
    services: Services, organization_id: str, revision_id: str, wanted: DeployDomains
) -> None:
    """Bind hosts to a revision beside whatever else they are bound to.

    Raises:
        NotFound: there is no such revision.
        Conflict: it is not built.
        InvalidRequest: a host is not allowed, or named for both contexts.

    """
    view = get(services, organization_id, revision_id)
    _refuse_unbuilt(view.revision)
    named = {Context.PRODUCTION: wanted.production, Context.PREVIEW: wanted.preview}
    hosts = {
        context: targets.attached(services, view.app, view.revision.id, context, templates)
        for context, templates in named.items()
    }
    targets.refuse_both(hosts)
    now = services.clock.now()
    with services.database.writing() as connection:
        retention_rows.enable(connection, view.revision.id, now)
        for context, found in hosts.items():
            for host, how in found.items():
                bindings.add(
                    connection, host, view.revision.id, now, context=context, attachment=how
                )
    services.host.hosts_changed([host for found in hosts.values() for host in found])


def detach(services: Services, organization_id: str, revision_id: str, hostname: str) -> None:
    """Take a host away from a revision; it falls back to the one before, if there is any.

    Raises:
        NotFound: there is no such revision, or the host is not bound to it.

    """
    view = get(services, organization_id, revision_id)
    # Not checked further: a host whose domain is gone must still come off.
    host = targets.filled(view.app, view.revision.id, "hostname", hostname)
    with services.database.writing() as connection:
        was_here = bindings.detach(connection, host, view.revision.id)
    if not was_here:
        raise NotFound("domain", host)
    services.host.hosts_changed([host])


def promote(services: Services, organization_id: str, revision_id: str) -> None:
    """Pin the production host to a built revision, whatever is deployed later.

    It runs with production's variables. Promoting another one undoes it, and so does taking the
    production host away from it.

    Raises:
        NotFound: there is no such revision.
        Conflict: it is not built.

    """
    view = get(services, organization_id, revision_id)
    _refuse_unbuilt(view.revision)
    host = targets.production_host(services, view.app)
    now = services.clock.now()
    with services.database.writing() as connection:
        retention_rows.enable(connection, view.revision.id, now)
        bindings.demote(connection, host, now)
        bindings.add(
            connection,
            host,
            view.revision.id,
            now,
            context=Context.PRODUCTION,
            attachment=Attachment.PROMOTED,
        )
    services.host.hosts_changed([host])


def _viewed(connection: Connection, organization_id: str, revision_id: str) -> RevisionView:
    revision = deployments.find(connection, organization_id, revision_id)
    if revision is None:
        raise NotFound("revision", revision_id)
    app = projects.find(connection, organization_id, revision.project_id)
    if app is None:
        raise NotFound("revision", revision_id)
    known = layer_rows.by_ids(connection, revision.layers)
    return RevisionView(
        app=app,
        revision=revision,
        layers=tuple(known[each] for each in revision.layers if each in known),
        bindings=tuple(bindings.of_deployments(connection, [revision.id])),
    )


def _refuse_unbuilt(revision: DeploymentRecord) -> None:
    if revision.status is not Status.SUCCESS:
        msg = f"revision {revision.id} is {revision.status}; only a built one can be routed to."
        raise Conflict("revisionNotReady", msg)
