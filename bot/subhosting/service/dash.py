"""The use cases of deployctl's protocol that are not those of v1."""

from collections.abc import Mapping
from datetime import timedelta

from bot.subhosting.errors import InvalidRequest
from bot.subhosting.service import assets, deployments, domains
from bot.subhosting.service.deployments import Located
from bot.subhosting.service.services import Services
from bot.subhosting.store import deployments as deployment_rows
from bot.subhosting.store.blobs import Blob
from bot.subhosting.store.records import DeploymentRecord, ProjectRecord, Status
from bot.wire.dash import PushDeploymentRequest
from bot.wire.subhosting_v1 import CreateDeploymentRequest

# Longer than a build may take; then the client is told so, and the build goes on.
GIVE_UP_AFTER = timedelta(minutes=10)

# While the host is away nobody tells of changes, so the store is asked this often.
_WITHOUT_HOST = timedelta(milliseconds=250)
_PATIENCE = timedelta(seconds=15)

_ERROR = "error"


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


def failure_of(services: Services, deployment_id: str) -> str:
    """Return in a sentence why a build failed: the last error in its log."""
    with services.database.reading() as connection:
        lines = deployment_rows.log_after(connection, deployment_id, 0)
    errors = [line.message for line in lines if line.level == _ERROR]
    return errors[-1] if errors else "The deployment failed; its build log has no more."
