"""What calls of KV Connect count for: operations, and the units of Deno's plans.

An operation is a key or a range that is read, or a mutation that was made: `getMany` of three
keys reads three times, an atomic write with two mutations writes twice. A read unit is 4 KiB, a
write unit 1 KiB, of keys and values as they are stored; a list whose entries have 3 KiB together
is one read unit. Deno's plans (https://deno.com/deploy/pricing) count such units; that they are
rounded up for each operation, and that one without any bytes is one, is our reading of them.
"""

from collections.abc import Sequence

from bot.subhosting.kv.messages import Entry, Mutation
from bot.subhosting.store.usage import Usage

READ_UNIT_BYTES = 4096
WRITE_UNIT_BYTES = 1024


def count_read(usage: Usage, ranges: Sequence[Sequence[Entry]]) -> None:
    """Add what a read found, range by range."""
    usage.kv_reads += len(ranges)
    usage.kv_read_units += sum(map(_read_units, ranges))


def count_watched(usage: Usage, changes: Sequence[Entry | bool | None]) -> None:
    """Add what a watch told: each key at its beginning, and each that changed, is read."""
    # False is a key that did not change.
    told = [each for each in changes if not isinstance(each, bool)]
    count_read(usage, [() if each is None else (each,) for each in told])


def count_written(usage: Usage, mutations: Sequence[Mutation]) -> None:
    """Add what an atomic write changed."""
    usage.kv_writes += len(mutations)
    usage.kv_write_units += sum(
        _units(len(each.key) + len(each.value), WRITE_UNIT_BYTES) for each in mutations
    )


def _read_units(entries: Sequence[Entry]) -> int:
    return _units(sum(len(each.key) + len(each.value) for each in entries), READ_UNIT_BYTES)


def _units(size_bytes: int, unit_bytes: int) -> int:
    return max(1, -(-size_bytes // unit_bytes))
