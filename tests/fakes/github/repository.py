"""A repository of the fake: a real bare git repository, spoken to in sentences."""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.kernel.processes import built_environment

NO_COMMIT = "0" * 40

# Fixed dates make commit ids repeatable; each commit is a second later than the one before it.
FIRST_COMMIT_AT = 1_795_000_000

_MODES = {"file": "100644", "executable": "100755", "symlink": "120000", "submodule": "160000"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A path that is more than a plain file."""

    kind: str  # "executable", "symlink" or "submodule"
    content: bytes | str  # the bytes, the link's target, or the submodule's commit


@dataclass(slots=True, kw_only=True)
class FakeRepository:
    """A repository as its owner sees it."""

    id: int
    full_name: str
    private: bool
    default_branch: str
    path: Path  # the bare repository
    commits_made: int = 0

    @property
    def owner(self) -> str:
        return self.full_name.split("/", 1)[0]

    @property
    def name(self) -> str:
        return self.full_name.split("/", 1)[1]

    def commit(
        self,
        files: Mapping[str, bytes | str | Entry | None],
        *,
        branch: str = "main",
        message: str = "Change some files",
        parent: str | None = None,
        orphan: bool = False,
    ) -> str:
        """Put `files` (None deletes) on top of `parent`, or of the branch, and move the branch.

        A `parent` that is not the branch's head is a force-push. Returns the new commit.
        """
        self.commits_made += 1
        base = None if orphan else parent or self.head(branch)
        stream = self._stream(files, branch, message, base)
        self.git("fast-import", "--quiet", "--force", stdin=stream)
        head = self.head(branch)
        assert head is not None
        return head

    def _stream(
        self,
        files: Mapping[str, bytes | str | Entry | None],
        branch: str,
        message: str,
        base: str | None,
    ) -> bytes:
        ref = f"refs/heads/{branch}".encode()
        when = FIRST_COMMIT_AT + self.commits_made
        text = message.encode()
        parts = [
            b"commit %s\n" % ref,
            b"author Octo Cat <octocat@example.com> %d +0000\n" % when,
            b"committer Octo Cat <octocat@example.com> %d +0000\n" % when,
            b"data %d\n%s\n" % (len(text), text),
        ]
        if base is not None:
            parts.append(b"from %s\n" % base.encode())
        elif self.head(branch) is not None:  # an orphan on an existing branch starts anew
            parts[:0] = [b"reset %s\n\n" % ref]
        parts += [_change(path, content) for path, content in files.items()]
        return b"".join([*parts, b"\n"])

    def head(self, branch: str) -> str | None:
        """Return what `branch` points at."""
        return self.resolve(f"refs/heads/{branch}")

    def resolve(self, ref: str) -> str | None:
        """Return the commit that `ref` (a full ref) points at."""
        listed = self.git("for-each-ref", "--format=%(refname) %(objectname)", check=False)
        for line in listed.split("\n"):  # a branch may have other line ends in its name
            name, _, sha = line.rpartition(" ")
            if name == ref:
                return sha
        return None

    def has_commit(self, sha: str) -> bool:
        """Say whether the commit exists here, reachable or not."""
        return self.git("cat-file", "-t", sha, check=False).strip() == "commit"

    def contains(self, ancestor: str, descendant: str) -> bool:
        """Say whether `ancestor` is in the history of `descendant`."""
        found = self.git("rev-list", descendant, check=False).split()
        return ancestor in found

    def move_branch(self, branch: str, sha: str) -> None:
        """Point `branch` at `sha`, wherever it was."""
        self.git("update-ref", f"refs/heads/{branch}", sha)

    def delete_branch(self, branch: str) -> None:
        """Delete `branch`."""
        self.git("update-ref", "-d", f"refs/heads/{branch}")

    def forget_unreachable(self) -> None:
        """Drop every object that no ref reaches, as GitHub does some day after a force-push."""
        self.git("reflog", "expire", "--expire=now", "--all")
        self.git("gc", "--quiet", "--prune=now")

    def git(self, *arguments: str, stdin: bytes = b"", check: bool = True) -> str:
        """Run git in the bare repository and return what it printed."""
        done = subprocess.run(
            ["git", "--git-dir", str(self.path), *arguments],
            input=stdin,
            capture_output=True,
            check=False,
            env=git_environment(self.path.parent),
        )
        if check and done.returncode != 0:
            msg = f"git {arguments} in {self.path}: {done.stderr.decode(errors='replace')}"
            raise AssertionError(msg)
        return done.stdout.decode(errors="surrogateescape")


def git_environment(home: Path) -> dict[str, str]:
    """Return the closed environment in which the fake runs git."""
    return built_environment(
        HOME=str(home),
        GIT_CONFIG_NOSYSTEM="1",
        GIT_CONFIG_GLOBAL="/dev/null",
        GIT_TERMINAL_PROMPT="0",
    )


def _change(path: str, content: bytes | str | Entry | None) -> bytes:
    if content is None:
        return b"D %s\n" % _quoted(path)
    if not isinstance(content, Entry):
        content = Entry(kind="file", content=content)
    mode = _MODES[content.kind].encode()
    raw = content.content.encode() if isinstance(content.content, str) else content.content
    if content.kind == "submodule":
        return b"M %s %s %s\n" % (mode, raw, _quoted(path))
    return b"M %s inline %s\ndata %d\n%s\n" % (mode, _quoted(path), len(raw), raw)


def _quoted(path: str) -> bytes:
    """Quote as fast-import wants it: C style, so that a newline in a name survives."""
    escaped = path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return b'"%s"' % escaped.encode()
