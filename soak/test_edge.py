"""The router's edge at full size; tests/subhosting/edge has the small runs."""

from pathlib import Path

from tests.subhosting.edge.wire import (
    APP,
    MIB,
    echoing_sockets,
    forget_peak,
    nothing_leaks,
    peak_rss_bytes,
    upload,
)
from tests.subhosting.server import RunningSubhosting


def test_a_gigabyte_goes_up_within_64_mb(tmp_path: Path) -> None:
    with RunningSubhosting(tmp_path / "data") as server:
        host = server.deployed(server.new_project()["id"], {"main.ts": APP})["domains"][0]
        with nothing_leaks(server, host):
            forget_peak(server)
            before = peak_rss_bytes(server)

            assert upload(server, host, 1024 * MIB) == str(1024 * MIB).encode()

            grown = peak_rss_bytes(server) - before
            print(f"1 GB up: {grown / MIB:.1f} MB more memory at most")  # noqa: T201 - the figure
            assert grown < 64 * MIB


def test_a_thousand_websockets_are_open_at_once(tmp_path: Path) -> None:
    with RunningSubhosting(tmp_path / "data") as server:
        host = server.deployed(server.new_project()["id"], {"main.ts": APP})["domains"][0]
        with nothing_leaks(server, host):
            assert echoing_sockets(server, host, 1000) == 1000
