"""How long a deployment that crashes again and again waits for its next start."""

from dataclasses import dataclass

# 0.1, 0.2, 0.4 ... seconds, no longer than this. Requests wait meanwhile.
_FIRST_S = 0.1
_LONGEST_S = 5.0
_MOST_DOUBLINGS = 10
# An instance that lived this long is no longer the victim of its last crash.
_STABLE_AFTER_S = 10.0


@dataclass(slots=True)
class Crashes:
    """The crashes in a row; times are those of the monotonic clock."""

    in_a_row: int = 0
    _not_before_s: float = 0.0

    def wait_s(self, now_s: float) -> float:
        """Return how long the next start has to wait."""
        return max(0.0, self._not_before_s - now_s)

    def count(self, now_s: float, *, lived_from_s: float | None = None) -> str:
        """Count one, and return in words that follow "the app" when it is started again.

        `lived_from_s` is when it began to serve, if it did.
        """
        if lived_from_s is not None and now_s - lived_from_s > _STABLE_AFTER_S:
            self.in_a_row = 0
        wait_s = min(_FIRST_S * 2 ** min(self.in_a_row, _MOST_DOUBLINGS), _LONGEST_S)
        self.in_a_row += 1
        self._not_before_s = now_s + wait_s
        row = "" if self.in_a_row == 1 else f"crash {self.in_a_row} in a row, "
        return f"{row}started again by its next request, {wait_s:.1f} s from now at the earliest"
