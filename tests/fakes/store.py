"""The store for tests: that of `previewbot deploy`, with a clock and ids to foresee."""

from bot.adapters.storage.memory import MemoryStore
from bot.kernel.clock import Clock
from bot.kernel.ids import Ids
from tests.fakes.clock import FakeClock
from tests.fakes.ids import FakeIds


def fake_store(clock: Clock | None = None, ids: Ids | None = None) -> MemoryStore:
    return MemoryStore(clock or FakeClock(), ids or FakeIds())
