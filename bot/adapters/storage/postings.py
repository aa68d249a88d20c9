"""What stands on the forge, in SQL."""

import sqlalchemy as sa

from bot.adapters.storage.connect import Engines
from bot.adapters.storage.tables import postings
from bot.core.model.surfaces import Surface
from bot.ports.postings import Posting


class SqlPostings:
    """Implements `bot.ports.postings.Postings`."""

    def __init__(self, engines: Engines) -> None:
        self._engines = engines

    def of(self, surface: Surface, subject: str) -> Posting | None:
        """Return what was written about `subject`, None before the first time."""
        return next(iter(self._found(_about(surface, subject))), None)

    def in_group(self, surface: Surface, group: str) -> list[Posting]:
        """Return all that belongs to `group`, in order of their first writing."""
        columns = postings.c
        return self._found(sa.and_(columns.surface == str(surface), columns.group == group))

    def saying(self, surface: Surface, said: str) -> list[Posting]:
        """Return all that says exactly `said`, in order of their first writing."""
        columns = postings.c
        return self._found(sa.and_(columns.surface == str(surface), columns.said == said))

    def put(self, posting: Posting) -> None:
        """Remember `posting` in place of what was remembered of its subject."""
        mine = _about(posting.surface, posting.subject)
        values = {"group": posting.group, "ref": posting.ref, "said": posting.said}
        key = {"surface": str(posting.surface), "subject": posting.subject}
        with self._engines.write.begin() as connection:
            if not connection.execute(sa.update(postings).where(mine).values(values)).rowcount:
                connection.execute(sa.insert(postings).values(key | values))

    def forget(self, surface: Surface, subject: str) -> None:
        """Remember nothing of `subject`; harmless when nothing was."""
        with self._engines.write.begin() as connection:
            connection.execute(sa.delete(postings).where(_about(surface, subject)))

    def _found(self, condition: sa.ColumnElement[bool]) -> list[Posting]:
        query = sa.select(postings).where(condition).order_by(postings.c.number)
        with self._engines.read.connect() as connection:
            return [
                Posting(
                    surface=Surface(row.surface),
                    subject=row.subject,
                    group=row.group,
                    ref=row.ref,
                    said=row.said,
                )
                for row in connection.execute(query)
            ]


def _about(surface: Surface, subject: str) -> sa.ColumnElement[bool]:
    return sa.and_(postings.c.surface == str(surface), postings.c.subject == subject)
