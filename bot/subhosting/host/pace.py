"""How fast one app may export its lines: a pure count, so that no app keeps the host busy."""

# Whoever has to wait does so for less than a second.
_WAITS_S = 2.0
_SAID_EVERY_S = 60.0


class Pace:
    """Counts what comes within a second, and says how long the next one has to wait.

    An export that is not answered keeps the others in the app. `most` is what its queue there
    holds: if they come so late that it must have been full, some of them were lost.
    """

    def __init__(self, per_s: int, most: int) -> None:
        """Let so many come in a second."""
        self._per_s = per_s
        self._full_after_s = 0.9 * most / per_s
        self._second_s = float("-inf")
        self._count = 0
        # When somebody was made to wait for the last time, and since when that has been said.
        self._waited_s = float("-inf")
        self._said_s = float("-inf")

    def wait_s(self, now_s: float) -> float:
        """Count one that comes now; return after how long it is to be answered."""
        if now_s - self._second_s >= 1:
            self._second_s, self._count = now_s, 0
        self._count += 1
        if self._count < self._per_s:
            return 0.0
        self._waited_s = now_s
        return self._second_s + 1 - now_s

    def loses(self, now_s: float, late_by_s: float) -> bool:
        """Return whether a line that comes so late means losses; True once a minute at most."""
        waits = now_s - self._waited_s < _WAITS_S
        if not waits or late_by_s < self._full_after_s or now_s - self._said_s < _SAID_EVERY_S:
            return False
        self._said_s = now_s
        return True
