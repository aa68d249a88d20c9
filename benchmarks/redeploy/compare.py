"""What a push of three changed files costs until the platform has it: ours beside the peers.

`make bench-redeploy`; options: --rounds 5 --files 2000 10000 --write (into docs/benchmarks.md).

All talk to stubs on loopback that accept at once and know what they were sent. Interleaved: every
round changes three files of the small site and visits all of them, and then of the large one.

- *worker*: fetch of the commit, manifest, create; in a process that runs already, as in the bot;
- *command*: `previewbot deploy` as the Action installs it, a new process over a checkout;
- the peers: a new process over the same checkout;
- *clone*: `git clone --depth=1` with its checkout, and a hash of every file.

A peer's time ends with its last request, because some wait for seconds after it. One that is not
installed, or that cannot be brought to deploy to its stub, is listed with what was tried. The exit
code is 1 when a goal is missed.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.document import goals_text, keep, status
from benchmarks.git.compare import CHANGED, NAME, REPOSITORY, Author, git
from benchmarks.redeploy.certificate import write_certificate
from benchmarks.redeploy.peers import INSTALLING, PEERS, Peer, run, tried
from benchmarks.redeploy.report import Absent, Row, goals_of, growth_of_others, table
from benchmarks.redeploy.stubs import Ours, Stub, serving
from bot.adapters.git.directory import DirectorySource
from bot.adapters.git.source import GitSource
from bot.adapters.targets.subhosting_v1 import Dialect, Platform, SubhostingV1Target
from bot.core.model.ids import AppSlug, BlobSha, Branch, CommitSha, DeploymentId
from bot.kernel.clock import SystemClock
from bot.ports.source import KnownManifest
from bot.ports.target import Base, Order
from tests.fakes.smart_http import serving_git

WORKER, COMMAND, CLONE = "previewbot, worker", "previewbot, command", "clone, checkout, hash"


@dataclass(slots=True)
class Contender:
    """One way to deploy: `deploy` does it and returns the seconds."""

    name: str
    deploy: Callable[[CommitSha], float]
    stub: Stub | None
    version: str = ""
    peer: Peer | None = None
    seconds: list[float] = field(default_factory=list)
    bytes_up: list[int] = field(default_factory=list)
    requests: list[int] = field(default_factory=list)

    def measure(self, commit: CommitSha) -> None:
        """Deploy once and note what it took."""
        if self.stub is not None:
            self.stub.forget_counts()
        self.seconds.append(self.deploy(commit))
        if self.stub is not None:
            self.bytes_up.append(self.stub.bytes_up)
            self.requests.append(len(self.stub.requests))

    def row(self) -> Row:
        """Return the medians."""
        return Row(
            name=self.name,
            version=self.version,
            seconds=statistics.median(self.seconds),
            bytes_up=int(statistics.median(self.bytes_up)) if self.bytes_up else None,
            requests=int(statistics.median(self.requests)) if self.requests else None,
        )


class Worker:
    """The worker's own parts, as its pipeline calls them for a push."""

    def __init__(self, folder: Path, git_url: str, port: int) -> None:
        clock = SystemClock()
        self._source = GitSource(folder / "mirrors", git_url, lambda _: None)
        platform = Platform(
            name="stub",
            api_url=f"http://127.0.0.1:{port}/v1",
            token="ddo_stub",  # noqa: S106 - the stub takes any
            organization="org",
            previews_url=f"http://*.localhost:{port}",
            dialect=Dialect.EMBEDDED,
        )
        self._target = SubhostingV1Target(platform, clock)
        self._known: KnownManifest | None = None
        self._sent: set[BlobSha] = set()
        self._base: Base | None = None

    def deploy(self, commit: CommitSha) -> float:
        """Return the seconds from a known push to an accepted create."""
        started = time.monotonic()
        self._source.fetch(REPOSITORY, commit)
        manifest = self._source.manifest(REPOSITORY, commit, self._known)
        order = Order(
            project=AppSlug("site"),
            branch_app=AppSlug("site"),
            repository=REPOSITORY,
            branch=Branch("main"),
            key=DeploymentId(commit[:20]),
            manifest=manifest,
            entrypoint="index.html",
            known=self._sent,
            base=self._base,
        )
        made = self._target.create(order, lambda wanted: self._source.blobs(REPOSITORY, wanted))
        took_s = time.monotonic() - started
        self._known = KnownManifest(commit=commit, manifest=manifest)
        self._sent |= manifest.blobs()
        self._base = Base(deployment=made.id, manifest=manifest)
        return took_s

    def close(self) -> None:
        """Close the connections."""
        self._source.close()
        self._target.close()


def command(site: Path, home: Path, stub: Stub) -> float:
    """Run `previewbot deploy` and return the seconds to its last request."""
    started = time.monotonic()
    address = f"127.0.0.1:{stub.port}"
    subprocess.run(
        [Path(sys.prefix, "deploy", "bin", "previewbot"), "deploy", site, "--branch", "main"],
        env={
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": str(home),
            "PREVIEWBOT_TARGET": "embedded",
            "PREVIEWBOT_TARGET_URL": f"http://{address}",
            "PREVIEWBOT_TARGET_TOKEN": "ddo_stub",
            "PREVIEWBOT_TARGET_ORGANIZATION": "org",
            "PREVIEWBOT_PREVIEWS_URL": f"http://*.localhost:{stub.port}",
        },
        check=True,
        capture_output=True,
    )
    return stub.last_s - started


def clone(url: str, folder: Path) -> float:
    """Clone as a workflow does, hash every file, and return the seconds."""
    with tempfile.TemporaryDirectory(dir=folder) as fresh:
        started = time.monotonic()
        git("clone", "--quiet", "--depth=1", url, f"{fresh}/site", cwd=folder)
        DirectorySource(Path(fresh, "site")).manifest(REPOSITORY, CommitSha(""))
        return time.monotonic() - started


@contextmanager
def contenders(folder: Path, author: Author) -> Iterator[list[Contender]]:
    """Yield all that are installed, each with a stub that will know the whole site."""
    site, home = folder / "site", folder / "home"
    home.mkdir()
    git("clone", "--quiet", str(author.bare), str(site), cwd=folder)
    (site / ".vercel").mkdir()
    (site / ".vercel" / "project.json").write_text('{"orgId":"team_1","projectId":"prj_1"}')
    (site / ".git" / "info" / "exclude").write_text(".vercel\nnode_modules\n")
    certificate = folder / "stub.pem"
    write_certificate(certificate)
    with ExitStack() as stack:
        server = stack.enter_context(serving_git(author.bare.parents[1]))
        found = [_worker(folder, server.url, stack), _command(site, home, stack)]
        found += [
            _peer(each, site, home, certificate, stack) for each in PEERS if each.path.exists()
        ]
        url = f"{server.url}/{NAME}.git"
        found.append(Contender(CLONE, lambda _: clone(url, folder), None))
        yield found


def _worker(folder: Path, git_url: str, stack: ExitStack) -> Contender:
    stub = Ours()
    worker = Worker(folder, git_url, stack.enter_context(serving(stub)))
    stack.callback(worker.close)
    return Contender(WORKER, worker.deploy, stub)


def _command(site: Path, home: Path, stack: ExitStack) -> Contender:
    stub = Ours()
    stack.enter_context(serving(stub))
    return Contender(COMMAND, lambda _: command(site, home, stub), stub)


def _peer(peer: Peer, site: Path, home: Path, certificate: Path, stack: ExitStack) -> Contender:
    stub = peer.stub()
    port = stack.enter_context(serving(stub, certificate if peer.tls else None))

    def deploy(_: CommitSha) -> float:
        started = time.monotonic()
        run(peer, site, home, port, certificate)
        return stub.last_s - started

    return Contender(peer.name, deploy, stub, peer.version, peer)


def absent() -> list[Absent]:
    """Return the peers that are not installed."""
    return [Absent(name=each.name, reason=INSTALLING) for each in PEERS if not each.path.exists()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Race:
    """A site, and all who deploy it."""

    author: Author
    checkout: Path
    running: list[Contender]

    def round(self) -> None:
        """Let everybody deploy a change."""
        head = self.author.change()
        git("pull", "--quiet", cwd=self.checkout)
        for each in self.running:
            each.measure(head)


@contextmanager
def race(folder: Path, files: int, stuck: dict[str, Absent]) -> Iterator[Race]:
    """Yield the race of a site of so many files, which all have deployed once.

    Those whose first deploy fails are put into `stuck` by name, and go no further.
    """
    author = Author(folder / "server", files)
    head = author.push(["index.html"])
    with contenders(folder, author) as all_:
        running = [each for each in all_ if _seeded(each, head, stuck)]
        yield Race(author=author, checkout=folder / "site", running=running)


def measured(sizes: Sequence[int], rounds: int, stuck: dict[str, Absent]) -> dict[int, list[Row]]:
    """Return the medians of all contenders by the size of the site."""
    with tempfile.TemporaryDirectory(prefix="bench-redeploy-") as name, ExitStack() as stack:
        races = {
            files: stack.enter_context(race(Path(name, str(files)), files, stuck))
            for files in sizes
        }
        for _ in range(rounds):
            for each in races.values():
                each.round()
        return {files: [one.row() for one in each.running] for files, each in races.items()}


def _seeded(contender: Contender, head: CommitSha, stuck: dict[str, Absent]) -> bool:
    """Let a stub know the whole site; tell whether its contender can be measured."""
    stub = contender.stub
    if stub is None:
        return True
    stub.seeding = True
    try:
        contender.deploy(head)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        if contender.peer is None:
            raise
        reason = tried(contender.peer, stub.port, error)
    else:
        if stub.requests:
            stub.seeding = False
            return True
        reason = tried(contender.peer, stub.port, None) if contender.peer is not None else ""
    stuck[contender.name] = Absent(name=f"{contender.name} {contender.version}", reason=reason)
    return False


def main() -> None:
    """Compare, print, with --write keep, and say by the exit code whether the goals were kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--files", type=int, nargs="+", default=[2_000, 10_000])
    parser.add_argument("--write", action="store_true", help="into docs/benchmarks.md")
    options = parser.parse_args()
    stuck: dict[str, Absent] = {}
    found = measured(options.files, options.rounds, stuck)
    goals = goals_of(found, worker=WORKER, command=COMMAND)
    parts = (
        table(found, [*absent(), *stuck.values()], worker=WORKER),
        goals_text(goals),
        growth_of_others(found, (WORKER, COMMAND)),
    )
    text = "\n\n".join(part for part in parts if part)
    print(text)
    if options.write:
        about = f"{CHANGED} files changed a push; medians of {options.rounds} pushes, interleaved."
        keep("bench-redeploy", about, text)
    raise SystemExit(status(goals))


if __name__ == "__main__":
    main()
