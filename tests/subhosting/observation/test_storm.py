"""What an app says gets lost neither in a storm nor with its end."""

import os
import signal
from pathlib import Path

from tests.subhosting.observation.observing import Talker
from tests.subhosting.observation.storm import stored_after_a_storm
from tests.subhosting.server import deno_pids

# More than twice of what Deno would keep for an export by default.
LINES = 20_000


def test_a_storm_of_lines_arrives_whole_and_in_order(tmp_path: Path) -> None:
    found = stored_after_a_storm(tmp_path / "data", LINES)

    assert found == [f"line {number}" for number in range(LINES)]


def test_what_was_said_just_before_a_kill_is_kept(talker: Talker) -> None:
    assert talker.say(log="last words", wait=100).status == 200
    for pid in deno_pids(talker.server.config.deployments_dir / talker.id):
        os.kill(pid, signal.SIGKILL)

    talker.wait_for("last words")
