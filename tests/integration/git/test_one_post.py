"""The shortcut: the same objects as `git fetch` brings, in one request; git when it is odd."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bot.adapters.git.source import GitSource
from bot.core.model.errors import CommitGone
from bot.core.model.ids import Branch, CommitSha
from bot.ports.source import KnownManifest
from tests.fakes.smart_http import GitServer, serving_git
from tests.fakes.source import Files, contents_of
from tests.integration.git.conftest import Diary
from tests.integration.git.origin import Origin, git

FILES: Files = {f"d{n % 3}/f{n}": f"content {n}\n".encode() * 50 for n in range(40)}
POST = "previewbot POST /acme/site.git/git-upload-pack"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitServer]:
    with serving_git(tmp_path / "server") as served:
        yield served


@pytest.fixture
def over_http(tmp_path: Path, server: GitServer) -> Iterator[GitSource]:
    source = GitSource(tmp_path / "mirrors", server.url, lambda _repository: None)
    with closing(source):
        yield source


def fetched(source: GitSource, origin: Origin, commit: CommitSha) -> dict[str, bytes]:
    """Return path -> content of a commit that was fetched."""
    source.fetch(origin.repository, commit)
    manifest = source.manifest(origin.repository, commit)
    contents = contents_of(source, origin.repository, manifest.blobs())
    return {path: contents[asset.sha1] for path, asset in manifest.assets.items()}  # type: ignore[union-attr]


def test_a_later_push_is_one_request_and_brings_its_contents(
    origin: Origin, server: GitServer, over_http: GitSource
) -> None:
    over_http.fetch(origin.repository, origin.commit("main", FILES))
    second = origin.commit("main", {**FILES, "d0/f0": b"new", "d1/f1": b"newer"})
    server.asked.clear()

    over_http.fetch(origin.repository, second)

    assert server.asked == [POST]
    changed = over_http.manifest(origin.repository, second).assets["d0/f0"]
    server.asked.clear()
    assert list(over_http.blobs(origin.repository, [changed.sha1])) == [(changed.sha1, b"new")]  # type: ignore[union-attr]
    assert server.asked == []


def test_a_push_costs_one_start_of_git(
    origin: Origin, diary: Diary, over_http: GitSource, tmp_path: Path
) -> None:
    first = origin.commit("main", FILES)
    over_http.fetch(origin.repository, first)
    known = KnownManifest(commit=first, manifest=over_http.manifest(origin.repository, first))
    started: list[list[str]] = []

    for content in (b"new", b"newer"):
        for page in diary.directory.iterdir():
            page.unlink()
        commit = origin.commit("main", {**FILES, "d0/f0": content})
        over_http.fetch(origin.repository, commit)
        manifest = over_http.manifest(origin.repository, commit, known)
        known = KnownManifest(commit=commit, manifest=manifest)
        # Those of the server have no mirror to work in.
        ours = [
            page.split("--- argv")[1]
            for page in diary.pages()
            if str(tmp_path / "mirrors") in page
        ]
        commands = ("diff-tree", "index-pack")
        started.append(sorted(word for page in ours for word in page.split() if word in commands))

    # The one that compares waits for the next.
    assert started == [["diff-tree", "index-pack"], ["index-pack"]]


def test_a_branchs_head_is_one_request(
    origin: Origin, server: GitServer, over_http: GitSource
) -> None:
    commit = origin.commit("feature", FILES)
    origin.commit("feature-2", {"a": b"1"})

    assert over_http.head(origin.repository, Branch("feature")) == commit
    assert over_http.head(origin.repository, Branch("feat")) is None
    assert server.asked == [POST, POST]


def test_git_finds_nothing_wrong_with_what_the_shortcut_brought(
    origin: Origin, over_http: GitSource, tmp_path: Path
) -> None:
    for n in range(4):
        over_http.fetch(origin.repository, origin.commit("main", {**FILES, "d0/f0": b"%d" % n}))
    [mirror] = (tmp_path / "mirrors").glob("*.git")

    report = git("fsck", "--strict", "--no-progress", cwd=mirror)

    assert report == "notice: HEAD points to an unborn branch (none)"


def test_both_ways_bring_the_same(
    origin: Origin, server: GitServer, over_http: GitSource, tmp_path: Path
) -> None:
    by_git = GitSource(tmp_path / "other mirrors", origin.base_url, lambda _repository: None)
    history = [
        origin.commit("main", {**FILES, f"d{n}/new": b"%d" % n, "d0/f0": b"x" * n})
        for n in range(5)
    ]

    for commit in history:
        assert fetched(over_http, origin, commit) == fetched(by_git, origin, commit)

    assert server.asked.count(POST) >= 4


def test_a_force_push_back_and_a_sibling_are_no_harm(origin: Origin, over_http: GitSource) -> None:
    first = origin.commit("main", FILES)
    second = origin.commit("main", {**FILES, "a": b"2"})
    sibling = origin.commit("main", {**FILES, "a": b"3"}, parent=first)

    for commit in (second, sibling, first):
        assert (
            fetched(over_http, origin, commit).get("a")
            == {
                second: b"2",
                sibling: b"3",
                first: None,
            }[commit]
        )


def test_an_unrelated_history_comes_without_its_contents(
    origin: Origin, server: GitServer, over_http: GitSource
) -> None:
    over_http.fetch(origin.repository, origin.commit("main", FILES))
    stranger = origin.commit_tree("other", origin.write_tree([]), parent=None)
    server.asked.clear()

    over_http.fetch(origin.repository, stranger)

    # The server has nothing of ours to build on, so git is left to ask for what it wants.
    assert server.asked[0] == POST
    assert any(each.startswith("git POST") for each in server.asked)


def cut_off(answer: bytes) -> bytes:
    return answer[: len(answer) // 2]


def one_bit_wrong(answer: bytes) -> bytes:
    return answer[:-40] + bytes([answer[-40] ^ 1]) + answer[-39:]


def of_an_older_protocol(_: bytes) -> bytes:
    return b"0008NAK\nPACK"


def emptied(_: bytes) -> bytes:
    return b""


@pytest.mark.parametrize("spoils", [cut_off, one_bit_wrong, of_an_older_protocol, emptied])
def test_a_pack_that_is_odd_is_left_to_git(
    origin: Origin, server: GitServer, over_http: GitSource, spoils: Callable[[bytes], bytes]
) -> None:
    over_http.fetch(origin.repository, origin.commit("main", FILES))
    server.spoils = spoils
    second = origin.commit("main", {**FILES, "d0/f0": b"new"})
    server.asked.clear()

    assert fetched(over_http, origin, second)["d0/f0"] == b"new"

    assert server.asked[0] == POST
    assert any(each.startswith("git POST") for each in server.asked)


@pytest.mark.parametrize("spoils", [cut_off, of_an_older_protocol, emptied])
def test_a_listing_that_is_odd_is_left_to_git(
    origin: Origin, server: GitServer, over_http: GitSource, spoils: Callable[[bytes], bytes]
) -> None:
    commit = origin.commit("main", FILES)
    server.spoils = spoils

    assert over_http.head(origin.repository, Branch("main")) == commit

    assert [each.split()[0] for each in server.asked][:2] == ["previewbot", "git"]


def test_a_commit_that_is_gone_is_gone(origin: Origin, over_http: GitSource) -> None:
    over_http.fetch(origin.repository, origin.commit("main", FILES))

    with pytest.raises(CommitGone):
        over_http.fetch(origin.repository, CommitSha("1" * 40))
