"""Bare repositories of our own, whose pushes reach the bot through a hook."""

import hashlib
import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from bot.core.model.errors import ConfigurationProblem, RecordNotFound, SourceUnavailable
from bot.core.model.ids import Branch, RepoName, Repository, RepositoryId, repo_name
from bot.kernel.processes import built_environment

_GIT_TIMEOUT_S = 30.0

_ID_KEY = "previewbot.id"

# GitHub's ids are positive 64-bit numbers; 48 bits stay exact in every JSON reader.
_ID_BYTES = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalRepository:
    """A repository of ours and where it lies."""

    repository: Repository
    path: Path


class Repositories:
    """The repositories below `<data>/repositories`, as `<owner>/<name>.git`."""

    def __init__(self, data_dir: Path) -> None:
        """Keep them in `data_dir`."""
        self._data_dir = data_dir.resolve()
        self.root = self._data_dir / "repositories"

    def create(self, name: str, default_branch: str = "main") -> LocalRepository:
        """Make a bare repository whose pushes are reported, or renew the hook of the one there.

        Raises:
            ConfigurationProblem: `name` is no "owner/name", or `default_branch` no branch.
            SourceUnavailable: git could not make it.

        """
        path = self._path(name)
        if not path.is_dir():
            # Complete or not at all: a name that never ends in .git until it is done.
            fresh = path.with_suffix(".new")
            shutil.rmtree(fresh, ignore_errors=True)
            fresh.mkdir(parents=True)
            _git("check-ref-format", f"refs/heads/{default_branch}", cwd=fresh)
            _git("init", "--quiet", "--bare", "--template=", ".", cwd=fresh)
            _git("symbolic-ref", "HEAD", f"refs/heads/{default_branch}", cwd=fresh)
            _git("config", _ID_KEY, str(_id_of(RepoName(name))), cwd=fresh)
            # What a mirror needs; without them git falls back to sending everything.
            _git("config", "uploadpack.allowFilter", "true", cwd=fresh)
            _git("config", "uploadpack.allowAnySHA1InWant", "true", cwd=fresh)
            fresh.rename(path)
        self._install_hook(path, RepoName(name))
        return self.get(name)

    def get(self, name: str) -> LocalRepository:
        """Return one repository.

        Raises:
            ConfigurationProblem: `name` is no "owner/name".
            RecordNotFound: there is none of that name.

        """
        path = self._path(name)
        if not path.is_dir():
            raise RecordNotFound("local repository", name)
        head = _git("symbolic-ref", "HEAD", cwd=path)
        repository = Repository(
            id=RepositoryId(int(_git("config", _ID_KEY, cwd=path))),
            name=RepoName(name),
            default_branch=Branch(head.removeprefix("refs/heads/")),
        )
        return LocalRepository(repository=repository, path=path)

    def all(self) -> list[LocalRepository]:
        """Return every repository, by name."""
        found = sorted(self.root.glob("*/*.git"))
        return [self.get(f"{path.parent.name}/{path.stem}") for path in found]

    def _path(self, name: str) -> Path:
        if repo_name(name) is None:
            raise ConfigurationProblem("repository", f"{name!r} is not of the form owner/name")
        return self.root / f"{name}.git"

    def _install_hook(self, path: Path, name: RepoName) -> None:
        hook = path / "hooks" / "post-receive"
        hook.parent.mkdir(exist_ok=True)
        fresh = hook.with_suffix(".new")
        fresh.write_text(hook_script(self._data_dir, name))
        fresh.chmod(0o755)
        fresh.replace(hook)


def hook_script(data_dir: Path, name: RepoName, python: str = sys.executable) -> str:
    """Return a post-receive hook that hands the push to this installation; no secret is in it.

    The shell in front costs a millisecond and takes any path: a first line of the kernel's may
    hold neither spaces nor more than 127 characters. `python` is named in full, because a
    `python3` that is a pyenv shim costs 85 ms. -P keeps the repository's folder off the path.
    """
    command = ["python", "-P", "-m", "bot", "hook", "post-receive"]
    arguments = ["--data", str(data_dir), "--repository", name]
    return f"#!/bin/sh\nexec {shlex.join([python, *command[1:], *arguments])}\n"


def _id_of(name: RepoName) -> RepositoryId:
    """Return a number for a new repository; it is stored there, so a renamed one keeps it."""
    digest = hashlib.sha256(name.encode()).digest()
    return RepositoryId(int.from_bytes(digest[:_ID_BYTES], "big"))


def _git(*arguments: str, cwd: Path) -> str:
    environment = built_environment(
        GIT_CONFIG_NOSYSTEM="1",
        GIT_CONFIG_GLOBAL=os.devnull,
        GIT_CEILING_DIRECTORIES=str(cwd.parent),
    )
    try:
        result = subprocess.run(  # noqa: S603 - a list, no shell
            ["git", *arguments],  # noqa: S607 - the operator's PATH says which git
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_GIT_TIMEOUT_S,
            check=True,
            encoding="utf-8",
            errors="replace",
        )
    except subprocess.CalledProcessError as error:
        complaint = error.stderr.strip() or f"exit code {error.returncode}"
        msg = f"git {arguments[0]} failed in {cwd}: {complaint}"
        raise SourceUnavailable(msg) from error
    except (OSError, subprocess.TimeoutExpired) as error:
        msg = f"git {arguments[0]} could not run in {cwd}: {error}"
        raise SourceUnavailable(msg) from error
    return result.stdout.strip()
