"""Files in Git LFS: fetched where that is allowed, by a real batch API, and checked."""

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.adapters.git import lfs
from bot.adapters.git.lfs_server import BATCH
from bot.adapters.git.source import GitSource
from bot.core.model.errors import SourceUnavailable
from bot.core.model.ids import BlobSha
from bot.core.model.manifest import FileAsset, Manifest
from bot.core.model.selection import Selection
from bot.kernel.git_hash import blob_sha1
from bot.ports.source import KnownManifest
from tests.fakes.lfs import Answer, FakeLfs, pointer, serving_storage
from tests.fakes.smart_http import GitServer, serving_git
from tests.fakes.source import Executable, Files, contents_of
from tests.integration.git.origin import Origin

LFS = Selection(lfs=True)
ATTRIBUTES = b"*.psd filter=lfs diff=lfs merge=lfs -text\n"
PICTURE = b"a picture" * 1000
PASSWORD = "ghs_0123456789"


@dataclass
class World:
    origin: Origin
    server: GitServer
    lfs: FakeLfs
    source: GitSource

    def manifest(
        self, files: Files, known: KnownManifest | None = None, selection: Selection = LFS
    ) -> Manifest:
        commit = self.origin.commit("main", {".gitattributes": ATTRIBUTES, **files})
        self.source.fetch(self.origin.repository, commit)
        return self.source.manifest(self.origin.repository, commit, known, selection=selection)

    def known(self, manifest: Manifest, selection: Selection = LFS) -> KnownManifest:
        head = self.origin.head("main")
        assert head is not None
        return KnownManifest(commit=head, manifest=manifest, selection=selection)  # type: ignore[arg-type]

    def contents(self, manifest: Manifest) -> dict[str, bytes]:
        found = contents_of(self.source, self.origin.repository, manifest.blobs())
        return {
            path: found[asset.sha1]
            for path, asset in manifest.assets.items()
            if isinstance(asset, FileAsset)
        }


@pytest.fixture(params=["sha1", "sha256"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    with ExitStack() as stack:
        origin = Origin(tmp_path / "server", algorithm=request.param)
        server = stack.enter_context(serving_git(tmp_path / "server"))
        server.lfs = stack.enter_context(serving_storage())
        source = GitSource(tmp_path / "mirrors", server.url, lambda _: PASSWORD)
        stack.enter_context(closing(source))
        yield World(origin, server, server.lfs, source)


def reasons(manifest: Manifest) -> dict[str, str]:
    return {item.path: item.reason for item in manifest.left_out}


def test_a_pointer_is_replaced_by_its_file(world: World) -> None:
    files: Files = {"a.psd": world.lfs.put(PICTURE), "d/run.psd": Executable(world.lfs.put(b"#!"))}

    manifest = world.manifest(files)

    assert manifest.left_out == ()
    assert manifest.assets["a.psd"] == FileAsset(BlobSha(blob_sha1(PICTURE)))
    assert manifest.assets["d/run.psd"] == FileAsset(BlobSha(blob_sha1(b"#!")), executable=True)
    assert world.contents(manifest) == {
        ".gitattributes": ATTRIBUTES,
        "a.psd": PICTURE,
        "d/run.psd": b"#!",
    }


def test_without_a_word_of_the_default_branch_nobody_is_asked(world: World) -> None:
    manifest = world.manifest({"a.psd": world.lfs.put(PICTURE)}, selection=Selection())

    assert set(manifest.assets) == {".gitattributes"}
    assert reasons(manifest) == {"a.psd": lfs.POINTER_REASON}
    assert "lfs: true" in lfs.POINTER_REASON
    assert world.lfs.batches == []


def test_what_was_fetched_once_is_not_fetched_again(world: World) -> None:
    files: Files = {"a.psd": world.lfs.put(PICTURE)}
    first = world.manifest(files)
    second = world.manifest({**files, "readme.md": b"2"})
    third = world.manifest({**files, "b.psd": world.lfs.put(b"another")}, world.known(second))

    assert first.assets["a.psd"] == second.assets["a.psd"] == third.assets["a.psd"]
    assert [len(batch) for batch in world.lfs.batches] == [1, 1]
    assert world.contents(third)["b.psd"] == b"another"


def test_a_patched_manifest_is_the_same_as_a_full_one(world: World) -> None:
    before = world.manifest({"a.psd": world.lfs.put(PICTURE), "b.psd": world.lfs.put(b"b")})
    known = world.known(before)
    changed: Files = {"a.psd": world.lfs.put(b"new"), "c.psd": b"never in LFS", "main.ts": b"m"}

    patched = world.manifest(changed, known)

    assert patched == world.manifest(changed)
    assert set(patched.assets) == {".gitattributes", "a.psd", "c.psd", "main.ts"}


def test_the_password_goes_to_the_forge_and_nowhere_else(world: World) -> None:
    login = f"Basic {base64.b64encode(f'x-access-token:{PASSWORD}'.encode()).decode()}"
    world.lfs.password = login

    world.manifest({"a.psd": world.lfs.put(PICTURE)})

    assert world.lfs.logins == [("forge", login), ("storage", None)]
    assert world.lfs.repositories == ["/acme/site.git"]


def test_a_word_of_the_tree_about_the_server_is_not_heard(world: World) -> None:
    config = b"[lfs]\n\turl = http://127.0.0.1:9/elsewhere\n"

    manifest = world.manifest({".lfsconfig": config, "a.psd": world.lfs.put(PICTURE)})

    assert manifest.left_out == ()
    assert world.lfs.repositories == ["/acme/site.git"]


def test_many_files_are_asked_for_by_the_hundred(world: World) -> None:
    files: Files = {f"{n}.psd": world.lfs.put(b"%d" % n) for n in range(BATCH + 5)}

    manifest = world.manifest(files)

    assert [len(batch) for batch in world.lfs.batches] == [BATCH, 5]
    assert len(world.contents(manifest)) == BATCH + 6


def test_one_content_under_many_names_travels_once(world: World) -> None:
    same = world.lfs.put(PICTURE)

    manifest = world.manifest({"a.psd": same, "b.psd": same, "c.psd": same})

    assert len(world.lfs.downloads) == 1
    assert len(world.contents(manifest)) == 4


@pytest.mark.parametrize(
    "content",
    [
        b"version https://git-lfs.github.com/spec/v1\n",
        b"version https://git-lfs.github.com/spec/v1\noid sha256:../../etc/passwd\nsize 5\n",
        b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize -5\n",
        b"version https://git-lfs.github.com/spec/v1\noid md5:00\nsize 5\n",
    ],
)
def test_a_pointer_that_says_nothing_is_left_out_and_asked_of_nobody(
    world: World, content: bytes
) -> None:
    manifest = world.manifest({"a.psd": content})

    assert reasons(manifest) == {"a.psd": lfs.BROKEN_REASON}
    assert world.lfs.batches == []


def test_a_file_that_is_too_large_is_not_asked_for(world: World) -> None:
    huge = pointer(b"").replace(b"size 0", b"size 999999999999")

    manifest = world.manifest({"a.psd": huge, "b.psd": world.lfs.put(PICTURE)})

    assert "999,999,999,999 bytes" in reasons(manifest)["a.psd"]
    assert "b.psd" in manifest.assets


def test_more_than_a_deployment_should_weigh_is_not_asked_for(world: World) -> None:
    size = 500 * 1024 * 1024
    files: Files = {
        f"{n}.psd": pointer(b"%d" % n).replace(b"size 1", b"size %d" % size) for n in range(5)
    }

    manifest = world.manifest(files)

    assert [len(batch) for batch in world.lfs.batches] == [4]
    assert "those before it have more than 2,147,483,648" in reasons(manifest)["4.psd"]


def without_action(answer: Answer) -> Answer:
    document = json.loads(answer[2])
    for each in document["objects"]:
        each.pop("actions", None)
    return 200, answer[1], json.dumps(document).encode()


REFUSALS: list[tuple[Callable[[Answer], Answer], str]] = [
    (lambda _: (401, {}, b""), "is refused by Git LFS with status 401"),
    (lambda _: (403, {}, b""), "is refused by Git LFS with status 403"),
    (lambda _: (404, {}, b"<html>"), "is refused by Git LFS with status 404"),
    (lambda _: (302, {"Location": "http://127.0.0.1:9/"}, b""), "status 302"),
    (lambda _: (200, {}, b"<html>no API</html>"), "answer is not understood"),
    (lambda _: (200, {}, b'{"objects": "none"}'), "answer is not understood"),
    (lambda _: (200, {}, b"x" * 5_000_000), "answer has no end"),
    (lambda _: (200, {}, b'{"objects": []}'), "is not on the LFS server"),
    (without_action, "is not on the LFS server"),
]


@pytest.mark.parametrize(("spoils", "words"), REFUSALS, ids=range(len(REFUSALS)))
def test_a_server_that_will_not_is_a_warning_with_its_reason(
    world: World, spoils: Callable[[Answer], Answer], words: str
) -> None:
    world.lfs.spoils_batch = spoils

    manifest = world.manifest({"a.psd": world.lfs.put(PICTURE), "main.ts": b"m"})

    assert words in reasons(manifest)["a.psd"]
    assert set(manifest.assets) == {".gitattributes", "main.ts"}


def test_what_was_never_pushed_is_a_warning_beside_what_was(world: World) -> None:
    manifest = world.manifest({"a.psd": pointer(b"lost"), "b.psd": world.lfs.put(PICTURE)})

    assert reasons(manifest) == {"a.psd": "is refused by Git LFS with code 404"}
    assert "b.psd" in manifest.assets


def test_what_could_not_be_had_is_asked_for_again_by_the_next_push(world: World) -> None:
    content = b"pushed late"
    before = world.manifest({"a.psd": pointer(content)})
    world.lfs.put(content)

    after = world.manifest({"a.psd": pointer(content), "b": b"2"}, world.known(before))

    assert after.left_out == ()
    assert world.contents(after)["a.psd"] == content


SPOILT: list[Callable[[Answer], Answer]] = [
    lambda answer: (200, {}, answer[2][:-1]),
    lambda answer: (200, {}, answer[2] + b"x"),
    lambda answer: (200, {}, answer[2][:-1] + b"?"),
    lambda _: (200, {}, b""),
]


@pytest.mark.parametrize("spoils", SPOILT, ids=["short", "long", "other", "empty"])
def test_a_file_that_is_not_what_its_pointer_says_is_left_out(
    world: World, spoils: Callable[[Answer], Answer], tmp_path: Path
) -> None:
    world.lfs.spoils_content = spoils

    manifest = world.manifest({"a.psd": world.lfs.put(PICTURE)})

    assert reasons(manifest) == {"a.psd": "came from the LFS server as something else"}
    assert list((tmp_path / "mirrors").glob("*/lfs/*")) == []


@pytest.mark.parametrize(
    "href",
    ["file:///etc/passwd", "ftp://127.0.0.1/x", "//127.0.0.1/x", "", "http://", "http://[", "g:x"],
)  # fmt: skip
def test_an_address_that_is_none_is_not_asked(world: World, href: str) -> None:
    world.lfs.changes_action = lambda action: {**action, "href": href}

    manifest = world.manifest({"a.psd": world.lfs.put(PICTURE)})

    assert "cannot be had" in reasons(manifest)["a.psd"]


def test_a_header_that_is_none_is_not_sent(world: World) -> None:
    world.lfs.changes_action = lambda action: {**action, "header": {"X-Bad\r\nX": "a\r\nb"}}

    manifest = world.manifest({"a.psd": world.lfs.put(PICTURE)})

    assert "cannot be had" in reasons(manifest)["a.psd"]


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_server_that_is_busy_may_be_asked_later(world: World, status: int) -> None:
    world.lfs.spoils_batch = lambda _: (status, {}, b"")
    with pytest.raises(SourceUnavailable, match=f"status {status}"):
        world.manifest({"a.psd": world.lfs.put(PICTURE)})

    world.lfs.spoils_batch = lambda answer: answer

    assert world.manifest({"a.psd": world.lfs.put(PICTURE)}).left_out == ()


def test_a_storage_that_is_away_may_be_asked_later_and_its_address_is_not_told(
    world: World,
) -> None:
    world.lfs.storage_url = "http://127.0.0.1:9"

    with pytest.raises(SourceUnavailable) as problem:
        world.manifest({"a.psd": world.lfs.put(PICTURE)})

    assert "signature" not in str(problem.value)


def test_repositories_on_a_disk_have_no_lfs_server(tmp_path: Path) -> None:
    origin = Origin(tmp_path / "server")
    source = GitSource(tmp_path / "mirrors", origin.base_url, lambda _: None)
    files: Files = {".gitattributes": ATTRIBUTES, "a.psd": pointer(PICTURE)}
    source.fetch(origin.repository, commit := origin.commit("main", files))

    manifest = source.manifest(origin.repository, commit, selection=LFS)

    assert reasons(manifest) == {"a.psd": lfs.NO_SERVER_REASON}


def test_the_fakes_pointers_are_those_of_git_lfs() -> None:
    # As `git lfs pointer` prints it.
    assert pointer(b"hello\n") == (
        b"version https://git-lfs.github.com/spec/v1\n"
        b"oid sha256:" + hashlib.sha256(b"hello\n").hexdigest().encode() + b"\nsize 6\n"
    )
