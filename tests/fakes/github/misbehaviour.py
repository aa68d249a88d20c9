"""Trouble that a test asks for: the next matching call fails, before or after it took effect."""

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """How one call goes wrong; `status` None cuts the line without an answer."""

    method: str
    path: re.Pattern[str]
    status: int | None
    headers: Mapping[str, str] = field(default_factory=dict)
    message: str = "Server Error"
    stored: bool = False  # the call takes effect all the same
    spares: bool = False  # the call goes well, and one of those to come goes wrong


class Misbehaviour:
    """The troubles that are still to come."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Trouble] = []

    def plan(self, trouble: Trouble, times: int, after: int) -> None:
        """Let the next `times` matching calls fail, `after` so many that do not."""
        with self._lock:
            self._waiting += [replace(trouble, spares=True)] * after + [trouble] * times

    def take(self, method: str, path: str) -> Trouble | None:
        """Return the trouble of this call, if one was planned, and forget it."""
        with self._lock:
            for index, trouble in enumerate(self._waiting):
                if trouble.method == method and trouble.path.search(path):
                    planned = self._waiting.pop(index)
                    return None if planned.spares else planned
        return None

    def end(self) -> None:
        """Let nothing that was planned happen any more."""
        with self._lock:
            self._waiting.clear()

    @property
    def unused(self) -> list[Trouble]:
        """Return what was planned and did not happen yet."""
        with self._lock:
            return list(self._waiting)
