"""Our router beside nginx, HAProxy and Caddy, in front of the same Deno process, in one run.

`make bench-router`; options: --rounds 5 --seconds 4 --write (the table into docs/benchmarks.md).
Needs `wrk`; proxies that are not installed are named as such. Every round visits all of them, so
that whatever else the machine does hits all alike.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.router.measuring import cpu_s, free_port, listening, pss_mib
from benchmarks.router.proxies import HOST, PROXIES, Proxy
from benchmarks.router.report import Figures, document, table
from bot.subhosting.host.launcher import restrict
from bot.subhosting.sandbox.view import ProcessLimits

DIRECT = "direct"
CONNECTIONS = (32, 1)
_APP = 'Deno.serve({ port: PORT, hostname: "127.0.0.1" }, () => new Response("Hello World"));'


@dataclass(slots=True)
class Target:
    """What is loaded: a port, and the process that listens there."""

    name: str
    port: int
    pid: int
    runs: dict[int, list[Figures]] = field(default_factory=dict)


def main() -> None:
    """Measure and print."""
    options = _options()
    if shutil.which("wrk") is None:
        sys.exit("wrk is not installed (Debian: apt-get install wrk)")
    with (
        tempfile.TemporaryDirectory(prefix="bench-router-") as folder,
        _running(Path(folder)) as all_,
    ):
        for _ in range(options.rounds):
            for connections in CONNECTIONS:
                for target in all_:
                    figures = loaded(target, connections, options.seconds)
                    target.runs.setdefault(connections, []).append(figures)
        medians = {
            target.name: {count: Figures.median(runs) for count, runs in target.runs.items()}
            for target in all_
        }
    missing = [proxy.name for proxy in PROXIES if proxy.program is None]
    print(table(medians, missing))
    if options.write:
        versions = {proxy.name: _version(proxy) for proxy in PROXIES if proxy.program is not None}
        document(medians, missing, versions, rounds=options.rounds, seconds=options.seconds)


def loaded(target: Target, connections: int, seconds: int) -> Figures:
    """Load one target for some seconds and return what came of it."""
    before = cpu_s(target.pid)
    done = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-H", f"Host: {HOST}",
         f"http://127.0.0.1:{target.port}/"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    used = cpu_s(target.pid) - before
    if re.search(r"Non-2xx|Socket errors", done.stdout):
        sys.exit(f"{target.name} failed under load:\n{done.stdout}")
    requests = int(_found(r"(\d+) requests in", done.stdout))
    return Figures(
        rps=float(_found(r"Requests/sec:\s+([\d.]+)", done.stdout)),
        cpu_us=used / requests * 1e6,
        p50_ms=_latency("50%", done.stdout),
        p99_ms=_latency("99%", done.stdout),
        pss_mib=pss_mib(target.pid),
    )


@contextmanager
def _running(folder: Path) -> Iterator[list[Target]]:
    """Start the backend and every proxy that is installed; end them all."""
    backend, port = folder / "app.sock", free_port()
    app = folder / "app.ts"
    app.write_text(_APP.replace("PORT", str(port)))
    processes: list[subprocess.Popen[bytes]] = []
    log = (folder / "log").open("wb")
    try:
        deno = subprocess.Popen(
            [Path(sys.executable).with_name("deno"), "run", "--quiet", "--allow-all", app],
            env={"DENO_SERVE_ADDRESS": f"duplicate,unix:{backend}", "DENO_DIR": f"{folder}/deno",
                 "DENO_NO_UPDATE_CHECK": "1"},
            stdout=log, stderr=log,
            start_new_session=True,
        )  # fmt: skip
        processes.append(deno)
        # As an app is held in the product, whoever asks it.
        restrict(deno.pid, ProcessLimits())
        listening(port)
        targets = [Target(DIRECT, port, deno.pid)]
        for proxy in PROXIES:
            if proxy.program is not None:
                home, port = folder / proxy.name, free_port()
                home.mkdir()
                command = proxy.command(home, port, backend)
                process = subprocess.Popen(command, stdout=log, stderr=log, env=_environment(home))
                processes.append(process)
                listening(port)
                targets.append(Target(proxy.name, port, process.pid))
        yield targets
    finally:
        for process in processes:
            process.kill()
            process.wait()
        log.close()


def _environment(home: Path) -> dict[str, str]:
    # One processor for all: Go would take several.
    root = Path(__file__).parents[2]
    return {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": str(home),
        "GOMAXPROCS": "1",
        "PYTHONPATH": str(root),
    }


def _version(proxy: Proxy) -> str:
    if not proxy.version:
        return f"Python {sys.version.split()[0]}"
    done = subprocess.run(proxy.version, check=False, capture_output=True, text=True)
    return _found(r"(\d+\.\d+[.\d]*)", done.stdout + done.stderr)


def _latency(quantile: str, text: str) -> float:
    value, unit = re.search(rf"{quantile}\s+([\d.]+)(us|ms|s)", text).groups()  # type: ignore[union-attr]
    return float(value) * {"us": 1e-3, "ms": 1.0, "s": 1e3}[unit]


def _found(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    if found is None:
        sys.exit(f"no {pattern!r} in:\n{text}")
    return found[1]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md's section")
    return parser.parse_args()


if __name__ == "__main__":
    main()
