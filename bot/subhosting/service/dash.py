"""The use cases of deployctl's protocol that are not those of v1."""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from bot.subhosting.errors import InvalidRequest
from bot.subhosting.kv.size import stored_bytes
from bot.subhosting.service import assets, deployments, domains
from bot.subhosting.service.deployments import Located
from bot.subhosting.service.services import Services
from bot.subhosting.store import bindings, databases
from bot.subhosting.store import deployments as deployment_rows
from bot.subhosting.store import domains as domain_rows
from bot.subhosting.store.blobs import Blob
from bot.subhosting.store.databases import DEFAULT, DatabaseUse
from bot.subhosting.store.records import Context, DeploymentRecord, ProjectRecord, Status
from bot.wire.dash import PushDeploymentRequest
from bot.wire.subhosting_v1 import CreateDeploymentRequest

# Longer than a build may take; then the client is told so, and the build goes on.
GIVE_UP_AFTER = timedelta(minutes=10)

# While the host is away nobody tells of changes, so the store is asked this often.
_WITHOUT_HOST = timedelta(milliseconds=250)
_PATIENCE = timedelta(seconds=15)

_ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A deployment with everything an answer shows of it; `failure` says why it has failed."""

    deployment: DeploymentRecord
    hosts: Sequence[str]
    # By name; of v2's two contexts what production opens, or else a preview.
    databases: Mapping[str, str]
    failure: str | None


def push(
    services: Services,
    project: ProjectRecord,
    request: PushDeploymentRequest,
    received: Mapping[str, Blob],
    *,
    production: bool,
) -> Located:
    """Store a deployment: on its own host, and when it is for production on the project's too.

    Raises:
        AssetNotFound: a hash of the manifest was neither sent nor known.
        InvalidRequest: anything else about the request; the message names the field.
        TooLarge: a limit is exceeded.
        TooManyDeployments: of the organization, in an hour.

    """
    base = services.config.base_domain
    hosts = [domains.default_template(base)]
    if production:
        hosts.append(f"{{project.name}}.{base}")
    manifest = {} if request.manifest is None else request.manifest.entries
    if request.manifest is None and received:
        raise InvalidRequest("invalidRequest", "manifest: is missing, so the files have no paths.")
    wanted = CreateDeploymentRequest(
        entry_point_url=request.url,
        assets=assets.flattened(manifest),
        env_vars={},
        import_map_url=request.import_map_url,
        domains=hosts,
    )
    return deployments.create(services, project, wanted, None, received)


def files_of(services: Services, deployment: DeploymentRecord) -> int:
    """Return how many files and links a deployment has."""
    manifest = deployments.manifest_of(services, deployment)
    return len(manifest.files) + len(manifest.links)


def ended(services: Services, deployment_id: str) -> DeploymentRecord | None:
    """Wait for the end of a build, and return the deployment as it is then.

    None means that it was deleted; one that is still pending took longer than `GIVE_UP_AFTER`.
    """
    deadline = services.clock.now() + GIVE_UP_AFTER
    while True:
        with services.database.reading() as connection:
            found = deployment_rows.load(connection, deployment_id)
        ended = found is None or found.status is not Status.PENDING
        if ended or services.clock.now() > deadline:
            return found
        news = sum(1 for _ in services.host.changes(deployment_id, patience=_PATIENCE))
        if not news:
            services.clock.sleep(_WITHOUT_HOST)


def shown(services: Services, found: Sequence[DeploymentRecord]) -> list[Shown]:
    """Return deployments with what is shown of them."""
    ids = [each.id for each in found]
    with services.database.reading() as connection:
        hosts = bindings.hosts_of(connection, ids)
        of_all = databases.linked_to(connection, ids)
        of_contexts = databases.linked_by_context(connection, ids)
    return [
        Shown(
            deployment=each,
            hosts=hosts[each.id],
            databases=of_all[each.id] or _default(of_contexts[each.id]),
            failure=failure_of(services, each.id) if each.status is Status.FAILED else None,
        )
        for each in found
    ]


def in_production(services: Services, project: ProjectRecord) -> Shown | None:
    """Return the deployment that answers on the project's own host."""
    host = f"{project.name}.{services.config.base_domain}"
    with services.database.reading() as connection:
        bound = [each.deployment_id for each in bindings.load(connection, [host])]
        records = [deployment_rows.load(connection, each) for each in bound]
    own = [each for each in records if each is not None and each.project_id == project.id]
    return shown(services, own[:1])[0] if own else None


def custom_domains(services: Services, project: ProjectRecord) -> list[tuple[str, bool]]:
    """Return (host, whether its domain is verified) of the custom hosts that lead to a project."""
    with services.database.reading() as connection:
        hosts = sorted({each.host for each in bindings.of_project(connection, project.id)})
        covering = {
            host: domain_rows.covering(connection, project.organization_id, host) for host in hosts
        }
    return [(host, found[0].is_validated) for host, found in covering.items() if found]


def databases_of(services: Services, project: ProjectRecord) -> list[DatabaseUse]:
    """Return the databases that deployments of a project use."""
    with services.database.reading() as connection:
        return databases.used_by(connection, project.id)


def size_of(services: Services, database_id: str) -> int | None:
    """Return how many bytes a database holds; None before an app first opened it.

    None also while it cannot be read, whatever somebody did to it.
    """
    try:
        return stored_bytes(services.config.kv_file(database_id))
    except sqlite3.Error:
        return None


def _default(linked: Mapping[Context, Mapping[str, str]]) -> dict[str, str]:
    for context in (Context.PRODUCTION, Context.PREVIEW):
        for database_id in linked.get(context, {}).values():
            return {DEFAULT: database_id}
    return {}


def failure_of(services: Services, deployment_id: str) -> str:
    """Return in a sentence why a build failed: the last error in its log."""
    with services.database.reading() as connection:
        lines = deployment_rows.log_after(connection, deployment_id, 0)
    errors = [line.message for line in lines if line.level == _ERROR]
    return errors[-1] if errors else "The deployment failed; its build log has no more."
