from pathlib import Path

from tests.subhosting.density import deployed, idle, woken
from tests.subhosting.server import RunningSubhosting


def test_idle_instances_are_small_and_cost_nothing(tmp_path: Path) -> None:
    with RunningSubhosting(tmp_path / "data") as server:
        hosts = deployed(server, 5)
        woken(server, hosts)

        found = idle(server, seconds=1.0)

        # Ninety of them are to fit into 1.2 GB; five share less of Deno's own pages.
        assert found.instances == 5
        assert found.pss_mib / found.instances < 30, found.report()
        # No timer of Deno's or ours runs in them.
        assert found.apps_cpu_s < 0.05, found.report()
        assert found.host_cpu_s < 0.1, found.report()
