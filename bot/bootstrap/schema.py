"""Both halves of the bot's database: our tables and the engine's."""

from bot.adapters.engine import schema
from bot.adapters.storage import connect
from bot.bootstrap.places import database_url
from bot.settings import Settings


def prepare_database(settings: Settings) -> None:
    """Bring all tables up to date; safe from several processes at once."""
    url = database_url(settings)
    connect.prepare(url)
    schema.prepare(url)
