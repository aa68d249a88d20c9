"""Runs one process of the embedded server, for tests: `python -m tests.subhosting.process`.

Arguments: `api` or `host`, the number of an inherited listening socket, a JSON object of settings.
Prints `ready` on standard output.
"""

import gc
import json
import logging
import signal
import socket
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from typing_extensions import override

from bot.cli.main import OBJECTS_BETWEEN_LOOKS
from bot.kernel.clock import SystemClock
from bot.kernel.processes import die_with_parent
from bot.subhosting import control
from bot.subhosting.config import (
    BuildLimits,
    Limits,
    RetentionLimits,
    RuntimeLimits,
    SubhostingConfig,
)
from bot.subhosting.host import main as host

_TIMES = (
    "warm_up",
    "drain",
    "answer_within",
    "head_within",
    "analytics_every",
    "blob_grace",
    "collect_every",
    "scan_every",
    "idle_after",
    "backup_every",
    "provisioning_timeout",
)


def config_from(settings: dict[str, Any]) -> SubhostingConfig:
    known = _timed(settings, *_TIMES)
    for name in {"data_dir", "backup_dir"} & known.keys():
        known[name] = Path(known[name])
    if "limits" in known:
        known["limits"] = Limits(**known["limits"])
    if "retention" in known:
        spans = _timed(known["retention"], "disable_after", "delete_after")
        known["retention"] = RetentionLimits(**spans)
    if "runtime" in known:
        known["runtime"] = RuntimeLimits(**_timed(known["runtime"], "hang_after"))
    if "build" in known:
        known["build"] = BuildLimits(**_timed(known["build"], "timeout", "longest"))
    return SubhostingConfig(**known)


def _timed(settings: dict[str, Any], *names: str) -> dict[str, Any]:
    """Return settings whose seconds are durations."""
    spans = {name: timedelta(seconds=settings[name]) for name in settings.keys() & names}
    return {**settings, **spans}


class MovedClock(SystemClock):
    """The machine's clock, ahead by the seconds that a file names."""

    def __init__(self, file: Path) -> None:
        self._file = file

    @override
    def now(self) -> datetime:
        ahead = float(self._file.read_text()) if self._file.exists() else 0.0
        return super().now() + timedelta(seconds=ahead)


def announce() -> None:
    sys.stdout.write("ready\n")
    sys.stdout.flush()


def main() -> None:
    role, descriptor, parent, settings = sys.argv[1:]
    die_with_parent(int(parent), signal.SIGTERM)
    gc.set_threshold(OBJECTS_BETWEEN_LOOKS)  # as every command has it
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
    listener = socket.socket(fileno=int(descriptor))
    config = config_from(json.loads(settings))
    try:
        if role == "api":
            control.serve_api(config, listener, announce)
        else:
            clock = MovedClock(config.data_dir.with_name(f"{config.data_dir.name}.ahead"))
            host.run(config, listener, announce, clock)
    finally:
        gc.freeze()  # likewise


if __name__ == "__main__":
    main()
