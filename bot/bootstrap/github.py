"""Settings -> the GitHub forge, as an App or with a token."""

from bot.adapters.github.forge import GitHubForge, app_forge, token_forge
from bot.adapters.github.manifests import AppRegistry
from bot.core.decide.github_app import permissions
from bot.core.model.errors import ConfigurationProblem
from bot.core.render.deployments import is_of_one_preview
from bot.kernel.clock import Clock
from bot.settings import Settings


def github_forge(settings: Settings, clock: Clock) -> GitHubForge:
    """Return the forge; an App beats a token when both are set.

    Raises:
        ConfigurationProblem: the App's private key cannot be read or is none.

    """
    api_url = settings.github_api_url
    if settings.github_app_id is not None:
        key = private_key(settings)
        return app_forge(
            settings.github_app_id,
            key,
            clock=clock,
            api_url=api_url,
            permissions=_used(settings),
        )
    if settings.github_token is not None:
        token = settings.github_token.get_secret_value()
        return token_forge(token, clock=clock, api_url=api_url)
    raise ConfigurationProblem("PREVIEWBOT_GITHUB_TOKEN", "is missing")


def github_registry(settings: Settings, clock: Clock) -> AppRegistry:
    """Return where GitHub makes Apps from manifests."""
    return AppRegistry(settings.github_api_url, clock)


def _used(settings: Settings) -> dict[str, str]:
    """Return the rights that our calls use: those to write, which include reading.

    What is asked for to be read only is for events, and for git, which has tokens of its own.
    """
    asked = permissions(
        settings.shown_on, removes_environments=is_of_one_preview(settings.environment)
    )
    return {each.name: each.level for each in asked if each.level == "write"}


def private_key(settings: Settings) -> str:
    """Return the App's key: as text, else out of its file.

    Raises:
        ConfigurationProblem: the file cannot be read.

    """
    if settings.github_private_key is not None:
        return settings.github_private_key.get_secret_value()
    key_file = settings.github_private_key_file
    if key_file is None:
        raise ConfigurationProblem("PREVIEWBOT_GITHUB_PRIVATE_KEY_FILE", "is missing")
    try:
        return key_file.read_text()
    except OSError as error:
        raise ConfigurationProblem(
            "PREVIEWBOT_GITHUB_PRIVATE_KEY_FILE", f"{key_file}: {error.strerror}"
        ) from error
