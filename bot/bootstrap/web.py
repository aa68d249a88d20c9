"""The web process: receiver, pages, health. It talks to nothing but its database."""

from collections.abc import Mapping
from functools import partial

import sqlalchemy as sa
from flask import Flask

from bot.adapters.engine.identities import bell_path
from bot.adapters.engine.inbox import DurableInbox
from bot.adapters.engine.wake import ring
from bot.adapters.storage import connect, deliveries
from bot.adapters.storage.store import SqlStore
from bot.bootstrap.places import database_url
from bot.bootstrap.schema import prepare_database
from bot.core.model.errors import ConfigurationProblem
from bot.kernel.clock import SystemClock
from bot.kernel.ids import RandomIds
from bot.settings import Settings
from bot.web.app import create_app
from bot.web.services import WebServices


def web_app(settings: Settings) -> Flask:
    """Return the application of `settings`; brings the database's tables up to date first.

    Opens no connection that would be carried over a fork.

    Raises:
        ConfigurationProblem: there is no webhook secret.

    """
    secret = settings.github_webhook_secret
    if secret is None:
        raise ConfigurationProblem(
            "PREVIEWBOT_GITHUB_WEBHOOK_SECRET",
            "is missing: the 'Webhook secret' of the App or of the repository's hook",
        )
    webhook_secret = secret.get_secret_value()
    prepare_database(settings)
    opened = connect.engines(database_url(settings))
    clock = SystemClock()
    token = settings.admin_token
    return create_app(
        WebServices(
            inbox=DurableInbox(
                read=opened.read,
                write=opened.write,
                deliveries=deliveries,
                wake=partial(ring, bell_path(settings.data_dir)),
            ),
            store=SqlStore(opened, clock, RandomIds()),
            clock=clock,
            secrets_for=lambda _repository: (webhook_secret,),
            admin_token=None if token is None else token.get_secret_value(),
            ready=partial(_problems, opened),
        )
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
