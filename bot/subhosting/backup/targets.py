"""Where a backup goes: the port, its two outcomes, and the local folder."""

import contextlib
import os
import re
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

# Made by us, from ids and moments.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")

# S3 keys have up to 1024 bytes; a name takes at most 200.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
_MAX_PREFIX_BYTES = 800
_FIRST_PRINTABLE = 32

_PRIVATE_FOLDER = 0o700
_PRIVATE_FILE = 0o600


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """The backup is where it belongs; `place` names it without any secret."""

    place: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class NotStored:
    """It is not; `message` is what v1 shows in the backup's status."""

    message: str


class BackupTarget(Protocol):
    """Somewhere to keep copies."""

    def put(self, name: str, content: Path) -> Stored | NotStored:
        """Store the file `content`, which nobody changes meanwhile, as `name`.

        Raises:
            ValueError: `name` is not a plain file name.

        """
        ...


class DirectoryTarget:
    """A local folder, which only the operator can choose."""

    def __init__(self, root: Path, prefix: str = "") -> None:
        """Keep backups in `root`, or in the folder `prefix` below it.

        Raises:
            ValueError: the prefix leads elsewhere.

        """
        if (problem := prefix_problem(prefix)) is not None:
            msg = f"prefix: {problem}"
            raise ValueError(msg)
        self._folder = root / joined(prefix, "")

    def put(self, name: str, content: Path) -> Stored | NotStored:
        """Copy the file; it appears under its name only when it is complete and durable."""
        check_name(name)
        draft = self._folder / f".{name}.{secrets.token_hex(6)}"
        try:
            self._folder.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
            _copy(content, draft)
            draft.rename(self._folder / name)
            _sync_folder(self._folder)
        except OSError as error:
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)
            return NotStored(f"the backup folder cannot be written: {error.strerror}")
        return Stored(place=str(self._folder / name), size_bytes=content.stat().st_size)


def check_name(name: str) -> None:
    """Refuse a name that could be a path.

    Raises:
        ValueError: it could.

    """
    if _NAME.fullmatch(name) is None:
        msg = f"a backup's name must be a plain file name, not {name!r}"
        raise ValueError(msg)


def prefix_problem(prefix: str) -> str | None:
    """Return what is wrong with a prefix; empty is fine, and so are slashes at its ends."""
    if len(prefix.encode("utf-8", "replace")) > _MAX_PREFIX_BYTES:
        return f"is longer than {_MAX_PREFIX_BYTES} bytes"
    if any(ord(letter) < _FIRST_PRINTABLE or "\ud800" <= letter <= "\udfff" for letter in prefix):
        return "has control characters"
    # HTTP clients and proxies resolve such segments, and would leave the bucket by them.
    if any(segment in {".", ".."} for segment in prefix.split("/")):
        return "has the segment . or .."
    return None


def joined(prefix: str, name: str) -> str:
    """Return `<prefix>/<name>`, whatever slashes the prefix begins, ends or is doubled with."""
    return "/".join(segment for segment in (*prefix.split("/"), name) if segment)


def _copy(source: Path, draft: Path) -> None:
    descriptor = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _PRIVATE_FILE)
    with os.fdopen(descriptor, "wb") as target, source.open("rb") as content:
        shutil.copyfileobj(content, target)
        target.flush()
        os.fsync(target.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
