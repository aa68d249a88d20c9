"""Our reading of patterns and attributes beside git's own."""

import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bot.core.decide.attributes import Attributes
from bot.core.decide.ignoring import PatternList, lines_of, patterns_of
from bot.kernel.processes import built_environment
from tests.integration.git.origin import git

NAMES = st.text("ab.", min_size=1, max_size=3).filter(lambda name: name not in {".", ".."})
PATHS = st.lists(
    st.lists(NAMES, min_size=1, max_size=4).map("/".join), min_size=1, max_size=12, unique=True
)
# Not beside a letter: there git takes a `**` for more than its manual says.
PIECES = st.one_of(
    NAMES,
    st.sampled_from(
        ["*", "?", "**", "a*", "*b", "[ab]", "[!a]", "*.a", "a?b", "*a*b*", r"\a"],
    ),
)
PATTERNS = st.builds(
    lambda start, parts, end: start + "/".join(parts) + end,
    st.sampled_from(["", "", "/"]),
    st.lists(PIECES, min_size=1, max_size=4),
    st.sampled_from(["", "", "/"]),
)
LINES = st.lists(
    st.builds(lambda sign, pattern: sign + pattern, st.sampled_from(["", "", "!"]), PATTERNS),
    max_size=5,
)
STATES = st.sampled_from(
    ["export-ignore", "-export-ignore", "!export-ignore", "filter=lfs", "-filter", "mine", "-mine",
     "export-ignore=x", "text", "filter=other export-ignore"]
)  # fmt: skip
ATTRIBUTES = st.lists(
    st.builds(lambda pattern, states: f"{pattern} {' '.join(states)}",
              PATTERNS, st.lists(STATES, min_size=1, max_size=2)),
    max_size=4,
)  # fmt: skip
MACROS = st.sampled_from(["", "[attr]mine export-ignore", "[attr]mine filter=lfs -export-ignore"])

ASKING = settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture
def worktree(tmp_path: Path) -> Path:
    git("init", "--quiet", ".", cwd=tmp_path)
    return tmp_path


def asked(worktree: Path, arguments: Sequence[str], paths: Sequence[str]) -> list[str]:
    """Return the NUL-terminated words of git's answer about `paths`."""
    done = subprocess.run(
        ["git", *arguments, "-z", "--stdin"],
        cwd=worktree,
        env=built_environment(GIT_CONFIG_NOSYSTEM="1", GIT_CONFIG_GLOBAL="/dev/null"),
        input="".join(f"{path}\0" for path in paths).encode(),
        capture_output=True,
        check=False,
    )
    assert done.stderr in {b"", NEGATIVE}
    return done.stdout.decode().split("\0")[:-1]


NEGATIVE = (
    b"warning: Negative patterns are ignored in git attributes\n"
    b"Use '\\!' for literal leading exclamation.\n"
)


@ASKING
@given(LINES, PATHS)
@example(["a/", "!a/b"], ["a/b", "b/a", "b/a/b"])
@example(["*", "!a", "!a/**"], ["a/b", "b"])
@example(["/**/a", "b/**"], ["a", "b/a/b"])
def test_git_ignores_what_we_ignore(worktree: Path, lines: list[str], paths: list[str]) -> None:
    content = "".join(f"{line}\n" for line in lines)
    (worktree / ".gitignore").write_text(content)
    patterns = PatternList(patterns_of(lines_of(content.encode())))

    ours = [path for path in paths if patterns.fits(path)]

    assert ours == asked(worktree, ["check-ignore", "--no-index"], paths)


@ASKING
@given(MACROS, ATTRIBUTES, ATTRIBUTES, PATHS)
@example("[attr]mine export-ignore", ["* mine", "a -mine"], [], ["a", "b"])
def test_git_sees_the_attributes_that_we_see(
    worktree: Path, macro: str, outer: list[str], inner: list[str], paths: list[str]
) -> None:
    files = {
        ".gitattributes": "".join(f"{line}\n" for line in [macro, *outer]).encode(),
        "a/.gitattributes": "".join(f"{line}\n" for line in inner).encode(),
    }
    (worktree / "a").mkdir(exist_ok=True)
    for path, content in files.items():
        (worktree / path).write_bytes(content)
    both = [each for path in paths for each in (path, f"{path}/")]
    attributes = Attributes(files)

    ours = [word for path in both for word in _said(attributes, path)]

    assert ours == asked(worktree, ["check-attr", "export-ignore", "filter"], both)


def _said(attributes: Attributes, path: str) -> Iterator[str]:
    found = attributes.of(path.removesuffix("/"), is_folder=path.endswith("/"))
    for name in ("export-ignore", "filter"):
        value = found.get(name)
        words = {True: "set", False: "unset", None: "unspecified"}
        yield from (path, name, value if isinstance(value, str) else words[value])
