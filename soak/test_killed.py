"""A minute of kills among many apps; tests/subhosting/integration/test_killed is the small run."""

from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from tests.subhosting.edge.wire import children
from tests.subhosting.killing import Askers, deployed, woken
from tests.subhosting.server import RunningSubhosting, wait_until

APPS = 12
CLIENTS = 8
FOR = timedelta(minutes=1)
# Back-off and a start, on a busy machine. Beyond it the router itself would answer 504.
MOST_S = 20.0


def test_random_instances_are_killed_for_a_minute_and_nobody_hangs(tmp_path: Path) -> None:
    with RunningSubhosting(tmp_path / "data", answer_within=MOST_S) as server:
        apps = deployed(server, APPS)
        woken(server, apps)
        before = held(server)

        with Askers(server, apps, CLIENTS) as askers:
            askers.kill_at_random(FOR)

        print(askers.report())  # noqa: T201 - the figures
        assert askers.kills > APPS
        assert set(askers.statuses) <= {200, 502}
        # At most everybody had a request there when an app died.
        assert askers.statuses[502] <= askers.kills * CLIENTS
        assert set(askers.next_statuses) <= {200}
        assert askers.longest_s < MOST_S
        woken(server, apps)
        wait_until(lambda: held(server) == before, f"{before} again, not {held(server)}")


def held(server: RunningSubhosting) -> dict[str, int]:
    """Return what the host holds: descriptors, children, and places of instances."""
    return {
        "descriptors": len(_descriptors(server)),
        "children": children(server),
        "sockets": len(list((server.runtime_dir / "i").iterdir())),
        "pids": len(list((server.runtime_dir / "pids").iterdir())),
    }


def _descriptors(server: RunningSubhosting) -> list[str]:
    """Return what the host has open, but for the store: its threads connect as they need it."""
    assert server.host is not None
    found = []
    for descriptor in Path(f"/proc/{server.host.pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            found.append(str(descriptor.readlink()))
    return [each for each in found if "subhosting.db" not in each]
