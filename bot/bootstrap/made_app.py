"""The GitHub App that the one-click set-up made, and the settings that follow from it."""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from pydantic import SecretStr

from bot.adapters.storage.connect import Engines, engines, prepare
from bot.adapters.storage.setups import SetupTable
from bot.adapters.storage.tables import github_apps
from bot.bootstrap.keys import vault_from
from bot.bootstrap.places import database_url
from bot.core.model.apps import GithubApp
from bot.kernel.clock import SystemClock
from bot.settings import Settings


def setup_table(settings: Settings, opened: Engines) -> SetupTable:
    """Return the attempts and the App of an installation.

    Raises:
        ConfigurationProblem: the vault's key is wrong.

    """
    return SetupTable(opened, vault_from(settings), SystemClock())


def as_made_app(settings: Settings, app: GithubApp | None) -> Settings:
    """Return the settings with the App that was made, unless they name an App or a token."""
    if app is None or settings.uses_github:
        return settings
    return settings.with_values(
        github_app_id=app.id,
        github_private_key=SecretStr(app.private_key),
        github_webhook_secret=SecretStr(app.webhook_secret),
    )


def with_made_app(settings: Settings) -> Settings:
    """Return `as_made_app` of the App in the database, which is brought up to date first.

    Raises:
        ConfigurationProblem: the vault's key does not open the App's secrets.

    """
    if settings.uses_github:
        return settings
    with open_setups(settings) as table:
        return as_made_app(settings, table.app())


@contextmanager
def open_setups(settings: Settings) -> Iterator[SetupTable]:
    """Open the records for a moment, for a command or a start."""
    url = database_url(settings)
    prepare(url)
    opened = engines(url)
    try:
        yield setup_table(settings, opened)
    finally:
        opened.dispose()


def has_made_app(settings: Settings) -> bool:
    """Tell whether there is an App, without making any table."""
    with _looking(settings) as opened:
        return opened is not None and _holds_app(opened)


def made_app_in(settings: Settings) -> GithubApp | None:
    """Return the App, without making any table.

    Raises:
        ConfigurationProblem: the vault's key does not open its secrets.

    """
    with _looking(settings) as opened:
        if opened is None or not _holds_app(opened):
            return None
        return setup_table(settings, opened).app()


@contextmanager
def _looking(settings: Settings) -> Iterator[Engines | None]:
    """Open the records for a moment; None where there are none yet."""
    database = settings.data_dir / "previewbot.db"
    if settings.database_url is None and not database.exists():
        yield None
        return
    opened = engines(database_url(settings))
    try:
        yield opened
    finally:
        opened.dispose()


def _holds_app(opened: Engines) -> bool:
    with opened.read.connect() as connection:
        known = sa.inspect(connection).has_table(github_apps.name)
        return known and connection.scalar(sa.select(github_apps.c.id)) is not None
