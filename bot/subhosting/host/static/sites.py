"""The static sites that are in use: put in place when first asked for, known until forgotten."""

import asyncio
from pathlib import Path
from typing import Final

from bot.subhosting.build import site, tree
from bot.subhosting.build.plan import plan_of
from bot.subhosting.build.site import Listing, Site
from bot.subhosting.host.placing import Placing
from bot.subhosting.host.rows import Work

# A listing of 1,000 files takes about 200 KB; one that is dropped is read again in milliseconds.
_MOST_KNOWN: Final = 200


class Sites:
    """Sites by the id of their deployment."""

    def __init__(self, placing: Placing) -> None:
        """Begin with none; `placing` says where files are."""
        self._placing = placing
        self._known: dict[str, Site] = {}

    def find(self, deployment_id: str) -> Site | None:
        """Return a site that is in place, or None: then `open` makes it."""
        found = self._known.get(deployment_id)
        return None if found is None or found.draining else found

    async def open(self, work: Work) -> Site:
        """Return the site of a deployment: what its build left behind, else its blobs."""
        folder = self._placing.folder_of(work)
        listing = await asyncio.to_thread(_listing, work, folder)
        plan = plan_of(work.deployment)
        built = folder / tree.SOURCE / (plan.static_folder or ".")
        opened = Site(
            root=built if plan.writes else self._placing.blobs_of(work),
            by_content=not plan.writes,
            spa=plan.single_page,
            deployed_at=site.whole_seconds(work.deployment.created_at),
            listing=listing,
        )
        self.forget(work.deployment.id)
        self._known[work.deployment.id] = opened
        while len(self._known) > _MOST_KNOWN:
            self.forget(next(iter(self._known)))
        return opened

    def forget(self, deployment_id: str) -> None:
        """Have kept connections ask again; answers under way go on, their files are open."""
        if (found := self._known.pop(deployment_id, None)) is not None:
            found.draining = True


def _listing(work: Work, folder: Path) -> Listing:
    """Return what the manifest says; of a built site what was written down, or do so now."""
    plan = plan_of(work.deployment)
    static_folder = plan.static_folder or "."
    if not plan.writes:
        return site.listing_of(work.manifest, static_folder)
    place = folder / tree.LISTING
    found = site.load(place)
    if found is None:
        found = site.listing_of_tree(folder / tree.SOURCE, static_folder)
        site.save(place, found)
    return found
