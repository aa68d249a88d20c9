"""Runs one process of the embedded server, for tests: `python -m tests.subhosting.process`.

Arguments: `api` or `host`, the number of an inherited listening socket, a JSON object of settings.
Prints `ready` on standard output.
"""

import json
import logging
import signal
import socket
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from bot.kernel.processes import die_with_parent
from bot.subhosting import control
from bot.subhosting.config import BuildLimits, Limits, SubhostingConfig
from bot.subhosting.host import main as host


def config_from(settings: dict[str, Any]) -> SubhostingConfig:
    known = dict(settings)
    for name in {"data_dir", "backup_dir"} & known.keys():
        known[name] = Path(known[name])
    for name in ("warm_up", "drain", "answer_within", "analytics_every"):
        if name in known:
            known[name] = timedelta(seconds=known[name])
    for name in ("blob_grace", "collect_every", "backup_every", "provisioning_timeout"):
        if name in known:
            known[name] = timedelta(seconds=known[name])
    if "limits" in known:
        known["limits"] = Limits(**known["limits"])
    if "build" in known:
        times = {"timeout", "longest"} & known["build"].keys()
        spans = {name: timedelta(seconds=known["build"][name]) for name in times}
        known["build"] = BuildLimits(**{**known["build"], **spans})
    return SubhostingConfig(**known)


def announce() -> None:
    sys.stdout.write("ready\n")
    sys.stdout.flush()


def main() -> None:
    role, descriptor, parent, settings = sys.argv[1:]
    die_with_parent(int(parent), signal.SIGTERM)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
    listener = socket.socket(fileno=int(descriptor))
    serve = control.serve_api if role == "api" else host.run
    serve(config_from(json.loads(settings)), listener, announce)


if __name__ == "__main__":
    main()
