"""What `previewbot deploy` begins with: small, so that it begins at once."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.adapters.git.ahead import Ahead


@contextmanager
def looking_ahead(directory: Path) -> Iterator[Ahead]:
    """Have `directory` looked at from now on, until the end of the block."""
    ahead = Ahead(directory.resolve())
    try:
        yield ahead
    finally:
        ahead.close()
