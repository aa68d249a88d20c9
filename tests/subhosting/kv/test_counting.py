"""What calls of KV Connect count for."""

from bot.subhosting.kv import counting
from bot.subhosting.kv.messages import Encoding, Entry, Kind, Mutation
from bot.subhosting.store.usage import Usage


def entry(size_bytes: int) -> Entry:
    """Return an entry whose key and value have so many bytes together."""
    return Entry(b"key", b"v" * (size_bytes - 3), Encoding.BYTES, b"")


def test_a_range_is_one_read_and_its_entries_share_their_units() -> None:
    usage = Usage()

    counting.count_read(usage, [[entry(300)] * 10, [entry(4096)], [entry(4097)], []])

    assert usage == Usage(kv_reads=4, kv_read_units=1 + 1 + 2 + 1)


def test_every_mutation_is_a_write_of_its_own_units() -> None:
    usage = Usage()

    counting.count_written(
        usage,
        [
            Mutation(b"k" * 24, Kind.SET, b"v" * 1000),
            Mutation(b"k" * 24, Kind.SET, b"v" * 1001),
            Mutation(b"k", Kind.DELETE),
        ],
    )

    assert usage == Usage(kv_writes=3, kv_write_units=1 + 2 + 1)


def test_a_watch_reads_what_changed_and_nothing_else() -> None:
    usage = Usage()

    counting.count_watched(usage, [None, entry(5000)])
    counting.count_watched(usage, [entry(10), False])

    assert usage == Usage(kv_reads=3, kv_read_units=1 + 2 + 1)
