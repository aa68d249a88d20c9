"""How a project of v1 becomes an app of v2. Pure.

The rules are those of Deno's guide, https://docs.deno.com/subhosting/migrate_v1_to_v2/, kept in
the tests as a document: a project is an app, its name the slug, its live deployment a revision.
"""

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from bot.core.decide.entrypoint import site_folder
from bot.core.decide.names import MAX_APP
from bot.core.model.migration import (
    AppToMake,
    OldDeployment,
    OldDomain,
    OldProject,
    OldSource,
)

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
    if _is_slug(name):
        return name
    return _cut(name, project.id)


def live_deployment(
    project: OldProject,
    deployments: Iterable[OldDeployment],
    domains: Collection[OldDomain] = (),
) -> OldDeployment | None:
    """Return what visitors of the project get.

    That is what the project's own host leads to; else the newest that a host leads to; else the
    newest. None: no deployment ever succeeded.
    """

    def rank(deployment: OldDeployment) -> tuple[bool, bool, bool, object]:
        named = [host for host in deployment.domains if host.partition(".")[0] == project.name]
        # A custom domain may begin with the same word.
        own = any(not _is_custom(host, domains) for host in named)
        return own, bool(named), bool(deployment.domains), deployment.created_at

    return max(deployments, key=rank, default=None)


def apps_of(
    project: OldProject,
    deployments: Collection[OldDeployment],
    domains: Collection[OldDomain],
    taken: Collection[str],
) -> tuple[AppToMake, ...]:
    """Return the apps that a project becomes, that of its live deployment first.

    "In v1, you may have used a single project with multiple active deployments to represent
    separate functions. In v2, create a separate app for each function": what custom domains lead
    to is one. `taken` are the slugs of all projects. Nothing: no deployment ever succeeded.
    """
    live = live_deployment(project, deployments, domains)
    if live is None:
        return ()
    claimed = set(live.domains)
    slugs = set(taken)
    functions: list[AppToMake] = []
    notes: list[str] = []
    others = (each for each in deployments if each.id != live.id)
    # A server may let several deployments share a host; the newest answers there.
    for other in sorted(others, key=lambda each: each.created_at, reverse=True):
        own = f"{project.name}-{other.id}"
        hosts = {host for host in other.domains if host.partition(".")[0] != own} - claimed
        claimed |= hosts
        custom = sorted(host for host in hosts if _is_custom(host, domains))
        if left := sorted(hosts.difference(custom)):
            notes.append(
                f"{', '.join(left)} led to deployment {other.id} and not here: names of the old"
                " server are not moved; make an app of its own for it if it is still used"
            )
        if custom:
            slug = _function_slug(project, custom[0], slugs)
            slugs.add(slug)
            functions.append(
                AppToMake(project=project, deployment=other, slug=slug, hosts=tuple(custom))
            )
    first = AppToMake(project=project, deployment=live, slug=app_slug(project), notes=tuple(notes))
    return first, *functions


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


def _is_custom(host: str, domains: Collection[OldDomain]) -> bool:
    return any(covers(each.host, host) for each in domains)


def _function_slug(project: OldProject, host: str, taken: Collection[str]) -> str:
    """Return `shop-auth` for what `auth.shop.example` leads to, or as much of it as is free."""
    wanted = f"{project.name}-{host.partition('.')[0]}"
    if _is_slug(wanted) and wanted not in taken:
        return wanted
    return _cut(wanted, f"{project.id} {host}")


def _is_slug(name: str) -> bool:
    return _MIN_SLUG <= len(name) <= MAX_APP and _SLUG.fullmatch(name) is not None


def _cut(name: str, key: str) -> str:
    fingerprint = hashlib.sha256(key.encode()).hexdigest()[:_HASH_LENGTH]
    kept = _OTHER.sub("-", name.lower())[: MAX_APP - _HASH_LENGTH - 1].strip("-")
    return f"{kept}-{fingerprint}" if kept else f"app-{fingerprint}"
