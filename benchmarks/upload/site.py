"""A repository with a site of a given weight, and a mirror of it that has everything."""

import random
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bot.adapters.git.source import GitSource
from bot.core.model.ids import Branch, CommitSha, RepoName, Repository, RepositoryId
from bot.kernel.processes import built_environment

NAME = RepoName("acme/site")
REPOSITORY = Repository(id=RepositoryId(1), name=NAME, default_branch=Branch("main"))

# By bytes: mostly sources, some pictures, and one file of a twelfth of everything.
_BINARY_SHARE = 0.10
_LARGE_SHARE = 0.08
_TEXT_BYTES = (1_000, 20_000)
_PICTURE_BYTES = (20_000, 200_000)

_CODE = Path(__file__).parents[2] / "bot"

ENVIRONMENT = built_environment(
    GIT_CONFIG_NOSYSTEM="1", GIT_CONFIG_GLOBAL="/dev/null", HOME="/nonexistent"
)


def git(*arguments: str, cwd: Path, stdin: bytes | None = None) -> bytes:
    """Return what git prints, with nobody's configuration."""
    return subprocess.run(
        ["git", *arguments], cwd=cwd, env=ENVIRONMENT, input=stdin, check=True, capture_output=True
    ).stdout


@dataclass(frozen=True, kw_only=True)
class Site:
    """A commit with `files` files of `total_bytes` in all, below `served` for a git server."""

    served: Path
    commit: CommitSha
    files: int
    total_bytes: int


def make_site(served: Path, total_bytes: int, *, one_file: bool = False) -> Site:
    """Make the repository `acme/site.git` below `served`, the same at every run.

    `one_file`: all of its weight is in one, of text, which has to be read to its end before it is
    known to be that.
    """
    bare = served / f"{NAME}.git"
    bare.mkdir(parents=True)
    git("init", "--quiet", "--bare", "--initial-branch=main", cwd=bare)
    dice = random.Random(7)  # noqa: S311 - the same files every time
    contents = {"main.ts": b"Deno.serve(() => new Response());\n"}
    left = 0 if one_file else total_bytes
    if one_file:
        contents["data.ts"] = _text(dice, total_bytes)
    while left > 0:
        content = _content(dice, len(contents), left=left, total=total_bytes)
        contents[f"d{len(contents) % 100}/f{len(contents)}"] = content
        left -= len(content)
    lines = [b"commit refs/heads/main\ncommitter A <a@example.com> 1 +0000\ndata 1\nx\n"]
    for path, content in contents.items():
        lines.append(b"M 100644 inline %b\ndata %d\n" % (path.encode(), len(content)))
        lines.append(content + b"\n")
    git("fast-import", "--quiet", cwd=bare, stdin=b"".join(lines))
    # As hosts keep repositories. An import's own pack is made of long chains of differences from
    # file to file, and how long it takes to read depends on the order: 0.5 to 0.8 s for the same.
    git("repack", "-adfq", cwd=bare)
    commit = CommitSha(git("rev-parse", "refs/heads/main", cwd=bare).decode().strip())
    weight = sum(map(len, contents.values()))
    return Site(served=served, commit=commit, files=len(contents), total_bytes=weight)


def source_of(mirrors: Path, url: str) -> GitSource:
    """Return the bot's own source over a git server that wants no password."""
    return GitSource(mirrors, url, lambda _: None)


def _content(dice: random.Random, number: int, *, left: int, total: int) -> bytes:
    if number == 1:
        size = int(total * _LARGE_SHARE)
        return _text(dice, size)
    if dice.random() < _share_of_pictures():
        return dice.randbytes(min(left, dice.randint(*_PICTURE_BYTES)))
    return _text(dice, min(left, dice.randint(*_TEXT_BYTES)))


def _share_of_pictures() -> float:
    """Return how many of the files are pictures, so that `_BINARY_SHARE` of the bytes are."""
    text, picture = sum(_TEXT_BYTES) / 2, sum(_PICTURE_BYTES) / 2
    return _BINARY_SHARE * text / (picture + _BINARY_SHARE * (text - picture))


def _text(dice: random.Random, size: int) -> bytes:
    """Return so many bytes of source code, put together from runs of our own lines."""
    code = _code()
    parts: list[bytes] = []
    left = size
    while left > 0:
        start = dice.randrange(len(code))
        parts.append(b"".join(code[start : start + dice.randint(3, 12)])[:left])
        left -= len(parts[-1])
    return b"".join(parts)


@cache
def _code() -> list[bytes]:
    lines: list[bytes] = []
    for path in sorted(_CODE.rglob("*.py")):
        lines += path.read_bytes().splitlines(keepends=True)
    return lines
