"""Settings -> target."""

from importlib import metadata
from typing import TYPE_CHECKING

from bot import __version__
from bot.core.model.errors import ConfigurationProblem
from bot.kernel.clock import Clock
from bot.settings import Settings, TargetKind

# Only the one that is used is imported, because `previewbot deploy` starts for every deploy.
if TYPE_CHECKING:
    from bot.adapters.targets.deploy_v2 import DeployV2Target
    from bot.adapters.targets.subhosting_v1 import SubhostingV1Target

# Deno's own platform; `api.deno.com/v2/openapi.json`.
DENO_API_URL = "https://api.deno.com/v2"


def target_from(settings: Settings, clock: Clock) -> "SubhostingV1Target | DeployV2Target":
    """Return the platform's client.

    Raises:
        ConfigurationProblem: an address or a credential is missing.

    """
    if settings.target is TargetKind.DEPLOY_V2:
        return _deploy_v2(settings, clock)
    return _subhosting_v1(settings, clock)


def runtime_of(settings: Settings) -> str:
    """Return what builds and runs apps on our own platform; "" for one of others."""
    if settings.target is not TargetKind.EMBEDDED:
        return ""
    try:
        deno = metadata.version("deno")
    except metadata.PackageNotFoundError:
        deno = "elsewhere"
    return f"previewbot {__version__}, deno {deno}"


def _deploy_v2(settings: Settings, clock: Clock) -> "DeployV2Target":
    from bot.adapters.targets import deploy_v2  # noqa: PLC0415 - see above

    return deploy_v2.DeployV2Target(
        deploy_v2.Platform(
            name=f"{settings.target}/{settings.previews_url}",
            api_url=_versioned(settings.target_url or DENO_API_URL, "v2"),
            token=_token(settings),
            previews_url=_given(settings.previews_url, "PREVIEWBOT_PREVIEWS_URL"),
        ),
        clock,
    )


def _subhosting_v1(settings: Settings, clock: Clock) -> "SubhostingV1Target":
    from bot.adapters.targets import subhosting_v1  # noqa: PLC0415 - see above
    from bot.adapters.targets.subhosting_v1 import Dialect  # noqa: PLC0415

    organization = _given(settings.target_organization, "PREVIEWBOT_TARGET_ORGANIZATION")
    ours = settings.target is TargetKind.EMBEDDED
    return subhosting_v1.SubhostingV1Target(
        subhosting_v1.Platform(
            # Remembered blobs belong to one server's organization.
            name=f"{settings.target}/{organization}",
            api_url=_versioned(_given(settings.target_url, "PREVIEWBOT_TARGET_URL"), "v1"),
            token=_token(settings),
            organization=organization,
            previews_url=settings.previews_url,
            dialect=Dialect.EMBEDDED if ours else Dialect.PLAIN,
        ),
        clock,
    )


def _versioned(url: str, version: str) -> str:
    whole = url.rstrip("/")
    return whole if whole.endswith(f"/{version}") else f"{whole}/{version}"


def _token(settings: Settings) -> str:
    secret = settings.target_token
    text = None if secret is None else secret.get_secret_value()
    return _given(text, "PREVIEWBOT_TARGET_TOKEN")


def _given(value: str | None, variable: str) -> str:
    if value is None:
        raise ConfigurationProblem(
            variable, "is missing; `previewbot up --json` prints it for the platform that it runs"
        )
    return value
