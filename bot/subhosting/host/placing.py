"""A deployment's folder: its files put in place for a process, or for a build that writes."""

from pathlib import Path

from bot.subhosting.build import tree
from bot.subhosting.build.materialise import ContentLost, materialise
from bot.subhosting.build.overlay import lay_over
from bot.subhosting.build.plan import plan_of
from bot.subhosting.config import SubhostingConfig
from bot.subhosting.host.rows import Work
from bot.subhosting.store.blobs import BlobStore


def overlay(folder: Path) -> Path:
    """Return where files lie that take the place of the app's own."""
    return folder / "overlay"


def begin_build(config: SubhostingConfig, work: Work) -> None:
    """Put copies of the files in place that the app's commands may write to.

    Raises:
        ContentLost: a file's content is missing.

    """
    folder = config.deployments_dir / work.deployment.id
    tree.begin(folder, work.manifest, _blobs(config, work))
    # An entry point that is not known yet comes to lie somewhere below the root.
    entry_point = work.deployment.entry_point or "main.ts"
    lay_over(work.settings, folder / tree.SOURCE, entry_point, overlay(folder))
    _make_database_folders(config, work)


def put_in_place(config: SubhostingConfig, work: Work) -> None:
    """Have the files there that a process is started from; harmless to repeat.

    Raises:
        ContentLost: a file's content is missing, or what the build made is.

    """
    deployment = work.deployment
    folder = config.deployments_dir / deployment.id
    source = folder / tree.SOURCE
    if not plan_of(deployment).writes:
        materialise(work.manifest, _blobs(config, work), source)
        lay_over(work.settings, source, deployment.entry_point, overlay(folder))
    elif not tree.is_whole(folder):
        # Only a build can make them, and it is over.
        msg = "the files that its build made are gone; deploy it once more"
        raise ContentLost(msg)
    _make_database_folders(config, work)


def _blobs(config: SubhostingConfig, work: Work) -> Path:
    return BlobStore(config.blobs_dir).folder(work.deployment.project_id)


def _make_database_folders(config: SubhostingConfig, work: Work) -> None:
    for database in work.databases.values():
        # Deno makes the file, but no folder.
        folder = config.kv_file(database).parent
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
