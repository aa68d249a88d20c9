"""Hosts: which may be attached, and what the placeholders in them stand for."""

import re

from bot.subhosting.errors import InvalidRequest, NotFound
from bot.subhosting.service.services import Services
from bot.subhosting.store import bindings
from bot.subhosting.store.records import DeploymentRecord, ProjectRecord, Status

# https://www.rfc-editor.org/rfc/rfc1123#section-2.1, one label
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


def default_template(base_domain: str) -> str:
    """Return what a deployment gets that lists no domains."""
    return "{project.name}-{deployment.id}." + base_domain


def resolve(template: str, project: ProjectRecord, deployment_id: str, base_domain: str) -> str:
    """Return the host that `template` stands for.

    Allowed is one label below the base domain, whose wildcard is ours; custom domains come later.

    Raises:
        InvalidRequest: `domainNotAllowed`, naming the domain.

    """
    host = template.replace("{project.name}", project.name)
    host = host.replace("{deployment.id}", deployment_id).lower()
    label, _, parent = host.partition(".")
    if parent != base_domain or _LABEL.fullmatch(label) is None:
        msg = (
            f"domain: {template!r} is not a single label of at most 63 characters below"
            f" {base_domain!r}; only the placeholders are {{project.name}} and {{deployment.id}}."
        )
        raise InvalidRequest("domainNotAllowed", msg)
    return host


def attach(
    services: Services,
    project: ProjectRecord,
    deployment: DeploymentRecord,
    template: str,
    revision: str | None,
) -> str:
    """Make the host answer with this deployment, taking it from any other; return the host.

    The router knows when this returns. `revision` is answered as `x-preview-sha` on that host.

    Raises:
        InvalidRequest: the domain is not allowed, or the deployment is not live: moving a working
            host to something that does not serve would only break it.

    """
    host = resolve(template, project, deployment.id, services.config.base_domain)
    if revision is not None and not (revision.isascii() and revision.isprintable()):
        msg = "revision: must be printable ASCII, because it becomes a response header."
        raise InvalidRequest("invalidRevision", msg)
    if deployment.status is not Status.SUCCESS:
        msg = f"deployment {deployment.id} is {deployment.status}; only a live one gets a domain."
        raise InvalidRequest("deploymentNotReady", msg)
    with services.database.writing() as connection:
        bindings.move(connection, host, deployment.id, revision, services.clock.now())
    services.host.hosts_changed([host])
    return host


def detach(
    services: Services, project: ProjectRecord, deployment: DeploymentRecord, template: str
) -> None:
    """Take the host away from this deployment.

    Raises:
        NotFound: it is not attached to this deployment.
        InvalidRequest: no deployment could have that domain.

    """
    host = resolve(template, project, deployment.id, services.config.base_domain)
    with services.database.writing() as connection:
        was_here = bindings.detach(connection, host, deployment.id)
    if not was_here:
        raise NotFound("domain", host)
    services.host.hosts_changed([host])
