"""A redeploy to the embedded server: from the create leaving to the first byte of the preview.

Three files change, once of 10 files and once of 10,000, of an app that runs and of a site that is
served as it is. The bot's own client sends them, by the difference from the deployment before. All
take turns, so that whatever else the machine does hits all alike. Between two rounds nothing
happens for `--pause` seconds, in which the server prepares for the next push; once more without,
for pushes that come on the heels of another.

The larger may cost `--most` times the smaller, and 1.3 bytes may travel for each byte of the
changed files, and 4 KB; request bodies are counted, not their heads. The exit code says whether
that was kept. Options: --rounds 15 --most 3.0 --pause 1.0 --write (into docs/benchmarks.md).
"""

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.document import Goal, goals_text, keep, status
from bot.adapters.targets.subhosting_v1 import Dialect, Platform, SubhostingV1Target
from bot.core.model.ids import (
    AppSlug,
    BlobSha,
    Branch,
    CommitSha,
    DeploymentId,
    HostLabel,
    RepoName,
    Repository,
    RepositoryId,
)
from bot.core.model.manifest import FileAsset, Manifest
from bot.kernel.clock import SystemClock
from bot.kernel.git_hash import blob_sha1
from bot.kernel.ids import RandomIds
from bot.ports.target import Base, Created, Order
from tests.subhosting.server import RunningSubhosting

SIZES = (10, 10_000)
CHANGED = 3
FILE_BYTES = 4096
SLACK = 1.3
SLACK_BYTES = 4096

FIRST = {
    "app": ("main.ts", b"Deno.serve(() => new Response('hello'));\n"),
    "site": ("index.html", b"<!doctype html><title>hello</title>\n"),
}


@dataclass
class Times:
    """Of one size, in seconds."""

    create: list[float] = field(default_factory=list)  # until the create is answered
    first_byte: list[float] = field(default_factory=list)


@dataclass
class Project:
    """An app or a site of so many files, and everything that was sent of it."""

    kind: str
    files_total: int
    target: SubhostingV1Target
    server: RunningSubhosting
    # Of the redeployment that sent the most of what it may: bytes sent and bytes changed.
    sent_bytes: int = 0
    changed_bytes: int = 0

    def __post_init__(self) -> None:
        self._dice = random.Random(self.files_total)  # noqa: S311 - the same files every time
        self._contents: dict[BlobSha, bytes] = {}
        self._ids = RandomIds()
        self._entry_point, content = FIRST[self.kind]
        self._paths = [f"d{n % 100}/f{n}.txt" for n in range(self.files_total - 1)]
        self._assets = {path: self._new_file() for path in self._paths}
        self._assets[self._entry_point] = self._asset(content)
        self._base: Base | None = None
        self._known: set[BlobSha] = set()

    def deploy(self, times: Times | None = None) -> None:
        """Send everything, or what has changed, and wait for the preview."""
        order = self._order()
        began = time.perf_counter()
        created = self.target.create(order, self._read)
        answered = time.perf_counter()
        self._wait_for_first_byte(order, created)
        ended = time.perf_counter()
        changed = order.manifest.blobs() - self._known
        if times is not None:
            times.create.append(answered - began)
            times.first_byte.append(ended - began)
            size = sum(len(self._contents[sha1]) for sha1 in changed)
            sent = created.transfer.bytes_sent
            if sent / _may_send(size) > self.wire:
                self.sent_bytes, self.changed_bytes = sent, size
        self._known |= changed
        self._base = Base(deployment=created.id, manifest=order.manifest)

    @property
    def wire(self) -> float:
        """Return the most that was sent as a part of what may be."""
        return self.sent_bytes / _may_send(self.changed_bytes)

    def change(self) -> None:
        """Replace as many files as a push changes."""
        for path in self._dice.sample(self._paths, CHANGED):
            self._assets[path] = self._new_file()

    def _order(self) -> Order:
        name = f"{self.kind}-{self.files_total}"
        return Order(
            project=AppSlug(name),
            branch_app=AppSlug(name),
            repository=Repository(
                id=RepositoryId(1), name=RepoName(f"acme/{name}"), default_branch=Branch("main")
            ),
            branch=Branch("main"),
            key=DeploymentId(self._ids.new()),
            manifest=Manifest(assets=dict(self._assets)),
            entrypoint=self._entry_point,
            known=self._known,
            base=self._base,
        )

    def _wait_for_first_byte(self, order: Order, created: Created) -> None:
        self.server.build_log(created.id)  # is answered at the end of the build
        label = HostLabel(f"{order.project}-d-{created.id}")
        self.target.bind(created.id, label, CommitSha("0" * 40))
        with self.server.connect() as connection:
            host = self.server.authority(f"{label}.localhost")
            connection.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            first = connection.recv(1024)
        if not first.startswith(b"HTTP/1.1 200"):
            raise SystemExit(f"the preview answered {first[:200]!r}")

    def _new_file(self) -> FileAsset:
        return self._asset(self._dice.randbytes(FILE_BYTES // 2).hex().encode())

    def _asset(self, content: bytes) -> FileAsset:
        sha1 = BlobSha(blob_sha1(content))
        self._contents[sha1] = content
        return FileAsset(sha1)

    def _read(self, wanted: Collection[BlobSha]) -> Iterator[tuple[BlobSha, bytes]]:
        for sha1 in wanted:
            yield sha1, self._contents[sha1]


def _may_send(changed_bytes: int) -> float:
    return SLACK * changed_bytes + SLACK_BYTES


def redeployed(projects: list[Project], rounds: int, pause_s: float) -> list[Times]:
    """Redeploy all in turns, and return the times of each."""
    times = [Times() for _ in projects]
    for _ in range(rounds):
        time.sleep(pause_s)
        for project, of_it in zip(projects, times, strict=True):
            project.change()
            project.deploy(of_it)
    return times


def lines_of(name: str, projects: list[Project], times: list[Times]) -> tuple[list[str], float]:
    """Return the lines of one comparison, and the ratio of the larger to the smaller."""
    medians = [statistics.median(each.first_byte) for each in times]
    lines = [
        f"| {name} | {project.files_total:,} | {statistics.median(each.create) * 1000:.1f} "
        f"| {median * 1000:.1f} | {min(each.first_byte) * 1000:.1f} "
        f"| {median / medians[0]:.2f} | {project.changed_bytes:,} | {project.sent_bytes:,} "
        f"| {project.wire:.2f} |"
        for project, each, median in zip(projects, times, medians, strict=True)
    ]
    return lines, medians[-1] / medians[0]


def main() -> None:
    """Compare, print, and say by the exit code whether the goal was kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--most", type=float, default=3.0)
    parser.add_argument("--pause", type=float, default=1.0)
    parser.add_argument("--write", action="store_true", help="into docs/benchmarks.md")
    options = parser.parse_args()
    columns = (
        *("", "files", "create, ms", "first byte, ms", "least", "of the smaller"),
        *("bytes changed", "bytes sent", "of what may be"),
    )
    lines = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    goals: list[Goal] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        RunningSubhosting(Path(folder) / "data") as server,
    ):
        platform = Platform(
            name="embedded",
            api_url=f"{server.api_url}/v1",
            token=server.token,
            organization=server.organization,
            previews_url=f"http://*.localhost:{server.previews_port}",
            dialect=Dialect.EMBEDDED,
        )
        target = SubhostingV1Target(platform, SystemClock())
        for kind in FIRST:
            projects = [Project(kind, files_total, target, server) for files_total in SIZES]
            for project in projects:
                project.deploy()
            for name, pause_s in ((kind, options.pause), (f"{kind}, at once", 0.0)):
                times = redeployed(projects, options.rounds, pause_s)
                found, ratio = lines_of(name, projects, times)
                lines += found
                goals.append(
                    Goal(
                        found=f"{name}: {ratio:.2f} times the time of {SIZES[0]} files",
                        wanted=f"at most {options.most:g}",
                        kept=ratio <= options.most,
                    )
                )
            wire = max(project.wire for project in projects)
            goals.append(
                Goal(
                    found=f"{kind}: {wire:.2f} of the bytes that may be sent",
                    wanted="at most 1",
                    kept=wire <= 1,
                )
            )
        target.close()
    text = "\n".join([*lines, "", goals_text(goals)])
    print(text)
    if options.write:
        about = f"{CHANGED} files changed a push; medians of {options.rounds} pushes, interleaved."
        keep("bench-redeploy-embedded", about, text)
    raise SystemExit(status(goals))


if __name__ == "__main__":
    main()
