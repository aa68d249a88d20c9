"""What `previewbot doctor` says of the data directory: its database and its disk."""

import os
import shutil
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from bot.bootstrap.findings import Check, lacking, ok, problem
from bot.core.model.decisions import Reason
from bot.kernel.clock import SystemClock
from bot.ports.inbox import DeliveryRecord
from bot.settings import Settings

if TYPE_CHECKING:
    from bot.adapters.storage.connect import Engines

T = TypeVar("T")

# Mirrors, blobs and dependency caches of a small installation; a first build alone may take one.
ENOUGH_BYTES = 5_000_000_000
TOO_LITTLE_BYTES = 500_000_000

# Deliveries that were given up are told of for so long, and so many of each kind by name.
TOLD_FOR = timedelta(days=7)
NAMED = 3


def database(settings: Settings) -> Sequence[Check]:
    """Look at the tables, changing nothing."""
    place = settings.data_dir / "previewbot.db"
    if settings.database_url is None and not place.exists():
        return [ok("database", f"{place}, made at the first start")]
    # SQLAlchemy, for an installation that has records.
    import sqlalchemy as sa  # noqa: PLC0415

    from bot.adapters.storage import connect  # noqa: PLC0415
    from bot.adapters.storage.tables import SCHEMA_REVISION  # noqa: PLC0415
    from bot.bootstrap.places import database_url  # noqa: PLC0415

    opened = connect.engines(database_url(settings))
    shown = sa.make_url(database_url(settings)).render_as_string(hide_password=True)
    try:
        with opened.read.connect() as connection:
            revision = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    except sa.exc.SQLAlchemyError as error:
        found = f"{shown}: {type(error).__name__}"
        fix = "check that the address is right, the database is up and the file is not damaged"
        return [problem("database", found, fix)]
    finally:
        opened.dispose()
    if settings.database_url is None and not os.access(place, os.W_OK):
        return [problem("database", f"{place} is read-only", f"chown it to this user: {place}")]
    if revision != SCHEMA_REVISION:
        found = f"{shown}: tables at {revision}, this version has {SCHEMA_REVISION}"
        newer = str(revision) > SCHEMA_REVISION
        fix = "start the newer version again" if newer else "the next start brings them up to date"
        return [(problem if newer else lacking)("database", found, fix)]
    return [ok("database", f"{shown}, tables at {revision}")]


def disk(settings: Settings) -> Sequence[Check]:
    """Look at the room that is left where everything is kept."""
    folder = settings.data_dir
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    free_bytes = shutil.disk_usage(folder).free
    found = f"{free_bytes / 1e9:.1f} GB free at {folder}"
    fix = "make room, lower PREVIEWBOT_MIRRORS_QUOTA_MB, or move PREVIEWBOT_DATA_DIR"
    if free_bytes < TOO_LITTLE_BYTES:
        return [problem("disk", found, fix)]
    if free_bytes < ENOUGH_BYTES:
        return [lacking("disk", found, fix)]
    return [ok("disk", found)]


def undecided(settings: Settings) -> Sequence[Check]:
    """Look for deliveries that could not be decided about; nothing to say where none can be."""
    from bot.adapters.storage import deliveries  # noqa: PLC0415 - as above

    since = SystemClock().now() - TOLD_FOR

    def look(opened: "Engines") -> tuple[list[DeliveryRecord], list[DeliveryRecord]]:
        with opened.read.connect() as connection:
            return (
                deliveries.put_off_now(connection),
                deliveries.ended_with(connection, Reason.INTAKE_FAILED, since),
            )

    seen = recorded(settings, look)
    if seen is None:
        return []
    waiting, given_up = seen
    found = []
    if waiting:
        last = waiting[-1]
        fix = "they are tried again for a day each; mend what is away: git, GitHub or the network"
        text = f"{_counted(waiting, 'put off')}, the last because {last.problem}"
        found.append(lacking("put off", text, fix))
    if given_up:
        text = f"{_counted(given_up, 'given up')}, the last because {given_up[-1].detail}"
        fix = "`previewbot explain GUID` tells what it was; press Retry on its check, or push"
        found.append(lacking("given up", text, fix))
    return found or [ok("deliveries", "none is put off, none was given up lately")]


def recorded(settings: Settings, look: Callable[["Engines"], T]) -> T | None:
    """Return what `look` finds in the records; None where there are none that can be read."""
    if settings.database_url is None and not (settings.data_dir / "previewbot.db").exists():
        return None
    import sqlalchemy as sa  # noqa: PLC0415 - as above

    from bot.adapters.storage import connect  # noqa: PLC0415
    from bot.bootstrap.places import database_url  # noqa: PLC0415

    opened = connect.engines(database_url(settings))
    try:
        return look(opened)
    except sa.exc.SQLAlchemyError:
        return None  # the database's own check says why
    finally:
        opened.dispose()


def _counted(records: Sequence[DeliveryRecord], what: str) -> str:
    """Return for example "2 put off (3f1c..., 77ab...)", the newest by name."""
    named = ", ".join(record.key.guid for record in records[-NAMED:])
    more = ", ..." if len(records) > NAMED else ""
    return f"{len(records)} {what} ({named}{more})"
