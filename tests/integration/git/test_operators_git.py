"""Programs that the operator's own git is set up to start: none of them starts for our mirrors.

Each leaves a mark. The first test shows that git does start them where nothing forbids it, so that
silence in the others means something.
"""

import os
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from bot.adapters.git.directory import DirectorySource, commit_of
from bot.adapters.git.source import GitSource
from bot.core.model.ids import Branch, CommitSha
from bot.ports.source import KnownManifest
from tests.fakes.smart_http import serving_git
from tests.fakes.source import Files, contents_of
from tests.integration.git.origin import Origin

# https://git-scm.com/docs/githooks; a fetch runs the first, a checkout the next two.
HOOKS = (
    *("reference-transaction", "post-checkout", "post-index-change", "pre-auto-gc"),
    *("post-merge", "post-rewrite", "pre-receive", "update", "post-receive", "post-update"),
)
# What each repository of ours says of its files; the filter is the operator's.
FILES: Files = {
    ".gitattributes": b"* filter=planted diff=planted\n",
    **{f"d{n % 3}/f{n}": f"content {n}\n".encode() for n in range(12)},
}


class Planted:
    """An operator's home whose git starts a program at every occasion, and the marks they left."""

    def __init__(self, folder: Path) -> None:
        self._marks = folder / "marks"
        self.hooks = folder / "template" / "hooks"
        for each in (self._marks, self.hooks, folder / "programs"):
            each.mkdir(parents=True)
        for hook in HOOKS:
            self._program(self.hooks / hook)
        named = {
            name: self._program(folder / "programs" / name, then)
            for name, then in {
                "fsmonitor": "exit 1",
                "filter": "cat",
                "textconv": 'cat "$1"',
                "pack-objects": 'exec "$@"',
                "credential": "exit 0",
                "ssh": "exit 1",
                "alternate-refs": "exit 0",
            }.items()
        }
        self.fsmonitor = named["fsmonitor"]
        self.config = folder / ".gitconfig"
        self.config.write_text(f"""\
[core]
hooksPath = {self.hooks}
fsmonitor = {named["fsmonitor"]}
sshCommand = {named["ssh"]}
alternateRefsCommand = {named["alternate-refs"]}
[init]
templateDir = {self.hooks.parent}
[filter "planted"]
clean = {named["filter"]}
smudge = {named["filter"]}
required = true
[diff "planted"]
textconv = {named["textconv"]}
[uploadpack]
packObjectsHook = {named["pack-objects"]}
allowFilter = true
allowAnySHA1InWant = true
[credential]
helper = {named["credential"]}
[safe]
directory = *
[user]
name = A
email = a@example.com
""")

    def marks(self) -> set[str]:
        """Return the names of those that were started."""
        return {mark.name for mark in self._marks.iterdir()}

    def forget(self) -> None:
        """Remove all marks."""
        for mark in self._marks.iterdir():
            mark.unlink()

    def into(self, repository: Path) -> None:
        """Plant the hooks in a repository itself, as a template would have."""
        (repository / "hooks").mkdir(exist_ok=True)
        for hook in HOOKS:
            self._program(repository / "hooks" / hook)

    def _program(self, path: Path, then: str = "exit 0") -> Path:
        path.write_text(f'#!/bin/sh\n: > "{self._marks}/{path.name}"\n{then}\n')
        path.chmod(0o755)
        return path


@pytest.fixture
def planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Planted:
    """Return the operator's home, which is that of this process."""
    home = tmp_path / "operator"
    made = Planted(home)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(made.config))
    monkeypatch.setenv("GIT_TEMPLATE_DIR", str(made.hooks.parent))
    return made


def operators_git(*arguments: str, cwd: Path) -> None:
    """Run git as the operator does, with all that is planted."""
    subprocess.run(["git", *arguments], cwd=cwd, env=os.environ, check=True, capture_output=True)


def test_what_is_planted_does_start_for_the_operator(
    origin: Origin, planted: Planted, tmp_path: Path
) -> None:
    origin.commit("main", FILES)
    site = tmp_path / "site"

    operators_git("clone", "--quiet", origin.base_url + "/acme/site.git", "site", cwd=tmp_path)
    operators_git("status", cwd=site)
    (site / "d0" / "f0").write_text("changed\n")
    operators_git("diff", cwd=site)

    expected = {"reference-transaction", "post-checkout", "fsmonitor", "filter", "textconv"}
    assert planted.marks() >= {*expected, "pack-objects"}


@pytest.mark.parametrize("scheme", ["file", "http"])
def test_nothing_starts_when_a_mirror_is_fetched_listed_and_read(
    origin: Origin, planted: Planted, tmp_path: Path, scheme: str
) -> None:
    with serving_git(tmp_path / "server") as server:
        base_url = server.url if scheme == "http" else origin.base_url
        with closing(GitSource(tmp_path / "mirrors", base_url, lambda _: None)) as source:
            first = origin.commit("main", FILES)
            known = whole_road(source, origin, first, None)
            for repository in (tmp_path / "mirrors").glob("*.git"):
                planted.into(repository)
                planted.into(repository / "view")
            second = origin.commit("main", {**FILES, "d0/f0": b"changed\n"})
            whole_road(source, origin, second, known)
            source.tend(quota_bytes=1 << 40, spared_since_s=4e9)

    assert planted.marks() == set()


def whole_road(
    source: GitSource, origin: Origin, commit: CommitSha, known: KnownManifest | None
) -> KnownManifest:
    """Do with a commit all that a deployment does with it."""
    repository = origin.repository
    assert source.head(repository, Branch("main")) == commit
    source.fetch(repository, commit)
    source.look(repository, commit, files=[".gitattributes"], folders=["d0"])
    manifest = source.manifest(repository, commit, known)
    assert len(contents_of(source, repository, manifest.blobs())) == len(FILES)
    if known is not None:
        assert source.changed(repository, known.commit, commit) == frozenset({"d0/f0"})
        assert source.common_ancestor(repository, known.commit, commit) == known.commit
    return KnownManifest(commit=commit, manifest=manifest)


def test_nothing_starts_when_a_checkout_is_read(
    origin: Origin, planted: Planted, tmp_path: Path
) -> None:
    commit = origin.commit("main", FILES)
    operators_git("clone", "--quiet", origin.base_url + "/acme/site.git", "site", cwd=tmp_path)
    site = tmp_path / "site"
    operators_git("config", "core.fsmonitor", str(planted.fsmonitor), cwd=site)
    planted.forget()

    assert commit_of(site) == commit
    source = DirectorySource(site, commit)
    manifest = source.manifest(origin.repository, commit)
    read = contents_of(source, origin.repository, manifest.blobs())

    assert len(read) == len(FILES)
    assert planted.marks() == set()
