"""What `previewbot doctor` says about the targets."""

from typing import assert_never

from bot.bootstrap.findings import Check, ok
from bot.bootstrap.targets import DENO_API_URL
from bot.settings import Settings
from bot.target_settings import TargetAccess, TargetKind


def targets(settings: Settings) -> list[Check]:
    """Return where previews run, the usual target first; nobody is asked."""
    usual = [ok("target", f"{_described(settings.usual_target)}, the usual one")]
    named = [
        ok("target", f"{name}: {_described(access)}") for name, access in settings.targets.items()
    ]
    return usual + named


def _described(access: TargetAccess) -> str:
    """Return its kind and place, and never its token."""
    match access.kind:
        case TargetKind.DEPLOY_V2:
            return f"{access.kind} at {access.url or DENO_API_URL}"
        case TargetKind.SUBHOSTING_V1:
            return f"{access.kind} at {access.url}"
        case TargetKind.EMBEDDED:
            return f"{access.kind} at {access.url}" if access.url else f"{access.kind}"
        case _:
            assert_never(access.kind)
