"""Settings -> target."""

from bot.adapters.targets.subhosting_v1 import Dialect, Platform, SubhostingV1Target
from bot.core.model.errors import ConfigurationProblem
from bot.kernel.clock import Clock
from bot.settings import Settings, TargetKind


def target_from(settings: Settings, clock: Clock) -> SubhostingV1Target:
    """Return the platform's client.

    Raises:
        ConfigurationProblem: an address or a credential is missing.

    """
    url, token, organization = (
        settings.target_url,
        settings.target_token,
        settings.target_organization,
    )
    if url is None or token is None or organization is None:
        missing = next(
            name
            for name, value in (("URL", url), ("TOKEN", token), ("ORGANIZATION", organization))
            if value is None
        )
        raise ConfigurationProblem(
            f"PREVIEWBOT_TARGET_{missing}",
            "is missing; `previewbot up --json` prints it for the platform that it runs",
        )
    ours = settings.target is TargetKind.EMBEDDED
    api_url = url.rstrip("/")
    return SubhostingV1Target(
        Platform(
            # Remembered blobs belong to one server's organization.
            name=f"{settings.target}/{organization}",
            api_url=api_url if api_url.endswith("/v1") else f"{api_url}/v1",
            token=token.get_secret_value(),
            organization=organization,
            previews_url=settings.previews_url,
            dialect=Dialect.EMBEDDED if ours else Dialect.PLAIN,
        ),
        clock,
    )
