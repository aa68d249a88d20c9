"""What went through the router, per host; analytics will read it from here."""

from dataclasses import dataclass


@dataclass(slots=True)
class Traffic:
    """Counts since the start of this process; bytes are those of bodies."""

    requests: int = 0
    bytes_in: int = 0
    bytes_out: int = 0


class TrafficByHost:
    """One `Traffic` per host that is bound."""

    def __init__(self) -> None:
        """Begin with none."""
        self._hosts: dict[str, Traffic] = {}

    def of(self, host: str) -> Traffic:
        """Return the counts of a host, to read or to add to."""
        if (found := self._hosts.get(host)) is None:
            found = self._hosts[host] = Traffic()
        return found
