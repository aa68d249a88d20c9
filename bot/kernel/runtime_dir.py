"""Where the sockets of a data directory live: a short private path, however long its own."""

import hashlib
import os
import stat
import tempfile
from pathlib import Path


def runtime_directory(data_dir: Path) -> Path:
    """Return the directory for unix sockets that belongs to `data_dir`, made if it is missing.

    A unix socket's path holds at most 107 bytes (104 on macOS), which a data directory may exceed
    by itself, so sockets live below the system's temporary folder under a name derived from the
    real path of `data_dir`. Mode 0700.
    Source: https://man7.org/linux/man-pages/man7/unix.7.html

    Raises:
        PermissionError: the directory exists and is not ours alone.

    """
    digest = hashlib.sha256(os.fsencode(data_dir.resolve())).hexdigest()[:16]
    path = Path(tempfile.gettempdir()) / f"previewbot-{os.getuid()}-{digest}"
    path.mkdir(mode=0o700, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        msg = f"{path} exists but is not private to this user; remove it and start again"
        raise PermissionError(msg)
    return path
