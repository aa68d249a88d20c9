"""Extension of v1: a deployment given out again, so that it can be made somewhere else."""

from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, send_file

from bot.subhosting.api import answers
from bot.subhosting.api.requests import organization_id, services
from bot.subhosting.errors import NotFound
from bot.subhosting.service import deployments, projects
from bot.subhosting.service.deployments import Located
from bot.subhosting.store import content
from bot.subhosting.store import settings as settings_rows
from bot.subhosting.store.records import Manifest
from bot.subhosting.store.settings import Settings


def register(v1: Blueprint) -> None:
    """Add the routes."""
    v1.get("/deployments/<deployment_id>/source")(get_source)
    v1.get("/projects/<project_id>/contents/<git_sha1>")(get_content)


def get_source(deployment_id: str) -> Response:
    """Return a deployment as a CreateDeploymentRequest, with every file by its hash.

    Its variables are the deployment's own; those of a v2 app, which may be secret, are not in it.
    """
    found = deployments.get(services(), organization_id(), deployment_id)
    manifest = deployments.manifest_of(services(), found.deployment)
    with services().database.reading() as connection:
        settings = settings_rows.load(connection, [deployment_id])[deployment_id]
    return answers.json(_document(found, manifest, settings))


def get_content(project_id: str, git_sha1: str) -> Response:
    """Return the bytes of one file that the project was sent."""
    project = projects.get(services(), organization_id(), project_id)
    with services().database.reading() as connection:
        known = content.known(connection, project.id, [git_sha1])
    path = services().blobs.folder(project.id) / git_sha1
    # The record first: it says that the hash is one, and so is no way out of the folder.
    if git_sha1 not in known or not path.is_file():
        raise NotFound("content", git_sha1)
    return send_file(path, mimetype="application/octet-stream", conditional=False, etag=False)


def _document(found: Located, manifest: Manifest, settings: Settings) -> dict[str, Any]:
    deployment = found.deployment
    net = settings.net
    document = {
        "entryPointUrl": deployment.entry_point,
        "assets": _assets(manifest),
        "envVars": dict(deployment.env_vars),
        "description": deployment.description,
        "requestTimeout": _milliseconds(deployment.request_timeout),
        "importMapUrl": settings.import_map,
        "lockFileUrl": settings.lock_file,
        "compilerOptions": settings.compiler_options,
        "databases": settings.databases or None,
        "permissions": None if net is None else {"net": net},
        "enableCron": settings.enable_cron or None,
        "config": deployment.config,
    }
    return {name: value for name, value in document.items() if value is not None}


def _assets(manifest: Manifest) -> dict[str, dict[str, str]]:
    files = {
        path: {"kind": "file", "gitSha1": git_sha1} for path, git_sha1 in manifest.files.items()
    }
    links = {path: {"kind": "symlink", "target": to} for path, to in manifest.links.items()}
    return {**files, **links}


def _milliseconds(timeout: timedelta | None) -> int | None:
    return None if timeout is None else round(timeout / timedelta(milliseconds=1))
