"""What `previewbot doctor` says about the targets."""

from typing import assert_never

from bot.bootstrap.findings import Check, ok
from bot.bootstrap.targets import DENO_API_URL
from bot.settings import Settings
from bot.target_settings import TargetAccess, TargetKind

# v1 counts the visitors of whole projects, whose previews they were is not told.
_BY_AGE = "end by age (PREVIEWBOT_PREVIEW_DAYS), not for want of visitors"


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
            return f"{access.kind} at {access.url}; previews there {_BY_AGE}"
        case TargetKind.EMBEDDED:
            return f"{access.kind} at {access.url}" if access.url else f"{access.kind}"
        case _:
            assert_never(access.kind)
