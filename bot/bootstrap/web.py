"""The web process: receiver, pages, health. It talks to nothing but its database."""

from collections.abc import Callable, Mapping
from functools import partial

import sqlalchemy as sa
from flask import Flask

from bot.adapters.engine.identities import bell_path
from bot.adapters.engine.inbox import DurableInbox
from bot.adapters.engine.setups import DurableSetups
from bot.adapters.engine.wake import ring
from bot.adapters.storage import connect, deliveries
from bot.adapters.storage.hook_secrets import SqlHookSecrets
from bot.adapters.storage.setups import SetupTable
from bot.adapters.storage.store import SqlStore
from bot.bootstrap.keys import vault_from
from bot.bootstrap.made_app import setup_table
from bot.bootstrap.places import database_url, github_web_url, webhook_url
from bot.bootstrap.schema import prepare_database
from bot.core.decide.github_app import permissions
from bot.core.model.errors import ConfigurationProblem
from bot.core.model.ids import TargetDeploymentId
from bot.core.render.deployments import is_of_one_preview
from bot.kernel.clock import SystemClock
from bot.kernel.ids import RandomIds
from bot.settings import Settings
from bot.target_settings import TargetKind
from bot.web.app import create_app
from bot.web.services import (
    AppLogLine,
    AppLogOf,
    Claimed,
    SecretsFor,
    SetupServices,
    WebServices,
)

# What a page shows of an app's log at most; the platform's API pages through all that is kept.
APP_LOG_LINES = 1_000


def web_app(settings: Settings) -> Flask:
    """Return the application of `settings`; brings the database's tables up to date first.

    Opens no connection that would be carried over a fork.

    Raises:
        ConfigurationProblem: no delivery could be verified, now or after a set-up.

    """
    secret, setup_token = settings.github_webhook_secret, settings.setup_token
    prepare_database(settings)
    opened = connect.engines(database_url(settings))
    vault = vault_from(settings)
    table = setup_table(settings, opened)
    by_token = settings.github_token is not None  # then each repository may have its own
    if secret is None and setup_token is None and not by_token and table.app() is None:
        raise ConfigurationProblem(
            "PREVIEWBOT_GITHUB_WEBHOOK_SECRET",
            "is missing: the 'Webhook secret' of the App or of the repository's hook; or set "
            "PREVIEWBOT_SETUP_TOKEN to make an App on the page /setup",
        )
    opened.dispose()
    clock = SystemClock()
    token = settings.admin_token
    wake = partial(ring, bell_path(settings.data_dir))
    return create_app(
        WebServices(
            inbox=DurableInbox(
                read=opened.read, write=opened.write, deliveries=deliveries, wake=wake
            ),
            store=SqlStore(opened, clock, RandomIds()),
            clock=clock,
            secrets_for=_secrets(settings, table, SqlHookSecrets(opened, vault)),
            admin_token=None if token is None else token.get_secret_value(),
            ready=partial(_problems, opened),
            app_log=_app_log(settings),
            setup=_setup(settings, opened, table, wake),
        )
    )


def _app_log(settings: Settings) -> AppLogOf | None:
    """Return what reads the logs of apps on our own platform, beside which we run."""
    if settings.target is not TargetKind.EMBEDDED:
        return None
    # A bot whose platform is elsewhere has no part of the embedded one installed.
    from bot.bootstrap.platform import platform_config  # noqa: PLC0415
    from bot.subhosting.log_reader import LogReader  # noqa: PLC0415

    reader = LogReader(platform_config(settings))

    def app_log(deployment: TargetDeploymentId) -> list[AppLogLine] | None:
        found = reader.newest(deployment, APP_LOG_LINES)
        if found is None:
            return None
        return [AppLogLine(time=one.time, level=one.level, message=one.message) for one in found]

    return app_log


def _secrets(settings: Settings, table: SetupTable, own: SqlHookSecrets) -> SecretsFor:
    """Return what may have signed a delivery.

    A repository with a webhook of its own has a secret of its own, and no other is good for it:
    whoever knows that of one repository could else speak for another. For all others it is the
    operator's secret, and that of an App that was made.
    """
    given = settings.github_webhook_secret
    general = () if given is None else (given.get_secret_value(),)

    def secrets_for(claimed: Claimed) -> tuple[str, ...]:
        name = (claimed.name or "").lower()
        kept = own.about(claimed.id, claimed.name)
        if kept:
            # Id and name must be the same repository's, as both are used.
            return tuple(
                each.secret for each in kept if (each.repository, each.name) == (claimed.id, name)
            )
        if settings.uses_github:
            return general
        app = table.app()  # asked each time: it may have been made a moment ago
        return general if app is None else (*general, app.webhook_secret)

    return secrets_for


def _setup(
    settings: Settings, opened: connect.Engines, table: SetupTable, wake: Callable[[], None]
) -> SetupServices | None:
    if settings.uses_github:
        return None
    token = settings.setup_token
    public = settings.public_url or f"http://{settings.bind}:{settings.port}"
    return SetupServices(
        setups=DurableSetups(write=opened.write, attempts=table, wake=wake),
        app=table.app,
        token=None if token is None else token.get_secret_value(),
        github_url=github_web_url(settings),
        public_url=public,
        webhook_url=webhook_url(settings),
        permissions=permissions(
            settings.shown_on, removes_environments=is_of_one_preview(settings.environment)
        ),
    )


def _problems(opened: connect.Engines) -> Mapping[str, str]:
    """Return what keeps deliveries from being stored: the database, or its tables."""
    try:
        with opened.read.connect() as connection:
            connection.execute(sa.text("SELECT 1 FROM deliveries LIMIT 1"))
            connection.execute(sa.text("SELECT 1 FROM workflow_status LIMIT 1"))
    except sa.exc.SQLAlchemyError as error:
        return {"database": type(error).__name__}
    return {}
