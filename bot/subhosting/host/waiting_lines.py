"""Lines of apps between the pipe and the database: in order, bounded, with a mark where any miss.

No loop and no database here, so that the rules can be read and tested alone.
"""

from dataclasses import replace
from datetime import datetime

from bot.subhosting.store.app_logs import Level, Line

# So many lines are worth a transaction of their own.
MANY = 500
# In one transaction, so that other writers get their turn.
BATCH = 5_000
# What waits while the database does not take anything; about 20 MB of usual lines.
MOST = 50_000

DROPPED = "log lines dropped: the server could not store them in time"


class WaitingLines:
    """A queue of lines that leaves in the order of their times.

    Lines of one moment arrive in two ways, and from several processes. What has left is never
    overtaken: whoever reads a project's log by time has read it already.
    """

    def __init__(self, since: datetime) -> None:
        """Begin empty; no line gets a time before `since`."""
        self.dropped = 0
        self._lines: list[Line] = []
        self._first_dropped: dict[str, Line] = {}
        self._since = since
        self._newest: dict[str, datetime] = {}

    def __len__(self) -> int:
        return len(self._lines)

    def take(self, line: Line) -> None:
        """Add a line, or drop it when too many wait."""
        if len(self._lines) < MOST:
            self._lines.append(line)
        else:
            self.dropped += 1
            self._first_dropped.setdefault(line.deployment_id, line)

    def batch(self) -> list[Line]:
        """Return the oldest lines, which stay here until they are `done`."""
        self._lines.sort(key=lambda line: line.time)
        self._lines[:BATCH] = [self._behind_the_last(line) for line in self._lines[:BATCH]]
        return self._lines[:BATCH]

    def done(self, count: int) -> None:
        """Forget the oldest lines; then there is room for the marks where others were dropped."""
        del self._lines[:count]
        for line in self._first_dropped.values():
            self._lines.append(replace(line, level=Level.WARNING, message=DROPPED))
        self._first_dropped = {}

    def _behind_the_last(self, line: Line) -> Line:
        # A late line, or a clock that was set back, would hide from those who read on by time.
        newest = max(self._newest.get(line.project_id, self._since), line.time)
        self._newest[line.project_id] = newest
        return replace(line, time=newest)
