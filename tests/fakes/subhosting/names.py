"""DNS and host names in memory, with memory of what was asked."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.subhosting.trust.dns import DnsUnavailable, RecordKind


@dataclass
class FakeDns:
    """Implements `bot.subhosting.trust.dns.DnsResolver`."""

    zone: dict[tuple[str, RecordKind], list[str]] = field(default_factory=dict)
    away: bool = False

    def add(self, name: str, kind: RecordKind, content: str) -> None:
        self.zone.setdefault((name.lower(), kind), []).append(content)

    def records(self, name: str, kind: RecordKind) -> Sequence[str]:
        if self.away:
            raise DnsUnavailable(name)
        return self.zone.get((name.lower(), kind), [])


@dataclass
class FakeHosts:
    """Implements `HostResolver`; a host with several answers gives them one after another."""

    answers: dict[str, list[list[str]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def addresses(self, host: str) -> Sequence[str]:
        self.asked.append(host)
        known = self.answers.get(host, [[]])
        return known.pop(0) if len(known) > 1 else known[0]
