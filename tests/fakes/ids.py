"""Ids that can be foreseen: 000000000001, 000000000002, and so on."""

import itertools

from bot.kernel.ids import ID_LENGTH


class FakeIds:
    """Implements `bot.kernel.ids.Ids`."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)

    def new(self) -> str:
        return f"{next(self._numbers):0{ID_LENGTH}}"
