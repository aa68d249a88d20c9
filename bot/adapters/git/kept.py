"""The refs under which a mirror keeps what was fetched for its own sake; files, and no git."""

from pathlib import Path

from bot.core.model.ids import CommitSha

# Under refs/heads because servers and other implementations treat odd places oddly (dulwich
# refetched 51 MB when its refs stood elsewhere).
KEPT = "refs/heads/k"


def ref_of(commit: CommitSha) -> str:
    """Return the ref for `commit`."""
    return f"{KEPT}/{commit[:12]}"


def keeps(mirror: Path, commit: CommitSha) -> bool:
    """Tell whether `commit` was fetched for its own sake, and was whole then."""
    ref = mirror / ref_of(commit)
    return ref.is_file() and ref.read_text().strip() == commit


def keep(mirror: Path, commit: CommitSha) -> None:
    """Write the ref of a commit that is there, never seen half-written."""
    ref = mirror / ref_of(commit)
    fresh = ref.with_name(f"{ref.name}.new")
    fresh.write_text(f"{commit}\n")
    fresh.replace(ref)


def newest(mirror: Path, most: int) -> list[str]:
    """Return the commits that were fetched last, newest first; none before the first fetch."""
    kept = [(ref.stat().st_mtime, ref) for ref in (mirror / KEPT).glob("*[0-9a-f]")]
    if not kept:
        return _packed(mirror / "packed-refs")[:most]
    return [ref.read_text().strip() for _, ref in sorted(kept, reverse=True)[:most]]


def _packed(file: Path) -> list[str]:
    """Return the commits in git's file of packed refs, newest names last as they stand there."""
    lines = file.read_text().splitlines() if file.is_file() else []
    return [line.split()[0] for line in lines if KEPT in line]
