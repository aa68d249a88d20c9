"""One-shot passwords for git: handed over by a script and a private file that soon are gone."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

USERNAME = "x-access-token"  # what GitHub expects beside an installation token

_PREFIX = "askpass-"

_SCRIPT = f"""\
#!/bin/sh
case "$1" in
Username*) echo {USERNAME} ;;
*) exec cat "${{0%/*}}/password" ;;
esac
"""


@contextmanager
def answering(password: str | None, below: Path) -> Iterator[dict[str, str]]:
    """Yield what to add to git's environment so that it can log in while the block runs.

    The password never stands in a URL, an argument, the environment or a configuration: only in a
    file of mode 0600 in a fresh directory (0700) in `below`, removed at the end. It is not placed
    in the system's temporary folder, which is often mounted without the right to execute.
    """
    if password is None:
        yield {}
        return
    directory = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=below))
    try:
        (directory / "password").touch(mode=0o600)
        (directory / "password").write_text(password + "\n")
        script = directory / "askpass"
        script.write_text(_SCRIPT)
        script.chmod(0o700)
        yield {"GIT_ASKPASS": str(script)}
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def sweep(below: Path) -> None:
    """Remove what a worker that was killed in the middle left behind."""
    for directory in below.glob(f"{_PREFIX}*"):
        owner = directory.name.removeprefix(_PREFIX).split("-")[0]
        if owner.isdecimal() and not _is_alive(int(owner)):
            shutil.rmtree(directory, ignore_errors=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
