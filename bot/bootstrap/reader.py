"""Read-only access to an installation's records, for commands beside a running one."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bot.adapters.storage import deliveries
from bot.adapters.storage.checks import SqlCheckShelf
from bot.adapters.storage.connect import engines
from bot.adapters.storage.store import SqlStore
from bot.bootstrap.places import database_url
from bot.core.model.errors import ConfigurationProblem
from bot.kernel.clock import SystemClock
from bot.kernel.ids import RandomIds
from bot.ports.inbox import DeliveryRecord
from bot.ports.store import Store
from bot.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """What commands may look at."""

    store: Store
    checks: SqlCheckShelf
    deliveries: "FindDeliveries"


class FindDeliveries:
    """Looks deliveries up by GUID."""

    def __init__(self, url: str) -> None:
        self._engines = engines(url)

    def __call__(self, guid: str) -> list[DeliveryRecord]:
        """Return the deliveries with this GUID, one per hook that sent it."""
        with self._engines.read.connect() as connection:
            return deliveries.find(connection, guid)


@contextmanager
def open_reader(settings: Settings) -> Iterator[Reader]:
    """Open the records of `settings`' data directory or database.

    Raises:
        ConfigurationProblem: there are none yet.

    """
    database = settings.data_dir / "previewbot.db"
    if settings.database_url is None and not database.exists():
        raise ConfigurationProblem(
            "PREVIEWBOT_DATA_DIR",
            f"{settings.data_dir} holds no records; is it where `previewbot up` runs?",
        )
    url = database_url(settings)
    opened = engines(url)
    try:
        yield Reader(
            store=SqlStore(opened, SystemClock(), RandomIds()),
            checks=SqlCheckShelf(opened),
            deliveries=FindDeliveries(url),
        )
    finally:
        opened.dispose()
