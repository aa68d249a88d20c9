"""Runs as a program: finds out which level is reached by somebody who is not root.

Arguments: a folder of the user's own, the path of Deno. Prints the level and its layers as JSON.
"""

import asyncio
import encodings.ascii
import encodings.idna
import json
import os
import sys
from pathlib import Path

from bot.subhosting.config import SubhostingConfig
from bot.subhosting.host.probe import reach
from bot.subhosting.sandbox.cgroups import Unusable

# Everything is imported by now: afterwards the interpreter's own files may be out of reach.
_LOADED = (encodings.ascii, encodings.idna)

NOBODY = 65534


def main() -> None:
    folder, deno = map(Path, sys.argv[1:])
    if os.getuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    os.chdir(folder)
    config = SubhostingConfig(data_dir=folder, deno=deno)
    groups = Unusable(reason="not looked for", fix="")
    isolation, _ = asyncio.run(reach(config, folder / "probe", groups))
    sys.stdout.write(json.dumps({"uid": os.getuid(), **isolation.document()}))


if __name__ == "__main__":
    main()
