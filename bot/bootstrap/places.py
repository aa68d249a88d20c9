"""Where things lie in a data directory, and the settings that follow from others."""

from pathlib import Path

from bot.adapters.git.address import clone_base
from bot.core.model.ids import DeploymentId
from bot.settings import Settings


def database_url(settings: Settings) -> str:
    """Return the address of the bot's database; the engine's tables are in the same one."""
    return settings.database_url or f"sqlite:///{settings.data_dir / 'previewbot.db'}"


def mirrors_dir(settings: Settings) -> Path:
    """Return the folder of the bare mirrors."""
    return settings.data_dir / "mirrors"


def repositories_dir(settings: Settings) -> Path:
    """Return the folder of our own bare repositories, used without GitHub."""
    return settings.data_dir / "repositories"


def platform_dir(settings: Settings) -> Path:
    """Return the embedded platform's own data directory."""
    return settings.data_dir / "subhosting"


def git_url(settings: Settings) -> str:
    """Return the base of clone URLs.

    Set, or the web address that belongs to GitHub's API address, or our own repositories.
    Source of the Enterprise form: https://docs.github.com/en/enterprise-server/rest
    """
    if settings.git_url is not None:
        return settings.git_url
    if not settings.uses_github:
        return repositories_dir(settings).expanduser().resolve().as_uri()
    return github_web_url(settings)


def github_web_url(settings: Settings) -> str:
    """Return where people see the GitHub whose API the settings name."""
    api = settings.github_api_url.rstrip("/")
    return api.replace("://api.", "://", 1) if "://api." in api else api.removesuffix("/api/v3")


def checked_git_url(settings: Settings) -> str:
    """Return `git_url` if it is an address that git may be given.

    Raises:
        ConfigurationProblem: it is none; the message names the setting.

    """
    return clone_base(git_url(settings)).url


def page_url(settings: Settings, deployment: DeploymentId) -> str | None:
    """Return our page about an attempt; None for a process that belongs to no web process."""
    if settings.public_url is None:
        return None
    return f"{settings.public_url.rstrip('/')}/deployments/{deployment}"


def webhook_url(settings: Settings) -> str:
    """Return the address that GitHub sends deliveries to."""
    base = settings.public_url or f"http://{settings.bind}:{settings.port}"
    return f"{base.rstrip('/')}/webhooks/github"
