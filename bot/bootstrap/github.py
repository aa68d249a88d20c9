"""Settings -> the GitHub forge, as an App or with a token."""

from bot.adapters.github.forge import GitHubForge, app_forge, token_forge
from bot.core.model.errors import ConfigurationProblem
from bot.kernel.clock import Clock
from bot.settings import Settings


def github_forge(settings: Settings, clock: Clock) -> GitHubForge:
    """Return the forge; an App beats a token when both are set.

    Raises:
        ConfigurationProblem: the App's private key cannot be read or is none.

    """
    api_url = settings.github_api_url
    key_file = settings.github_private_key_file
    if settings.github_app_id is not None and key_file is not None:
        try:
            key = key_file.read_text()
        except OSError as error:
            raise ConfigurationProblem(
                "PREVIEWBOT_GITHUB_PRIVATE_KEY_FILE", f"{key_file}: {error.strerror}"
            ) from error
        return app_forge(settings.github_app_id, key, clock=clock, api_url=api_url)
    if settings.github_token is not None:
        token = settings.github_token.get_secret_value()
        return token_forge(token, clock=clock, api_url=api_url)
    raise ConfigurationProblem("PREVIEWBOT_GITHUB_TOKEN", "is missing")
