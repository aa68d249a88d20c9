"""Finding what a lost answer may have left on a server that takes no idempotency key."""

from datetime import timedelta
from urllib.parse import quote

from bot.adapters.targets.http import Api, Call
from bot.core.model.ids import TargetDeploymentId
from bot.kernel.clock import Clock
from bot.wire.subhosting_v1 import Deployment, DeploymentStatus

# The description shows only once a deployment has succeeded, so a pending one may be ours.
PENDING_LOOKS = 30
PENDING_WAIT = timedelta(seconds=1)

# Newest first: what we may have made a moment ago is on the first page.
RECENT = 100


def earlier_deployment(
    api: Api, clock: Clock, project: str, marker: str
) -> TargetDeploymentId | None:
    """Return the deployment whose description starts with `marker`, None if there is none.

    Waits for pending ones, half a minute at most. Of several the first one made stays, and the
    others are deleted.
    """
    for _ in range(PENDING_LOOKS):
        recent = _recent(api, project)
        if ours := [found for found in recent if _is_marked(found, marker)]:
            return _only(api, ours)
        if not any(found.status is DeploymentStatus.PENDING for found in recent):
            return None
        clock.sleep(PENDING_WAIT)
    return None


def _recent(api: Api, project: str) -> list[Deployment]:
    call = Call(
        method="GET",
        url=f"projects/{quote(project, safe='')}/deployments",
        params={"limit": RECENT, "sort": "created_at", "order": "desc"},
    )
    return api.ask(call, list[Deployment])


def _is_marked(deployment: Deployment, marker: str) -> bool:
    description = deployment.description or ""
    return description == marker or description.startswith(f"{marker}:")


def _only(api: Api, ours: list[Deployment]) -> TargetDeploymentId:
    first, *others = sorted(ours, key=lambda found: (found.created_at, found.id))
    for loser in others:
        api.tell(Call(method="DELETE", url=f"deployments/{quote(loser.id, safe='')}"))
    return TargetDeploymentId(first.id)
