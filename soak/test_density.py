"""Ninety idle instances, and 500 known deployments of which 20 live."""

from pathlib import Path

from tests.subhosting.density import deployed, idle, woken
from tests.subhosting.server import RunningSubhosting, wait_until

SECONDS = 10.0
# Threads that have nothing more to do end after 10 s.
SETTLES_S = 12.0


def test_the_density_of_ninety_idle_instances(tmp_path: Path) -> None:
    with RunningSubhosting(tmp_path / "data", live_instances=90) as server:
        hosts = deployed(server, 90)
        woken(server, hosts)

        idle(server, seconds=SETTLES_S)
        found = idle(server, seconds=SECONDS)

        print(found.report())  # noqa: T201 - the figures
        assert found.instances == 90
        assert found.pss_mib < 1.2 * 1000**3 / 1024**2
        # Nothing runs in an app that nobody asks: two ticks of the clock for all of them.
        assert found.apps_cpu_s <= 0.02
        assert found.host_cpu_s < 0.02 * SECONDS


def test_the_density_of_five_hundred_known_deployments(tmp_path: Path) -> None:
    with RunningSubhosting(tmp_path / "data", live_instances=20) as server:
        hosts = deployed(server, 500)
        wait_until(lambda: len(server.instances()) <= 20, "the rest of all but twenty")

        found = idle(server, seconds=SECONDS)
        answers = [server.get(host).text for host in hosts]
        wait_until(lambda: len(server.instances()) <= 20, "the rest of all but twenty")

        print(found.report())  # noqa: T201 - the figures
        assert found.host_cpu_s < 0.02 * SECONDS
        assert answers == ["hello"] * 500
