"""Instances that are killed while many ask for them; soak/test_killed is the full-size run."""

from pathlib import Path

from tests.subhosting.killing import Askers, deployed
from tests.subhosting.server import RunningSubhosting, wait_until

_KILLS = 3
_CLIENTS = 6
# The longest that anybody may wait: back-off and a start, on a busy machine.
_MOST_S = 15.0


def test_an_instance_killed_under_load_is_started_again_and_nobody_hangs(tmp_path: Path) -> None:
    with RunningSubhosting(tmp_path / "data", answer_within=_MOST_S) as server:
        (app,) = apps = deployed(server, 1)
        with Askers(server, apps, _CLIENTS) as askers:
            for _ in range(_KILLS):
                askers.kill(app)

        # The first to ask may have been on the way in when it died, and is told so.
        wait_until(lambda: server.get(app.host).text == "hello", "the app after the last kill")
        assert askers.kills == _KILLS, askers.report()
        # What was under way when it died is told so; everything else waited and was served.
        assert set(askers.statuses) <= {200, 502}, askers.report()
        assert askers.statuses[502] <= _KILLS * _CLIENTS, askers.report()
        assert set(askers.next_statuses) <= {200}, askers.report()
        assert askers.longest_s < _MOST_S, askers.report()
