"""The demo's two git repositories: the bare one that we serve, and somebody's working copy."""

import shutil
import subprocess
from pathlib import Path

from bot.core.model.ids import Branch, CommitSha
from bot.kernel.processes import built_environment

# In a checkout the examples stand beside the package; a wheel carries them inside.
_PACKAGE = Path(__file__).resolve().parents[1]
EXAMPLE = next(
    (path for path in (_PACKAGE / "examples/hello", _PACKAGE.parent / "examples/hello")
     if path.is_dir()),
    _PACKAGE / "examples/hello",
)  # fmt: skip

GREETING = Path("lib/greeting.ts")


class WorkingCopy:
    """A person's clone, driven by real git."""

    def __init__(self, folder: Path, remote: Path) -> None:
        """Make the clone from the example app, with one commit on `main`."""
        self.folder = folder
        shutil.copytree(EXAMPLE, folder)
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("remote", "add", "origin", str(remote))
        self.commit("Say hello")

    def git(self, *words: str) -> str:
        """Run git in the clone with no configuration but ours, and return what it said."""
        environment = built_environment(
            HOME=str(self.folder.parent),
            GIT_CONFIG_NOSYSTEM="1",
            GIT_TERMINAL_PROMPT="0",
            GIT_AUTHOR_NAME="Ada",
            GIT_AUTHOR_EMAIL="ada@example.com",
            GIT_COMMITTER_NAME="Ada",
            GIT_COMMITTER_EMAIL="ada@example.com",
        )
        done = subprocess.run(  # noqa: S603 - git, with words of ours
            ["git", *words],  # noqa: S607 - the git that preflight found
            cwd=self.folder,
            env=environment,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout

    def branch(self, name: Branch) -> None:
        """Start a branch here."""
        self.git("switch", "--quiet", "--create", name)

    def greet(self, greeting: str) -> None:
        """Change the one file that says hello, and commit it."""
        (self.folder / GREETING).write_text(f'export const greeting = "{greeting}";\n')
        self.commit(f"Say {greeting}")

    def commit(self, message: str) -> None:
        """Commit everything."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)

    def head(self) -> CommitSha:
        """Return the present commit."""
        return CommitSha(self.git("rev-parse", "HEAD").strip())

    def push(self, branch: Branch) -> None:
        """Push; returns when the hook in the bare repository has posted the delivery."""
        self.git("push", "--quiet", "origin", f"HEAD:refs/heads/{branch}")
