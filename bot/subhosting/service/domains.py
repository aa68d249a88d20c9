"""Hosts: which may be attached, and what the placeholders in them stand for."""

import re

from bot.subhosting.errors import InvalidRequest, NotFound
from bot.subhosting.service import custom_domains
from bot.subhosting.service.services import Services
from bot.subhosting.store import bindings
from bot.subhosting.store.records import (
    Attachment,
    Context,
    DeploymentRecord,
    ProjectRecord,
    Status,
)

# https://www.rfc-editor.org/rfc/rfc1123#section-2.1, one label
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_HOST = re.compile(rf"(?:{_LABEL.pattern}\.)+{_LABEL.pattern}")


def default_template(base_domain: str) -> str:
    """Return what a deployment gets that lists no domains."""
    return "{project.name}-{deployment.id}." + base_domain


def resolve(services: Services, project: ProjectRecord, deployment_id: str, template: str) -> str:
    """Return the host that `template` stands for.

    Allowed is one label below the base domain, whose wildcard is ours, and what a verified custom
    domain of the organization covers.

    Raises:
        InvalidRequest: `domainNotAllowed`, naming the domain.

    """
    host = filled(template, project, deployment_id)
    base_domain = services.config.base_domain
    label, _, parent = host.partition(".")
    if _LABEL.fullmatch(label) is not None and parent == base_domain:
        return host
    problem: str | None = None
    if _HOST.fullmatch(host) is not None and not host.endswith(f".{base_domain}"):
        with services.database.reading() as connection:
            problem = custom_domains.host_problem(connection, project.organization_id, host)
        if problem is None:
            return host
    msg = (
        f"domain: {template[:300]!r} is not a single label of at most 63 characters below"
        f" {base_domain!r}"
        + (f", and {problem}" if problem else "")
        + "; the only placeholders are {project.name} and {deployment.id}."
    )
    raise InvalidRequest("domainNotAllowed", msg)


def filled(template: str, project: ProjectRecord, deployment_id: str) -> str:
    """Return `template` with its placeholders filled in, in lower case."""
    host = template.replace("{project.name}", project.name)
    return host.replace("{deployment.id}", deployment_id).lower()


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
    host = resolve(services, project, deployment.id, template)
    if revision is not None and not (revision.isascii() and revision.isprintable()):
        msg = "revision: must be printable ASCII, because it becomes a response header."
        raise InvalidRequest("invalidRevision", msg)
    if deployment.status is not Status.SUCCESS:
        msg = f"deployment {deployment.id} is {deployment.status}; only a live one gets a domain."
        raise InvalidRequest("deploymentNotReady", msg)
    with services.database.writing() as connection:
        context, attachment = bindings.kind_of(project.name, deployment.id, host)
        # Production is pinned by it, as by a promotion of v2.
        if context is Context.PRODUCTION:
            attachment = Attachment.PROMOTED
        bindings.move(
            connection,
            host,
            deployment.id,
            revision,
            services.clock.now(),
            context=context,
            attachment=attachment,
        )
    services.host.hosts_changed([host])
    return host


def detach(
    services: Services, project: ProjectRecord, deployment: DeploymentRecord, template: str
) -> None:
    """Take the host away from this deployment.

    Raises:
        NotFound: it is not attached to this deployment.

    """
    # Not checked further: a host whose domain is gone must still come off.
    host = filled(template, project, deployment.id)
    with services.database.writing() as connection:
        was_here = bindings.detach(connection, host, deployment.id)
    if not was_here:
        raise NotFound("domain", host)
    services.host.hosts_changed([host])
