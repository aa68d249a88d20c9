"""What it costs to get a pushed commit and its manifest: ours, the limit, and plain git.

For every push three files of 10,000 are replaced. Interleaved, so that a busy moment hits all:

- *limit*: one POST on an open connection, want and have known, the pack thrown away;
- *ours*: `GitSource.fetch` and the manifest patched from the one before;
- *git*: `git fetch <commit>` into a full mirror and `git diff-tree`.

Once on loopback and once through a proxy that adds 30 ms of round trip.
"""

import argparse
import random
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.document import Goal, goals_text, keep, status
from benchmarks.git.far import far_away
from bot.adapters.git.one_post import OnePost
from bot.adapters.git.source import GitSource
from bot.core.model.ids import Branch, CommitSha, RepoName, Repository, RepositoryId
from bot.kernel.processes import built_environment
from bot.ports.source import KnownManifest
from tests.fakes.smart_http import GitServer, serving_git

FILES = 10_000
CHANGED = 3
ROUND_TRIP_S = 0.030
NAME = RepoName("acme/site")
REPOSITORY = Repository(id=RepositoryId(1), name=NAME, default_branch=Branch("main"))

# Of the limit through the slow line; of a `git --version`.
MOST_OF_LIMIT_FAR, MOST_OF_SPAWN = 1.3, 2.0
LOOPBACK, FAR = "loopback", "30 ms away"

ENVIRONMENT = built_environment(
    GIT_CONFIG_NOSYSTEM="1", GIT_CONFIG_GLOBAL="/dev/null", HOME="/nonexistent"
)


def git(*arguments: str, cwd: Path, stdin: bytes | None = None) -> bytes:
    """Return what git prints, with nobody's configuration."""
    return subprocess.run(
        ["git", *arguments], cwd=cwd, env=ENVIRONMENT, input=stdin, check=True, capture_output=True
    ).stdout


class Author:
    """Makes the repository and pushes to it."""

    def __init__(self, folder: Path, files: int = FILES) -> None:
        self._files = files
        self.bare = folder / f"{NAME}.git"
        self.bare.mkdir(parents=True)
        git("init", "--quiet", "--bare", "--initial-branch=main", cwd=self.bare)
        self._dice = random.Random(7)  # noqa: S311 - the same files every time
        self._made = 0
        self.push([f"d{n % 100}/f{n}.txt" for n in range(files)])

    def push(self, paths: list[str]) -> CommitSha:
        """Replace the content of `paths` in a new commit."""
        self._made += 1
        lines = [
            b"commit refs/heads/main\n",
            b"committer A <a@example.com> %d +0000\n" % self._made,
        ]
        lines.append(b"data 1\nx\n")
        if self._made > 1:
            lines.append(b"from refs/heads/main^0\n")
        for path in paths:
            content = self._dice.randbytes(2048).hex().encode()
            lines.append(b"M 100644 inline %b\ndata %d\n" % (path.encode(), len(content)))
            lines.append(content + b"\n")
        git("fast-import", "--quiet", "--force", cwd=self.bare, stdin=b"".join(lines))
        return CommitSha(git("rev-parse", "refs/heads/main", cwd=self.bare).decode().strip())

    def change(self) -> CommitSha:
        """Replace as many files as a push changes."""
        numbers = self._dice.sample(range(self._files), CHANGED)
        return self.push([f"d{n % 100}/f{n}.txt" for n in numbers])


def timed(do: Callable[[], object]) -> float:
    """Return the seconds that `do` took."""
    started = time.perf_counter()
    do()
    return time.perf_counter() - started


@dataclass
class Rig:
    """The three ways to one server."""

    folder: Path
    url: str

    def __post_init__(self) -> None:
        self.post = OnePost(self.url)
        self.source = GitSource(self.folder / "mirrors", self.url, lambda _: None)
        self.full = self.folder / "full.git"
        git(
            "clone", "--quiet", "--bare", f"{self.url}/{NAME}.git", str(self.full), cwd=self.folder
        )
        self.known: KnownManifest | None = None

    def limit(self, commit: CommitSha, before: CommitSha) -> None:
        """Ask for the pack and throw it away."""
        with self.post.pack(f"{self.url}/{NAME}.git", None, commit, [before]) as pieces:
            for _ in pieces:
                pass

    def fetch(self, commit: CommitSha) -> None:
        """Get the commit as the worker does."""
        self.source.fetch(REPOSITORY, commit)

    def manifest(self, commit: CommitSha) -> None:
        """Read its files as the worker does."""
        found = self.source.manifest(REPOSITORY, commit, self.known)
        self.known = KnownManifest(commit=commit, manifest=found)

    def plain(self, commit: CommitSha, before: CommitSha) -> None:
        """Do both as a script would."""
        git("fetch", "--quiet", "origin", commit, cwd=self.full)
        git("diff-tree", "-r", "-z", "--no-renames", before, commit, cwd=self.full)

    def close(self) -> None:
        """Close the connections."""
        self.post.close()
        self.source.close()


@dataclass(frozen=True, kw_only=True)
class Medians:
    """Milliseconds."""

    limit: float
    ours: float
    plain: float
    manifest: float
    spawn: float
    lazy: int  # requests that git made by itself in our mirror


def measured(author: Author, server: GitServer, rig: Rig, rounds: int) -> Medians:
    """Push `rounds` times and time all ways, in turns."""
    before = CommitSha(git("rev-parse", "refs/heads/main", cwd=author.bare).decode().strip())
    for warm in (rig.fetch, rig.manifest):
        warm(before)
    limits, ours, plains, manifests, spawns = [], [], [], [], []
    lazy = 0
    for _ in range(rounds):
        commit = author.change()
        limits.append(timed(partial(rig.limit, commit, before)))
        asked = len(server.asked)
        fetch = timed(partial(rig.fetch, commit))
        manifests.append(timed(partial(rig.manifest, commit)))
        lazy += sum(each.startswith("git ") for each in server.asked[asked:])
        ours.append(fetch + manifests[-1])
        plains.append(timed(partial(rig.plain, commit, before)))
        spawns.append(timed(partial(git, "--version", cwd=rig.folder)))
        before = commit

    def median_ms(times: list[float]) -> float:
        return statistics.median(times) * 1000

    return Medians(
        limit=median_ms(limits),
        ours=median_ms(ours),
        plain=median_ms(plains),
        manifest=median_ms(manifests),
        spawn=median_ms(spawns),
        lazy=lazy,
    )


def table(by_distance: dict[str, Medians]) -> str:
    """Return the figures in Markdown, each ratio beside what it is of."""
    columns = [
        *("", "limit, ms", "ours, ms", "of the limit", "`git fetch`, ms", "of `git fetch`"),
        *("manifest, ms", "of `git --version`", "lazy fetches"),
    ]
    lines = [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    lines += [
        f"| {name} | {m.limit:.1f} | {m.ours:.1f} | {m.ours / m.limit:.2f} | {m.plain:.1f} "
        f"| {m.ours / m.plain:.2f} | {m.manifest:.1f} | {m.manifest / m.spawn:.2f} | {m.lazy} |"
        for name, m in by_distance.items()
    ]
    return "\n".join(lines)


def goals_of(found: dict[str, Medians]) -> list[Goal]:
    """Return what the figures say about the goals."""
    far = found[FAR]
    of_limit = far.ours / far.limit
    of_spawn = {name: medians.manifest / medians.spawn for name, medians in found.items()}
    lazy = sum(medians.lazy for medians in found.values())
    return [
        Goal(
            found=f"{FAR}: {of_limit:.2f} of the limit",
            wanted=f"at most {MOST_OF_LIMIT_FAR}",
            kept=of_limit <= MOST_OF_LIMIT_FAR,
        ),
        *(
            Goal(
                found=f"{name}: the manifest takes {ratio:.2f} of `git --version`",
                wanted=f"at most {MOST_OF_SPAWN:.0f}",
                kept=ratio <= MOST_OF_SPAWN,
            )
            for name, ratio in of_spawn.items()
        ),
        Goal(found=f"{lazy} lazy fetches", wanted="0", kept=lazy == 0),
    ]


def main() -> None:
    """Compare, print, with --write keep, and say by the exit code whether the goals were kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--write", action="store_true", help="into docs/benchmarks.md")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        author = Author(folder / "server")
        with serving_git(folder / "server") as server, far_away(server.port, ROUND_TRIP_S) as far:
            found: dict[str, Medians] = {}
            for distance, port in ((LOOPBACK, server.port), (FAR, far)):
                place = folder / distance.split()[0]
                place.mkdir()
                rig = Rig(place, f"http://127.0.0.1:{port}")
                found[distance] = measured(author, server, rig, options.rounds)
                rig.close()
    goals = goals_of(found)
    text = f"{table(found)}\n\n{goals_text(goals)}"
    print(text)
    if options.write:
        changed = f"{FILES:,} files, {CHANGED} changed a push"
        keep("bench-git", f"{changed}; medians of {options.rounds} pushes, interleaved.", text)
    raise SystemExit(status(goals))


if __name__ == "__main__":
    main()
