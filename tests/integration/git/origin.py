"""A bare repository on disk, written object by object, so that it can hold what git refuses."""

import hashlib
import shutil
import subprocess
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from bot.core.model.ids import Branch, CommitSha, RepoName, Repository, RepositoryId
from bot.core.model.manifest import SymlinkAsset
from bot.kernel.processes import built_environment
from tests.fakes.source import Executable, Files, Submodule

_CONFIG = "[core]\nrepositoryformatversion = 1\nbare = true\n"
_SHA256 = "[extensions]\nobjectFormat = sha256\n"


class Row(NamedTuple):
    """One line of a tree object, exactly as it will stand there."""

    mode: bytes
    name: bytes
    oid: str


class Origin:
    """What the server has. Loose objects and loose refs only, and no git process to make them."""

    def __init__(self, base: Path, name: str = "acme/site", *, algorithm: str = "sha1") -> None:
        self.base_url = base.as_uri()
        self.path = base / f"{name}.git"
        self.algorithm = algorithm
        self.repository = Repository(
            id=RepositoryId(7), name=RepoName(name), default_branch=Branch("main")
        )
        for folder in ("objects/info", "objects/pack", "refs/heads"):
            (self.path / folder).mkdir(parents=True)
        (self.path / "HEAD").write_text("ref: refs/heads/main\n")
        (self.path / "config").write_text(_CONFIG + (_SHA256 if algorithm == "sha256" else ""))

    def commit(
        self, branch: str, files: Files, *, parent: str | None = None, message: str = "Change"
    ) -> CommitSha:
        """Point `branch` at a new commit of exactly `files`, on top of `parent` or of itself."""
        return self.commit_tree(branch, self._tree(files), parent=parent, message=message)

    def commit_tree(
        self, branch: str, tree: str, *, parent: str | None = None, message: str = "Change"
    ) -> CommitSha:
        """Point `branch` at a new commit of `tree`."""
        parent = parent or self.head(branch)
        who = "A <a@example.com> 1795000000 +0000"
        lines = [f"tree {tree}", *([f"parent {parent}"] if parent else [])]
        text = "\n".join([*lines, f"author {who}", f"committer {who}", "", f"{message}\n"])
        commit = CommitSha(self.write("commit", text.encode()))
        self.force(branch, commit)
        return commit

    def force(self, branch: str, commit: str) -> None:
        """Point `branch` at `commit`."""
        ref = self.path / "refs" / "heads" / branch
        ref.parent.mkdir(parents=True, exist_ok=True)
        ref.write_text(f"{commit}\n")

    def delete(self, branch: str) -> None:
        (self.path / "refs" / "heads" / branch).unlink()

    def hide(self, branch: str, number: int) -> None:
        """Move a branch to where the forge keeps the head of a fork's pull request."""
        head = self.path / "refs" / "pull" / str(number) / "head"
        head.parent.mkdir(parents=True, exist_ok=True)
        (self.path / "refs" / "heads" / branch).replace(head)

    def forget(self, commit: str) -> None:
        """Prune `commit` for good."""
        self._file(commit).unlink()

    def lose_everything(self) -> None:
        """Let the server vanish."""
        shutil.rmtree(self.path)

    def head(self, branch: str) -> str | None:
        ref = self.path / "refs" / "heads" / branch
        return ref.read_text().strip() if ref.is_file() else None

    def write(self, kind: str, content: bytes) -> str:
        """Store an object, valid or not, and return its id."""
        data = f"{kind} {len(content)}\0".encode() + content
        oid = hashlib.new(self.algorithm, data).hexdigest()
        file = self._file(oid)
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(zlib.compress(data, 1))
        return oid

    def write_tree(self, rows: list[Row]) -> str:
        """Store a tree of exactly these rows in this order."""
        lines = (row.mode + b" " + row.name + b"\0" + bytes.fromhex(row.oid) for row in rows)
        return self.write("tree", b"".join(lines))

    def _tree(self, files: Files) -> str:
        rows: list[Row] = []
        folders: dict[str, dict[str, object]] = {}
        for path, file in files.items():
            first, _, rest = path.partition("/")
            if rest:
                folders.setdefault(first, {})[rest] = file
            else:
                rows.append(self._row(first, file))
        rows += [
            Row(b"40000", name.encode(), self._tree(inside))  # type: ignore[arg-type]
            for name, inside in folders.items()
        ]
        # Git's order: as if every folder's name ended in a slash.
        rows.sort(key=lambda row: row.name + (b"/" if row.mode == b"40000" else b""))
        return self.write_tree(rows)

    def _row(self, name: str, file: object) -> Row:
        match file:
            case bytes():
                return Row(b"100644", name.encode(), self.write("blob", file))
            case Executable(content):
                return Row(b"100755", name.encode(), self.write("blob", content))
            case SymlinkAsset(target):
                return Row(b"120000", name.encode(), self.write("blob", target.encode()))
            case Submodule(commit):
                absent = hashlib.new(self.algorithm).hexdigest()
                return Row(b"160000", name.encode(), commit or absent)
            case _:
                raise TypeError(file)

    def _file(self, oid: str) -> Path:
        return self.path / "objects" / oid[:2] / oid[2:]


def git(
    *arguments: str, cwd: Path, env: Mapping[str, str] | None = None, given: str | None = None
) -> str:
    """Run git as a user would, but with nobody's configuration; it reads `given`."""
    environment = built_environment(
        GIT_CONFIG_NOSYSTEM="1",
        GIT_CONFIG_GLOBAL="/dev/null",
        GIT_AUTHOR_NAME="A",
        GIT_AUTHOR_EMAIL="a@example.com",
        GIT_COMMITTER_NAME="A",
        GIT_COMMITTER_EMAIL="a@example.com",
        **(env or {}),
    )
    result = subprocess.run(
        ["git", *arguments],
        cwd=cwd,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
        input=given,
    )
    return result.stdout.strip() or result.stderr.strip()
