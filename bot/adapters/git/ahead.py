"""A look at a directory by a process of its own, while this one still imports the rest.

For 10,000 files both take about as long, and each needs one processor.
"""

import marshal
import subprocess
import sys
from pathlib import Path

from bot.adapters.git.sights import Sight, sights_below
from bot.kernel.processes import built_environment

_PROGRAM = "from bot.adapters.git.ahead import tell; tell()"


class Ahead:
    """What `sights_below` returns for a directory, when it is asked for."""

    def __init__(self, directory: Path) -> None:
        """Begin to look."""
        command = [
            sys.executable,
            "-P",  # nothing of the directory where this happens to run is imported
            "-S",  # nor anything but the standard library and ourselves: more takes time to find
            *("-X", "utf8"),
            *("-c", _PROGRAM, str(directory)),
        ]
        self._process = subprocess.Popen(  # noqa: S603 - as above
            command,
            env=built_environment(PYTHONPATH=str(Path(__file__).parents[3])),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # whoever looks again will say what is wrong
        )

    def sights(self) -> list[Sight] | None:
        """Return what was seen, once; None if that did not work out."""
        output, _ = self._process.communicate()
        if self._process.returncode != 0 or sys.getfilesystemencoding() != "utf-8":
            return None
        seen: list[Sight] = marshal.loads(output)  # noqa: S302 - of our own making, just now
        return seen

    def close(self) -> None:
        """End the look, if it still goes on."""
        with self._process as process:
            process.kill()


def tell() -> None:
    """Write what lies below the directory of the command line to standard output."""
    sys.stdout.buffer.write(marshal.dumps(sights_below(Path(sys.argv[1]))))
