"""Settings -> forge: GitHub when it is configured, else our own bare repositories."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bot.adapters.local.forge import CheckShelf, LocalForge
from bot.bootstrap.places import webhook_url
from bot.core.model.apps import GithubApp
from bot.core.model.ids import Repository
from bot.core.model.surfaces import Showing, Surface
from bot.kernel.clock import Clock
from bot.ports.forge import Forge
from bot.ports.grants import Grants
from bot.ports.hooks import Hooks
from bot.ports.setups import Registry
from bot.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected:
    """The forge, its side of our webhooks, and what it gave us; None where it has neither."""

    forge: Forge
    hooks: Hooks | None  # None: nothing is sent that could get lost
    grants: Grants | None


def connect_forge(
    settings: Settings,
    clock: Clock,
    *,
    shelf: CheckShelf,
    repositories: Callable[[], Iterable[Repository]],
    hooked: Callable[[], Iterable[Repository]],
) -> Connected:
    """Return the forge of the settings.

    `shelf` keeps the checks of local repositories; `repositories` are those that we know,
    `hooked` those with a webhook of their own.

    Raises:
        ConfigurationProblem: the App's private key cannot be read or is none.

    """
    if not settings.uses_github:
        return Connected(forge=LocalForge(shelf), hooks=None, grants=None)
    # PyGithub costs 0.2 s and 45 MB, which an installation without GitHub need not pay.
    from bot.bootstrap.github import github_forge  # noqa: PLC0415

    forge = github_forge(settings, clock)
    return Connected(
        forge=forge,
        hooks=forge.hooks(repositories, webhook_url(settings)),
        grants=forge.grants(hooked),
    )


def showing_from(settings: Settings) -> Showing:
    """Return where deployments show; our own repositories have nothing but checks."""
    if not settings.uses_github:
        return Showing(surfaces=frozenset({Surface.CHECK}))
    return Showing(surfaces=settings.shown_on, environment=settings.environment)


def app_registry(settings: Settings, clock: Clock) -> Registry:
    """Return where Apps are made; PyGithub is imported only when one is."""
    return _LazyRegistry(settings, clock)


class _LazyRegistry:
    """GitHub, asked for at the first exchange."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock

    def convert(self, code: str) -> GithubApp:
        """Exchange the code of a redirect; see the port."""
        from bot.bootstrap.github import github_registry  # noqa: PLC0415 - see `connect_forge`

        return github_registry(self._settings, self._clock).convert(code)
