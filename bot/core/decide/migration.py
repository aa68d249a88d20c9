"""How a project of v1 becomes an app of v2. Pure.

The rules are those of Deno's guide, https://docs.deno.com/subhosting/migrate_v1_to_v2/, kept in
the tests as a document: a project is an app, its name the slug, its live deployment a revision.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Any

from bot.core.decide.entrypoint import site_folder
from bot.core.decide.names import MAX_APP
from bot.core.model.migration import OldDeployment, OldProject, OldSource

_MIN_SLUG = 3
_HASH_LENGTH = 8
# The published rule, as in `bot/wire/deploy_v2.py`.
_SLUG = re.compile(r"(?!..--)[a-z0-9](?:[a-z0-9-]*[a-z0-9])")
WILDCARD = "*."

_OTHER = re.compile(r"[^a-z0-9]+")

# "The equivalent in v2 is config.install: deno install": v1 only fetched what is imported.
_INSTALL = "deno install"


def app_slug(project: OldProject) -> str:
    """Return the slug of a project's app: its name where v2 allows that, else as much as fits."""
    name = project.name
    if _MIN_SLUG <= len(name) <= MAX_APP and _SLUG.fullmatch(name):
        return name
    fingerprint = hashlib.sha256(project.id.encode()).hexdigest()[:_HASH_LENGTH]
    kept = _OTHER.sub("-", name.lower())[: MAX_APP - _HASH_LENGTH - 1].strip("-")
    return f"{kept}-{fingerprint}" if kept else f"app-{fingerprint}"


def live_deployment(
    project: OldProject, deployments: Iterable[OldDeployment]
) -> OldDeployment | None:
    """Return what visitors of the project get.

    That is what the project's own host leads to; else the newest that a host leads to; else the
    newest. None: no deployment ever succeeded.
    """

    def rank(deployment: OldDeployment) -> tuple[bool, bool, object]:
        own = any(host.partition(".")[0] == project.name for host in deployment.domains)
        return own, bool(deployment.domains), deployment.created_at

    return max(deployments, key=rank, default=None)


def problem_of(source: OldSource) -> str | None:
    """Return why a deployment cannot be made on v2 at all, or None."""
    if "://" in source.entrypoint:
        return (
            f"its entry point is {source.entrypoint}, and v2 takes files only; add a file that"
            " imports it, deploy that on v1, and run this again"
        )
    return None


def new_config(source: OldSource) -> dict[str, Any]:
    """Return the app's config: as it was built, or as v1 builds."""
    if source.config is not None:
        return dict(source.config)
    folder = site_folder(source.entrypoint)
    runtime: Mapping[str, str] = (
        {"type": "dynamic", "entrypoint": source.entrypoint}
        if folder is None
        else {"type": "static", "cwd": folder}
    )
    return {"install": _INSTALL, "runtime": runtime}


def covers(domain: str, host: str) -> bool:
    """Return whether a custom domain, `*.` for what is one label below it, is the host's."""
    if domain.startswith(WILDCARD):
        return host.partition(".")[2] == domain.removeprefix(WILDCARD)
    return host == domain


def paired(domain: str) -> str:
    """Return a domain's other half: v2 registers `x` and `*.x` as one."""
    if domain.startswith(WILDCARD):
        return domain.removeprefix(WILDCARD)
    return WILDCARD + domain
