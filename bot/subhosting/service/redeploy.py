"""v1's redeploy: the files of a deployment with other settings, as a deployment of its own."""

from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy.exc import IntegrityError

from bot.subhosting.errors import InvalidRequest, NotFound
from bot.subhosting.service import deployments, domains, environment, rate, run_settings
from bot.subhosting.service.deployments import Located
from bot.subhosting.service.services import Services
from bot.subhosting.store import deployments as rows
from bot.subhosting.store import settings as settings_rows
from bot.subhosting.store.databases import DEFAULT
from bot.subhosting.store.records import (
    Attachment,
    Context,
    DeploymentRecord,
    ProjectRecord,
    Status,
)
from bot.subhosting.store.settings import Settings
from bot.wire.subhosting_v1 import RedeployRequest


def redeploy(services: Services, located: Located, request: RedeployRequest) -> Located:
    """Make a deployment from the files of another; the answer does not wait for its build.

    Variables and databases are merged into the old ones, and a null takes one away. What else is
    given replaces the old value. The new one gets the default domain; with deployctl's `prod` it
    takes over the project's own domain as well. Attached domains stay where they are.

    Raises:
        InvalidRequest: a wish cannot be fulfilled; names the field.
        NotFound: the old deployment was deleted meanwhile.
        TooLarge: a limit is exceeded.
        TooManyDeployments: of the organization, in an hour.

    """
    project, old = located.project, located.deployment
    with services.database.reading() as connection:
        before = settings_rows.load(connection, [old.id])[old.id]
    env_vars = _merged(old.env_vars, request.env_vars)
    environment.check(env_vars, services.config.limits)
    settings = _settings(services, project.organization_id, before, request)
    new_id = services.ids.new()
    targets = _targets(services, project, new_id, production=bool(request.prod))
    now = services.clock.now()
    timeout = deployments.checked_timeout(request.request_timeout)
    new = replace(
        old,
        id=new_id,
        idempotency_key=None,
        status=Status.PENDING,
        description=old.description if request.description is None else request.description,
        env_vars=env_vars,
        domains=tuple(host for hosts in targets.values() for host in hosts),
        request_timeout=old.request_timeout if timeout is None else timeout,
        # What v2 made goes on to see the variables of its app.
        targets=None if old.targets is None else targets,
        stages=None,
        failure_reason=None,
        failure_detail=None,
        cancellation_requested_at=None,
        build_finished_at=None,
        used_at=None,
        disabled_at=None,
        created_at=now,
        updated_at=now,
    )
    _store(services, located, new, settings)
    services.host.deployment_created(new_id)
    return Located(project=project, deployment=new, hosts=())


def _targets(
    services: Services, project: ProjectRecord, deployment_id: str, *, production: bool
) -> dict[Context, dict[str, Attachment]]:
    base = services.config.base_domain
    templates = {Context.PREVIEW: domains.default_template(base)}
    if production:
        templates[Context.PRODUCTION] = "{project.name}." + base
    return {
        context: {domains.resolve(services, project, deployment_id, template): Attachment.JOINED}
        for context, template in templates.items()
    }


def _settings(
    services: Services, organization_id: str, before: Settings, request: RedeployRequest
) -> Settings:
    given = request.permissions is not None and request.permissions.net is not None
    wanted = {str(name): each for name, each in (request.databases or {}).items()}
    databases = _merged(before.databases or {}, wanted)
    if before.enable_cron and DEFAULT not in databases:
        msg = "databases.default: cannot be taken away, because crons are enabled."
        raise InvalidRequest("cronNeedsDatabase", msg)
    return replace(
        before,
        net=run_settings.checked_net(request.permissions) if given else before.net,
        databases=run_settings.checked_databases(services, organization_id, databases),
    )


def _store(
    services: Services, located: Located, new: DeploymentRecord, settings: Settings
) -> None:
    organization_id = located.project.organization_id
    gone = NotFound("deployment", located.deployment.id)
    try:
        with services.database.writing() as connection:
            # Its files are kept as long as it is there.
            if rows.find(connection, organization_id, located.deployment.id) is None:
                raise gone
            rate.spend(services, connection, organization_id)
            rows.insert(connection, new)
            settings_rows.save(connection, new.id, settings)
    except IntegrityError as error:
        raise gone from error


def _merged(old: Mapping[str, str], given: Mapping[str, str | None] | None) -> dict[str, str]:
    both = {**old, **(given or {})}
    return {name: value for name, value in both.items() if value is not None}
