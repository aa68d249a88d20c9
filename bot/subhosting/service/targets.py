"""Which hosts a revision answers on: v2's templates, targets and attachments.

Our base domain has room for one label, where Deno's has `<app>.<org>`: production answers on
`<app>.<base>`, one revision on `<app>-<revision>.<base>`.
"""

import re
from collections.abc import Sequence

from bot.subhosting.errors import InvalidRequest, TooLarge
from bot.subhosting.service import domains
from bot.subhosting.service.services import Services
from bot.subhosting.store.records import Attachment, Context, ProjectRecord
from bot.wire.deploy_v2_revisions import DeployInit, Target

_FIRST_LABEL = re.compile(r"(?:\{[^{}]*\}|[^.{}])*")

Targets = dict[Context, dict[str, Attachment]]


def production_host(services: Services, app: ProjectRecord) -> str:
    """Return the host of the production timeline."""
    return f"{app.name}.{services.config.base_domain}"


def preview_host(services: Services, app: ProjectRecord, revision_id: str) -> str:
    """Return the host that belongs to one revision alone."""
    return f"{app.name}-{revision_id}.{services.config.base_domain}"


def wanted(
    services: Services, app: ProjectRecord, revision_id: str, request: DeployInit
) -> Targets:
    """Return the hosts that a new revision joins at its success, by context.

    Raises:
        InvalidRequest: a domain is not allowed, or named for both targets.
        TooLarge: more domains than the limit.

    """
    given = {Context.PRODUCTION: request.production, Context.PREVIEW: request.preview}
    found: Targets = {}
    for context, target in given.items():
        if hosts := _of_target(services, app, revision_id, context, target):
            found[context] = hosts
    refuse_both(found)
    return found


def attached(
    services: Services,
    app: ProjectRecord,
    revision_id: str,
    context: Context,
    templates: Sequence[str],
) -> dict[str, Attachment]:
    """Return the hosts of `templates`; those that are there by default join, others are explicit.

    Raises:
        InvalidRequest: a domain is not allowed.
        TooLarge: more domains than the limit.

    """
    limit = services.config.limits.domains
    if len(templates) > limit:
        raise TooLarge("tooManyDomains", f"{context}: more domains than the limit of {limit}.")
    joined = {production_host(services, app), preview_host(services, app, revision_id)}
    hosts = [resolve(services, app, revision_id, context, each) for each in templates]
    return {host: Attachment.JOINED if host in joined else Attachment.EXPLICIT for host in hosts}


def resolve(
    services: Services, app: ProjectRecord, revision_id: str, field: str, template: str
) -> str:
    """Return the host that a template stands for, if the app may have it.

    Raises:
        InvalidRequest: the domain is not allowed.

    """
    host = filled(app, revision_id, field, template)
    try:
        return domains.resolve(services, app, revision_id, host)
    except InvalidRequest as error:
        # Without what it says about v1's placeholders.
        words = error.message.replace("domain:", f"{field}:", 1).partition("; the only")[0]
        raise InvalidRequest(error.code, f"{words}.") from error


def filled(app: ProjectRecord, revision_id: str, field: str, template: str) -> str:
    """Return a template with its placeholders filled in; they stand in the first label only.

    Raises:
        InvalidRequest: there are other braces.

    """
    meanings = {
        "{deno.revision.id}": revision_id,
        "{deno.app.slug}": app.name,
        "{deno.app.id}": app.id,
        "{deno.organization.id}": app.organization_id,
    }
    # The first label ends at the first dot that is not a placeholder's.
    found = _FIRST_LABEL.match(template)
    label = found.group() if found is not None else ""
    rest = template[len(label) :]
    for placeholder, meaning in meanings.items():
        label = label.replace(placeholder, meaning)
    if "{" in label + rest:
        msg = (
            f"{field}: {template[:253]!r} may have {', '.join(meanings)} in its first label only,"
            " and no other braces."
        )
        raise InvalidRequest("domainNotAllowed", msg)
    return f"{label}{rest}".lower()


def refuse_both(targets: Targets) -> None:
    """Refuse a host that is named for production and for preview.

    Raises:
        InvalidRequest: naming it.

    """
    both = set(targets.get(Context.PRODUCTION, ())) & set(targets.get(Context.PREVIEW, ()))
    if both:
        msg = f"preview: {min(both)!r} is named for production too; a host has one context."
        raise InvalidRequest("invalidRequest", msg)


def _of_target(
    services: Services, app: ProjectRecord, revision_id: str, context: Context, target: Target
) -> dict[str, Attachment]:
    if target is False:
        return {}
    if not isinstance(target, bool) and target.domains is not None:
        return attached(services, app, revision_id, context, target.domains)
    if context is Context.PRODUCTION:
        return {production_host(services, app): Attachment.JOINED}
    return {preview_host(services, app, revision_id): Attachment.JOINED}
