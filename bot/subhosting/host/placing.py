"""A deployment's folder: its files put in place for a process, or for a build that writes."""

import asyncio
from pathlib import Path

from bot.subhosting.build import tree
from bot.subhosting.build.materialise import ContentLost, materialise
from bot.subhosting.build.overlay import lay_over
from bot.subhosting.build.plan import plan_of
from bot.subhosting.build.spares import Spares
from bot.subhosting.config import SubhostingConfig
from bot.subhosting.host.rows import Work
from bot.subhosting.store.blobs import BlobStore


def overlay_of(folder: Path) -> Path:
    """Return where files lie that take the place of the app's own."""
    return folder / "overlay"


class Placing:
    """Puts files in place, in threads: 10,000 links take a tenth of a second."""

    def __init__(self, config: SubhostingConfig) -> None:
        """Put them where `config` says."""
        self._config = config
        self._spares = Spares(config.spares_dir)

    def blobs_of(self, work: Work) -> Path:
        """Return the folder of a project's contents."""
        return BlobStore(self._config.blobs_dir).folder(work.deployment.project_id)

    def folder_of(self, work: Work) -> Path:
        """Return the folder of everything that belongs to a deployment."""
        return self._config.deployments_dir / work.deployment.id

    async def begin_build(self, work: Work) -> None:
        """Put copies of the files in place that the app's commands may write to.

        Raises:
            ContentLost: a file's content is missing.

        """
        await asyncio.to_thread(self._begin_build, work)

    async def put_in_place(self, work: Work) -> None:
        """Have the files there that a process is started from; harmless to repeat.

        Raises:
            ContentLost: a file's content is missing, or what the build made is.

        """
        await asyncio.to_thread(self._put_in_place, work)

    def prepare_for_the_next(self, work: Work) -> None:
        """Lay out what the next deployment of the app will nearly be, while nobody waits."""
        if _is_linked(work):
            self._spares.lay_out(work.deployment.project_id, work.manifest, self.blobs_of(work))

    def forget_others(self, project_ids: set[str]) -> None:
        """Keep nothing for projects but these."""
        self._spares.forget(project_ids)

    async def close(self) -> None:
        """End what goes on in the background."""
        await asyncio.to_thread(self._spares.close)

    def _begin_build(self, work: Work) -> None:
        folder = self.folder_of(work)
        tree.begin(folder, work.manifest, self.blobs_of(work))
        # An entry point that is not known yet comes to lie somewhere below the root.
        entry_point = work.deployment.entry_point or "main.ts"
        lay_over(work.settings, folder / tree.SOURCE, entry_point, overlay_of(folder))
        self._make_database_folders(work)

    def _put_in_place(self, work: Work) -> None:
        deployment = work.deployment
        folder = self.folder_of(work)
        source = folder / tree.SOURCE
        if _is_linked(work):
            self._link(work, source)
            lay_over(work.settings, source, deployment.entry_point, overlay_of(folder))
        elif plan_of(deployment).writes and not tree.is_whole(folder):
            # Only a build can make them, and it is over.
            msg = "the files that its build made are gone; deploy it once more"
            raise ContentLost(msg)
        self._make_database_folders(work)

    def _link(self, work: Work, source: Path) -> None:
        if source.exists():
            return
        project_id, manifest, blobs = (
            work.deployment.project_id,
            work.manifest,
            self.blobs_of(work),
        )
        if not self._spares.take(project_id, manifest, blobs, source):
            materialise(manifest, blobs, source)

    def _make_database_folders(self, work: Work) -> None:
        for database in work.databases.values():
            # Deno makes the file, but no folder.
            folder = self._config.kv_file(database).parent
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def _is_linked(work: Work) -> bool:
    """Tell whether a process runs in links to blobs.

    A site that nothing was built of is served from its blobs, and commands get copies.
    """
    plan = plan_of(work.deployment)
    return not plan.writes and plan.static_folder is None
