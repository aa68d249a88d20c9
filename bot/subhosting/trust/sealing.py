"""Secrets at rest: unreadable in the database and its backups without a key file beside them.

What is sealed for one purpose cannot be unsealed for another, so nobody who can write to the
database can put one customer's key into another's row.
"""

import base64
import contextlib
import hashlib
import hmac
import os
import secrets
import stat
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

KEY_FILE = "sealing.key"
_KEY_BYTES = 32
_PRIVATE = 0o600


class SealBroken(Exception):  # noqa: N818 - reads as a sentence in `except`
    """Sealed with another key, for another purpose, or changed since."""

    def __init__(self) -> None:
        """Say what usually happened."""
        super().__init__(
            f"a stored secret cannot be read: was {KEY_FILE} replaced, or left out of a backup?"
        )


class Seal:
    """Seals and unseals with one master key. Its repr shows nothing."""

    def __init__(self, master_key: bytes) -> None:
        """Derive a key for each purpose from `master_key`."""
        self._master_key = master_key

    def seal(self, secret: str, *, purpose: str) -> bytes:
        """Return `secret` encrypted and authenticated (Fernet: AES-128-CBC, HMAC-SHA-256).

        `purpose` is unique to the place where it is kept, for example `certificate:<domain id>`.
        """
        return self._fernet(purpose).encrypt(secret.encode())

    def unseal(self, sealed: bytes, *, purpose: str) -> str:
        """Return what was sealed for the same purpose.

        Raises:
            SealBroken: it was not, or it was changed.

        """
        try:
            return self._fernet(purpose).decrypt(sealed).decode()
        except InvalidToken as error:
            raise SealBroken from error

    def _fernet(self, purpose: str) -> Fernet:
        key = hmac.new(self._master_key, purpose.encode(), hashlib.sha256).digest()
        return Fernet(base64.urlsafe_b64encode(key))


def open_seal(data_dir: Path) -> Seal:
    """Return the seal of a data directory; its key file is made at the first use, mode 0600.

    Raises:
        PermissionError: others can read the key file, or it belongs to somebody else.
        ValueError: the file holds no key.

    """
    path = data_dir / KEY_FILE
    if not path.exists():
        _make_key(path)
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(file.fileno())
        if found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o077:
            msg = f"{path} must be readable by its owner alone: chmod 600"
            raise PermissionError(msg)
        key = file.read(_KEY_BYTES + 1)
    if len(key) != _KEY_BYTES:
        msg = f"{path} does not hold a key of {_KEY_BYTES} bytes; restore it from a backup"
        raise ValueError(msg)
    return Seal(key)


def _make_key(path: Path) -> None:
    """Write a new key; of two processes at once, the second uses the first one's."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    descriptor = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _PRIVATE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(_KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(draft)
    finally:
        draft.unlink()
    _sync(path.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
