"""Settings -> forge: GitHub when it is configured, else our own bare repositories."""

from bot.adapters.local.forge import CheckShelf, LocalForge
from bot.core.model.surfaces import Showing, Surface
from bot.kernel.clock import Clock
from bot.ports.forge import Forge
from bot.settings import Settings


def forge_from(settings: Settings, shelf: CheckShelf, clock: Clock) -> Forge:
    """Return the forge; `shelf` keeps the checks of local repositories.

    Raises:
        ConfigurationProblem: the App's private key cannot be read or is none.

    """
    if not settings.uses_github:
        return LocalForge(shelf)
    # PyGithub costs 0.2 s and 45 MB, which an installation without GitHub need not pay.
    from bot.bootstrap.github import github_forge  # noqa: PLC0415

    return github_forge(settings, clock)


def showing_from(settings: Settings) -> Showing:
    """Return where deployments show; our own repositories have nothing but checks."""
    if not settings.uses_github:
        return Showing(surfaces=frozenset({Surface.CHECK}))
    return Showing(surfaces=settings.shown_on, environment=settings.environment)
