"""The highest level needs no root, where users may make namespaces."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from bot.subhosting.config import deno_beside_python
from tests.subhosting.egress.unprivileged import NOBODY
from tests.subhosting.server import ROOT


@pytest.mark.needs_system_part("bubblewrap")
def test_somebody_who_is_not_root_reaches_the_highest_level() -> None:
    # In the system's temporary folder, where the runtime directory of every installation is.
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        deno = folder / "deno"
        try:
            deno.hardlink_to(deno_beside_python().resolve())
        except OSError:
            shutil.copy(deno_beside_python(), deno)
        if os.getuid() == 0:
            os.chown(folder, NOBODY, NOBODY)
        command = [sys.executable, "-m", "tests.subhosting.egress.unprivileged", name, str(deno)]
        found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert found.returncode == 0, found.stderr
    reached = json.loads(found.stdout)
    assert reached["uid"] != 0
    assert reached["level"] == "L3", reached["missing"]
    assert {"own-file-tree", "own-processes", "own-network"} <= set(reached["layers"])
