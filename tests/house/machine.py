"""A machine that has exactly the commands it is given."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


class Machine:
    """One folder as the whole PATH, filled with scripts that answer like the real commands."""

    def __init__(self, folder: Path, *, scripts: Path = ROOT / "scripts") -> None:
        """Start with an empty `folder`; run our own scripts from `scripts`."""
        folder.mkdir()
        self.folder = folder
        self._scripts = scripts

    def has(self, name: str, script: str) -> None:
        """Install a command whose body is `script`."""
        command = self.folder / name
        command.write_text(f"#!/bin/sh\n{script}\n")
        command.chmod(0o755)

    def has_real(self, *names: str) -> None:
        """Give it this machine's own `names`, which must be in one of the standard folders."""
        for name in names:
            real = next(Path(folder, name) for folder in FOLDERS if Path(folder, name).exists())
            (self.folder / name).symlink_to(real)

    def lacks(self, *names: str) -> None:
        """Take commands away."""
        for name in names:
            (self.folder / name).unlink()

    def runs(self, script: str, *args: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run one of our scripts here and return how it ended."""
        return subprocess.run(
            [self._scripts / script, *args],
            env={"PATH": str(self.folder), **variables},
            capture_output=True,
            text=True,
            check=False,
        )


FOLDERS = ("/bin", "/usr/bin", "/usr/local/bin")
