"""What `previewbot doctor` says of the data directory: its database and its disk."""

import os
import shutil
from collections.abc import Sequence

from bot.bootstrap.findings import Check, lacking, ok, problem
from bot.settings import Settings

# Mirrors, blobs and dependency caches of a small installation; a first build alone may take one.
ENOUGH_BYTES = 5_000_000_000
TOO_LITTLE_BYTES = 500_000_000


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
