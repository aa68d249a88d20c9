"""Where an attempt shows: as its repository says, else as the operator does."""

from bot.core.model.ids import DeploymentId
from bot.core.model.preview import Preview
from bot.core.model.surfaces import Surface
from bot.ports.services import Services


def surfaces_of(key: DeploymentId, services: Services) -> frozenset[Surface]:
    """Return where the attempt shows."""
    own = services.store.brief(key).surfaces
    return services.showing.surfaces if own is None else own


def surfaces_of_preview(preview: Preview, services: Services) -> frozenset[Surface]:
    """Return where the preview's newest attempt shows."""
    newest = services.store.newest(preview.repository.id, preview.line, preview.app)
    return services.showing.surfaces if newest is None else surfaces_of(newest.id, services)
