"""GitPython's command wrapper with a spawn of our own, because GitPython's inherits."""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import git
from git.exc import GitCommandError, GitCommandNotFound

# For commands that only read the disk; the network ones say their own.
LOCAL_TIMEOUT_S = 120.0


class ClosedGit(git.Git):
    """`git.Git` whose children get exactly the environment that was built for them.

    `git.Git.execute` starts from a copy of `os.environ` and can only add to it, so a secret in the
    worker's environment would reach every git child. This class keeps the wrapper (calls as
    methods, its option checks, its errors, its `AutoInterrupt`) and replaces the spawn. With it
    come a group of its own for each child, so that a time-out also ends git's helpers
    (GitPython's looks for them with `ps`), and bytes everywhere, because paths are bytes.
    """

    __slots__ = ()

    def __init__(self, directory: Path, environment: Mapping[str, str]) -> None:
        """Run in `directory` with `environment` and nothing more."""
        super().__init__(directory)
        self.update_environment(**environment)

    # One shape instead of eight overloads; and typing.override is Python 3.12's.
    def execute(  # type: ignore[override, explicit-override]
        self,
        command: list[str],
        istream: IO[bytes] | None = None,
        *,
        as_process: bool = False,
        kill_after_timeout: float = LOCAL_TIMEOUT_S,
    ) -> Any:  # noqa: ANN401 - as in GitPython: the flag decides
        """Run `command`; return its standard output, or with `as_process` the running child.

        Raises:
            GitCommandError: git failed or took longer than `kill_after_timeout` seconds.
            GitCommandNotFound: there is no git on the search path.

        """
        try:
            process = subprocess.Popen(  # noqa: S603 - a list, from our own methods
                command,
                cwd=self.working_dir,
                env=self.environment(),
                stdin=istream or subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                process_group=0,
            )
        except FileNotFoundError as error:
            raise GitCommandNotFound(command, error) from error
        if as_process:
            return self.AutoInterrupt(process, command)
        return _result(process, command, kill_after_timeout)


@contextmanager
def ending(process: "git.Git.AutoInterrupt") -> Iterator["git.Git.AutoInterrupt"]:
    """End `process` with the block, also when an error's traceback keeps the process in reach."""
    child = process.proc
    assert child is not None  # noqa: S101 - it is None after the end, which is ours to bring
    with child:
        try:
            yield process
        finally:
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGKILL)


def _result(process: subprocess.Popen[bytes], command: list[str], timeout_s: float) -> bytes:
    try:
        output, complaint = process.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired as error:
        _end(process)
        raise GitCommandError(
            command, -signal.SIGKILL, f"fatal: no end within {timeout_s:.0f} s"
        ) from error
    except BaseException:
        _end(process)
        raise
    if process.returncode != 0:
        raise GitCommandError(command, process.returncode, complaint, output)
    return output


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill the whole group: git's remote helper would otherwise wait on by itself."""
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
