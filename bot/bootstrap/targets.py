"""Settings -> targets."""

from importlib import metadata
from typing import TYPE_CHECKING

from bot import __version__
from bot.core.model.errors import ConfigurationProblem
from bot.kernel.clock import Clock
from bot.ports.targets import Targets
from bot.settings import Settings
from bot.target_settings import TargetAccess, TargetKind, target_variable

# Only the one that is used is imported, because `previewbot deploy` starts for every deploy.
if TYPE_CHECKING:
    from bot.adapters.targets.deploy_v2 import DeployV2Target
    from bot.adapters.targets.subhosting_v1 import SubhostingV1Target

# Deno's own platform; `api.deno.com/v2/openapi.json`.
DENO_API_URL = "https://api.deno.com/v2"


def targets_from(settings: Settings, clock: Clock) -> Targets:
    """Return the clients of all platforms.

    Raises:
        ConfigurationProblem: an address or a credential is missing or wrong.

    """
    named = {name: _target(name, access, clock) for name, access in settings.targets.items()}
    return Targets(usual=_target(None, settings.usual_target, clock), named=named)


def _target(
    name: str | None, access: TargetAccess, clock: Clock
) -> "SubhostingV1Target | DeployV2Target":
    try:
        if access.kind is TargetKind.DEPLOY_V2:
            return _deploy_v2(name, access, clock)
        return _subhosting_v1(name, access, clock)
    except ConfigurationProblem as problem:
        # Of their settings clients know only the address of previews, by the usual name.
        if problem.setting != target_variable(None, "previews_url"):
            raise
        raise ConfigurationProblem(
            target_variable(name, "previews_url"), problem.problem
        ) from problem


def runtime_of(settings: Settings) -> str:
    """Return what builds and runs apps on our own platform; "" for one of others."""
    if settings.target is not TargetKind.EMBEDDED:
        return ""
    try:
        deno = metadata.version("deno")
    except metadata.PackageNotFoundError:
        deno = "elsewhere"
    return f"previewbot {__version__}, deno {deno}"


def _deploy_v2(name: str | None, access: TargetAccess, clock: Clock) -> "DeployV2Target":
    from bot.adapters.targets import deploy_v2  # noqa: PLC0415 - see above

    return deploy_v2.DeployV2Target(
        deploy_v2.Platform(
            name=f"{access.kind}/{access.previews_url}",
            api_url=_versioned(access.url or DENO_API_URL, "v2"),
            token=_token(name, access),
            previews_url=_given(name, "previews_url", access.previews_url),
        ),
        clock,
    )


def _subhosting_v1(name: str | None, access: TargetAccess, clock: Clock) -> "SubhostingV1Target":
    from bot.adapters.targets import subhosting_v1  # noqa: PLC0415 - see above
    from bot.adapters.targets.subhosting_v1 import Dialect  # noqa: PLC0415

    organization = _given(name, "organization", access.organization)
    ours = access.kind is TargetKind.EMBEDDED
    return subhosting_v1.SubhostingV1Target(
        subhosting_v1.Platform(
            # Remembered blobs belong to one server's organization.
            name=f"{access.kind}/{organization}",
            api_url=_versioned(_given(name, "url", access.url), "v1"),
            token=_token(name, access),
            organization=organization,
            previews_url=access.previews_url,
            dialect=Dialect.EMBEDDED if ours else Dialect.PLAIN,
        ),
        clock,
    )


def _versioned(url: str, version: str) -> str:
    whole = url.rstrip("/")
    return whole if whole.endswith(f"/{version}") else f"{whole}/{version}"


def _token(name: str | None, access: TargetAccess) -> str:
    secret = access.token
    return _given(name, "token", None if secret is None else secret.get_secret_value())


def _given(name: str | None, field: str, value: str | None) -> str:
    if value is None:
        raise ConfigurationProblem(
            target_variable(name, field),
            "is missing; `previewbot up --json` prints it for the platform that it runs",
        )
    return value
