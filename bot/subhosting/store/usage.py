"""What a deployment used; a value without a database, for those who only count."""

from dataclasses import dataclass, fields

MAXIMA = frozenset({"max_rss_bytes"})


@dataclass(slots=True, kw_only=True)
class Usage:
    """What was used; sums, except for the maximum that the name tells."""

    requests: int = 0
    ingress_bytes: int = 0
    egress_bytes: int = 0
    cpu_s: float = 0.0
    uptime_s: float = 0.0
    memory_byte_s: float = 0.0
    max_rss_bytes: int = 0
    kv_reads: int = 0
    kv_writes: int = 0
    kv_read_units: int = 0
    kv_write_units: int = 0

    def add(self, other: "Usage") -> None:
        """Add what was used in another place or at another time."""
        for field in fields(Usage):
            ours, theirs = getattr(self, field.name), getattr(other, field.name)
            whole = max(ours, theirs) if field.name in MAXIMA else ours + theirs
            setattr(self, field.name, whole)
