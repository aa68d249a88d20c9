"""What the App asks GitHub for: no right more than what is switched on needs.

The manifest and its parameters:
https://docs.github.com/en/apps/sharing-github-apps/registering-a-github-app-from-a-manifest
"""

from collections.abc import Collection
from typing import Any
from urllib.parse import urlsplit

from bot.core.model.apps import AskedPermission
from bot.core.model.surfaces import Surface

# GitHub's limit of an App's name.
MAX_NAME_CHARS = 34

# `installation` and `installation_repositories` come to every App, and GitHub refuses a manifest
# that names them (https://github.com/tuist/tuist/pull/10709).
EVENTS = (
    "check_run",
    "check_suite",
    "delete",
    "issue_comment",
    "pull_request",
    "push",
    "repository",
)

_ALWAYS = (
    AskedPermission(
        name="metadata", level="read", why="Names of repositories, and who may do what"
    ),
    AskedPermission(name="contents", level="read", why="Read the commits that are deployed"),
    AskedPermission(
        name="pull_requests",
        level="write",
        why="Know pull requests, answer commands in their comments",
    ),
    # Comments on pull requests are events of issues; GitHub refuses the manifest otherwise.
    # https://github.com/derive-to/derive/pull/269
    AskedPermission(name="issues", level="read", why="Hear of comments on pull requests"),
)
_FOR_SURFACE = {
    Surface.CHECK: AskedPermission(
        name="checks", level="write", why="Show on each commit how its deployment goes"
    ),
    Surface.DEPLOYMENT: AskedPermission(
        name="deployments", level="write", why="List previews as deployments, with their URLs"
    ),
    Surface.DISPATCH: AskedPermission(
        name="contents",
        level="write",
        why="Send events to workflows; reading commits is included",
    ),
}
_ENVIRONMENTS = AskedPermission(
    name="administration", level="write", why="Delete the environment of a preview that is gone"
)


def permissions(
    surfaces: Collection[Surface], *, removes_environments: bool
) -> tuple[AskedPermission, ...]:
    """Return the least set of rights; of two levels of one right the greater."""
    asked = {permission.name: permission for permission in _ALWAYS}
    # In the order of the surfaces, so that the same settings give the same manifest.
    for surface in Surface:
        if surface in surfaces and surface in _FOR_SURFACE:
            asked[_FOR_SURFACE[surface].name] = _FOR_SURFACE[surface]
    if removes_environments and Surface.DEPLOYMENT in surfaces:
        asked[_ENVIRONMENTS.name] = _ENVIRONMENTS
    return tuple(asked.values())


def events(asked: Collection[AskedPermission]) -> tuple[str, ...]:
    """Return the events to subscribe to; GitHub refuses those whose right is not asked for."""
    names = {permission.name for permission in asked}
    without_checks = {"check_run", "check_suite"} if "checks" not in names else set()
    return tuple(event for event in EVENTS if event not in without_checks)


def manifest(
    public_url: str, webhook_url: str, asked: Collection[AskedPermission]
) -> dict[str, Any]:
    """Return the document that GitHub makes the App from."""
    return {
        "name": _name(public_url),
        "url": public_url,
        "hook_attributes": {"url": webhook_url, "active": True},
        "redirect_url": f"{public_url.rstrip('/')}/setup/callback",
        "public": False,
        "default_permissions": {permission.name: permission.level for permission in asked},
        "default_events": list(events(asked)),
    }


def _name(public_url: str) -> str:
    """Return a name that is likely to be free; GitHub lets the owner change it in its form."""
    host = urlsplit(public_url).hostname or "previews"
    return f"previewbot {host}"[:MAX_NAME_CHARS].rstrip(" .-")
