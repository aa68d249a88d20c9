"""Large creates do not make the API large; `soak/test_intake.py` has the full size."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil

from tests.subhosting.intake.limited import create_body, post
from tests.subhosting.server import RunningSubhosting, wait_until


def rss_bytes(pid: int) -> int:
    """Return the memory of a process and its children."""
    process = psutil.Process(pid)
    return sum(each.memory_info().rss for each in (process, *process.children(recursive=True)))


def growth_bytes(server: RunningSubhosting, *, clients: int, size: int) -> int:
    """Return by how much the API grows at most while `clients` deploy `size` bytes each."""
    assert server.api is not None
    pid = server.api.pid
    projects = [server.new_project()["id"] for _ in range(clients)]
    before = most = rss_bytes(pid)

    def create(project: str) -> int:
        return post(server, project, create_body(size)).status

    with ThreadPoolExecutor(clients) as pool:
        running = [pool.submit(create, project) for project in projects]

        def ended() -> bool:
            nonlocal most
            most = max(most, rss_bytes(pid))
            return all(each.done() for each in running)

        wait_until(ended, "the creates", within_s=300)
    assert [each.result() for each in running] == [200] * clients
    return most - before


def test_eight_clients_with_20_mb_each_add_little_memory(tmp_path: Path) -> None:
    with RunningSubhosting(tmp_path / "data") as server:
        # 160 MB travel, 213 MB as base64.
        assert growth_bytes(server, clients=8, size=20_000_000) < 80_000_000
