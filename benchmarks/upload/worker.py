"""The part of the worker that uploads, in a process of its own whose memory can be told apart.

Prints one JSON line a round: the seconds of `git cat-file` and of the upload, in turns, and then
one with the memory.
"""

import argparse
import json
import subprocess
import time
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.upload.site import ENVIRONMENT, REPOSITORY, source_of
from bot.adapters.git.source import GitSource
from bot.adapters.targets.deploy_v2 import DeployV2Target, Platform
from bot.core.model.ids import AppSlug, BlobSha, Branch, CommitSha, DeploymentId
from bot.core.model.manifest import Manifest
from bot.kernel.clock import SystemClock
from bot.kernel.contents import Content
from bot.ports.target import Order


@dataclass(frozen=True, kw_only=True)
class Round:
    """One turn."""

    cat_file_s: float
    upload_s: float
    bytes_sent: int


@dataclass(frozen=True, kw_only=True)
class Memory:
    """Of this process; git's is git's."""

    idle_bytes: int
    peak_bytes: int


def main() -> None:
    """Do it as often as asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mirrors", type=Path, required=True)
    parser.add_argument("--git-url", required=True)
    parser.add_argument("--api-url", required=True)
    parser.add_argument("--commit", required=True)
    parser.add_argument("--rounds", type=int, required=True)
    options = parser.parse_args()
    source = source_of(options.mirrors, options.git_url)
    platform = Platform(
        name="deploy-v2",
        api_url=options.api_url,
        token="ddo_bench",  # noqa: S106 - nobody's
        previews_url="https://*.bench.example",
    )
    target = DeployV2Target(platform, SystemClock())
    commit = CommitSha(options.commit)
    _fetch_everything(source, commit)
    _forget_peak()
    idle = _status_bytes("VmRSS")
    manifest = source.manifest(REPOSITORY, commit)
    mirror = next(path.parent for path in options.mirrors.rglob("HEAD"))
    for number in range(options.rounds):
        print(json.dumps(asdict(_round(source, target, manifest, mirror, number))), flush=True)
    peak = _status_bytes("VmHWM")
    print(json.dumps(asdict(Memory(idle_bytes=idle, peak_bytes=peak))), flush=True)
    target.close()
    source.close()


def _fetch_everything(source: GitSource, commit: CommitSha) -> None:
    """Have the mirror hold every blob, as after the branch's first deploy."""
    source.fetch(REPOSITORY, commit)
    for _ in source.blobs(REPOSITORY, source.manifest(REPOSITORY, commit).blobs()):
        pass


def _round(
    source: GitSource, target: DeployV2Target, manifest: Manifest, mirror: Path, number: int
) -> Round:
    blobs = manifest.blobs()
    cat_file_s = _cat_file_s(mirror, blobs)

    def read(wanted: Collection[BlobSha]) -> Iterator[tuple[BlobSha, Content]]:
        return source.blobs(REPOSITORY, wanted)

    order = Order(
        project=AppSlug("site"),
        branch_app=AppSlug("site--main"),
        repository=REPOSITORY,
        branch=Branch("main"),
        key=DeploymentId(f"d{number:011d}"),
        manifest=manifest,
        entrypoint="main.ts",
        known=frozenset(),
    )
    started = time.perf_counter()
    made = target.create(order, read)
    upload_s = time.perf_counter() - started
    return Round(cat_file_s=cat_file_s, upload_s=upload_s, bytes_sent=made.transfer.bytes_sent)


def _cat_file_s(mirror: Path, blobs: Collection[BlobSha]) -> float:
    """Return how long git takes to throw the same contents away."""
    asked = "".join(f"{sha1}\n" for sha1 in blobs).encode()
    started = time.perf_counter()
    subprocess.run(
        ["git", "cat-file", "--batch", "--buffer"],
        cwd=mirror,
        env=ENVIRONMENT,
        input=asked,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return time.perf_counter() - started


def _forget_peak() -> None:
    """Let VmHWM begin at the present: proc(5), clear_refs."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _status_bytes(name: str) -> int:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise LookupError(name)


if __name__ == "__main__":
    main()
