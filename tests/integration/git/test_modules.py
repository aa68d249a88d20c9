"""Submodules: taken in where that is allowed, from where that is allowed, and no further."""

import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from bot.adapters.git.environment import closed_environment
from bot.adapters.git.manifests import SUBMODULE_REASON
from bot.adapters.git.modules import MAX_DEPTH, MAX_MODULES
from bot.adapters.git.source import GitSource
from bot.core.model.errors import TreeRefused
from bot.core.model.ids import BlobSha, Branch, CommitSha, RepoName, Repository, RepositoryId
from bot.core.model.manifest import FileAsset, Manifest, SymlinkAsset
from bot.core.model.selection import Selection
from bot.kernel.git_hash import blob_sha1
from bot.ports.source import KnownManifest
from tests.fakes.github.repository import Entry
from tests.fakes.github.server import FakeGitHub
from tests.fakes.lfs import FakeLfs, serving_storage
from tests.fakes.smart_http import GitServer, serving_git
from tests.fakes.source import Files, Submodule, contents_of
from tests.integration.git.conftest import Diary
from tests.integration.git.origin import Origin

MODULES = Selection(submodules=True)
ELSEWHERE = "other.example"


def listing(**urls: str) -> bytes:
    """Return a `.gitmodules`; a `__` in a path stands for a slash."""
    return "".join(
        f'[submodule "{name}"]\n\tpath = {name.replace("__", "/")}\n\turl = {url}\n'
        for name, url in urls.items()
    ).encode()


@dataclass
class World:
    base: Path
    source: GitSource
    algorithm: str = "sha1"
    server: GitServer | None = None
    origins: dict[str, Origin] = field(default_factory=dict)

    def repo(self, name: str) -> Origin:
        if name not in self.origins:
            self.origins[name] = Origin(self.base, f"acme/{name}", algorithm=self.algorithm)
        return self.origins[name]

    def push(self, files: Files) -> CommitSha:
        origin = self.repo("site")
        commit = origin.commit("main", files)
        self.source.fetch(origin.repository, commit)
        return commit

    def manifest(
        self, files: Files, selection: Selection = MODULES, known: KnownManifest | None = None
    ) -> Manifest:
        commit = self.push(files)
        return self.source.manifest(
            self.repo("site").repository, commit, known, selection=selection
        )

    def contents(self, manifest: Manifest) -> dict[str, bytes]:
        found = contents_of(self.source, self.repo("site").repository, manifest.blobs())
        return {
            path: found[asset.sha1]
            for path, asset in manifest.assets.items()
            if isinstance(asset, FileAsset)
        }


def on_disk(folder: Path, _stack: ExitStack) -> World:
    base = folder / "server"
    return World(base, GitSource(folder / "mirrors", base.as_uri(), lambda _: None))


def over_http(folder: Path, stack: ExitStack) -> World:
    server = stack.enter_context(serving_git(folder / "server"))
    source = GitSource(folder / "mirrors", server.url, lambda _: "ghs_x", narrow=True)
    stack.enter_context(closing(source))
    return World(folder / "server", source, server=server)


def of_sha256(folder: Path, stack: ExitStack) -> World:
    world = over_http(folder, stack)
    world.algorithm = "sha256"
    return world


@pytest.fixture(params=[on_disk, over_http, of_sha256])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    with ExitStack() as stack:
        yield request.param(tmp_path, stack)


def reasons(manifest: Manifest) -> dict[str, str]:
    return {item.path: item.reason for item in manifest.left_out}


def test_a_submodules_files_are_part_of_the_app(world: World) -> None:
    lib = world.repo("lib").commit("main", {"a.ts": b"a", "d/b.ts": b"b"})
    files: Files = {
        ".gitmodules": listing(vendor__lib="../lib.git"),
        "main.ts": b"main",
        "vendor/lib": Submodule(lib),
    }

    manifest = world.manifest(files)

    assert manifest.left_out == ()
    assert world.contents(manifest) == {
        ".gitmodules": listing(vendor__lib="../lib.git"),
        "main.ts": b"main",
        "vendor/lib/a.ts": b"a",
        "vendor/lib/d/b.ts": b"b",
    }
    assert manifest.assets["vendor/lib/a.ts"] == FileAsset(BlobSha(blob_sha1(b"a")))


def test_without_a_word_of_the_default_branch_nobody_is_asked(world: World, diary: Diary) -> None:
    lib = world.repo("lib").commit("main", {"a.ts": b"a"})
    files: Files = {".gitmodules": listing(lib="../lib.git"), "lib": Submodule(lib)}
    commit = world.push(files)
    fetches = diary.count("fetch")

    manifest = world.source.manifest(world.repo("site").repository, commit)

    assert reasons(manifest) == {"lib": SUBMODULE_REASON}
    assert "submodules: true" in SUBMODULE_REASON
    assert diary.count("fetch") == fetches


def test_exactly_the_commit_that_is_referred_to_is_taken(world: World) -> None:
    lib = world.repo("lib")
    old = lib.commit("main", {"v": b"1"})
    lib.commit("main", {"v": b"2"})
    lib.delete("main")  # from now on it can only be had by its id

    manifest = world.manifest({".gitmodules": listing(l="../lib"), "l": Submodule(old)})

    assert world.contents(manifest)["l/v"] == b"1"


def test_submodules_in_submodules_count_from_their_own_repository(world: World) -> None:
    inner = world.repo("inner").commit("main", {"x": b"deep"})
    outer = world.repo("outer").commit(
        "main", {".gitmodules": listing(sub__inner="../inner"), "sub/inner": Submodule(inner)}
    )

    manifest = world.manifest({".gitmodules": listing(o="../outer"), "o": Submodule(outer)})

    assert world.contents(manifest)["o/sub/inner/x"] == b"deep"


def test_a_chain_of_submodules_has_an_end(world: World) -> None:
    commit: str = world.repo("end").commit("main", {"end": b"e"})
    name = "end"
    for n in range(MAX_DEPTH + 1):
        origin = world.repo(f"r{n}")
        commit = origin.commit(
            "main", {".gitmodules": listing(m=f"../{name}"), "m": Submodule(commit), "f": b"f"}
        )
        name = f"r{n}"

    manifest = world.manifest({".gitmodules": listing(m=f"../{name}"), "m": Submodule(commit)})

    files = [path for path in manifest.assets if path.endswith("/f")]
    assert files == ["/".join(["m"] * depth) + "/f" for depth in range(1, MAX_DEPTH + 1)]
    assert list(reasons(manifest).values()) == [
        f"is a submodule more than {MAX_DEPTH} deep, which is not fetched"
    ]


def test_a_repository_that_is_its_own_submodule_has_an_end(world: World) -> None:
    first = world.push({"x": b"x"})
    files: Files = {".gitmodules": listing(me="../site"), "me": Submodule(first), "x": b"2"}
    second = world.push(files)

    manifest = world.manifest({**files, "me": Submodule(second), "x": b"3"})

    assert {"x", "me/x", "me/me/x"} <= set(manifest.assets)


def test_there_is_a_limit_to_their_number(world: World) -> None:
    lib = world.repo("lib").commit("main", {"a": b"a"})
    names = [f"m{n:02}" for n in range(MAX_MODULES + 2)]
    files: Files = {
        ".gitmodules": listing(**dict.fromkeys(names, "../lib")),
        **dict.fromkeys(names, Submodule(lib)),
    }

    manifest = world.manifest(files)

    assert len([path for path in manifest.assets if path.endswith("/a")]) == MAX_MODULES
    assert len(manifest.left_out) == 2
    assert "one more than the 32 submodules" in manifest.left_out[0].reason


@pytest.mark.parametrize(
    ("gitmodules", "words"),
    [
        (b"", "does not list"),
        (b"[[[broken", "does not list"),
        (b'[submodule "x"]\n\tpath = other\n\turl = ../lib\n', "does not list"),
        (b'[submodule "x"]\n\tpath = lib\n', "does not list"),
        (b'[submodule "x"]\n\tpath = lib\n\turl\n', "not followed"),
        (b"[include]\n\tpath = /etc/gitconfig\n", "does not list"),
        (listing(lib="-u./payload"), "not followed"),
        (listing(lib="ext::sh -c touch% x"), "not followed"),
        (listing(lib="file:///etc"), "not followed"),
        (listing(lib="../../../../../x"), "climbs|not followed|cannot be read"),
        (listing(lib="../nowhere"), "cannot be read: it is private, or not there"),
        (listing(lib="https://127.0.0.1:9/x"), "not on the public Internet"),
        (listing(lib="https://localhost/x"), "not on the public Internet"),
        (listing(lib="https://169.254.169.254/latest"), "not on the public Internet"),
        (listing(lib="git@10.0.0.1:x/y.git"), "not on the public Internet"),
    ],
    ids=range(15),
)  # fmt: skip
def test_one_that_cannot_be_had_is_left_out_with_its_reason(
    world: World, gitmodules: bytes, words: str
) -> None:
    lib = world.repo("lib").commit("main", {"a": b"a"})

    manifest = world.manifest({".gitmodules": gitmodules, "lib": Submodule(lib), "m": b"m"})

    assert set(reasons(manifest)) == {"lib"}
    assert any(each in reasons(manifest)["lib"] for each in words.split("|"))
    assert set(manifest.assets) == {".gitmodules", "m"}


def test_a_commit_that_is_nowhere_is_left_out_by_name(world: World) -> None:
    world.repo("lib").commit("main", {"a": b"a"})
    absent = "1" * (64 if world.algorithm == "sha256" else 40)

    manifest = world.manifest({".gitmodules": listing(l="../lib"), "l": Submodule(absent)})

    assert reasons(manifest) == {"l": f"is a submodule whose repository lacks its commit {absent}"}


def test_what_the_selection_takes_away_is_not_fetched(world: World, diary: Diary) -> None:
    lib = world.repo("lib").commit("main", {"a.ts": b"a", "a.md": b"m"})
    files: Files = {
        ".gitmodules": listing(lib="../lib", docs="../nowhere"),
        "lib": Submodule(lib),
        "docs": Submodule(lib),
        ".previewignore": b"/docs/\n*.md\n",
    }
    world.push(files)
    fetches = diary.count("fetch")

    manifest = world.manifest(files)

    assert set(manifest.assets) == {".gitmodules", ".previewignore", "lib/a.ts"}
    assert manifest.left_out == ()
    assert diary.count("fetch") - fetches <= 3


def test_an_include_list_reaches_into_submodules(world: World) -> None:
    lib = world.repo("lib").commit("main", {"a.ts": b"a", "b.ts": b"b"})
    files: Files = {".gitmodules": listing(lib="../lib"), "lib": Submodule(lib), "x": b"x"}

    manifest = world.manifest(files, Selection(submodules=True, include=("lib/a.ts",)))

    assert set(manifest.assets) == {"lib/a.ts"}


def test_an_apps_folder_may_hold_submodules(world: World) -> None:
    lib = world.repo("lib").commit("main", {"a.ts": b"a"})
    files: Files = {
        ".gitmodules": listing(app__lib="../lib"),
        "app/main.ts": b"m",
        "app/lib": Submodule(lib),
        "other/x": b"x",
    }

    manifest = world.manifest(files, Selection(root="app", submodules=True))

    assert world.contents(manifest) == {"main.ts": b"m", "lib/a.ts": b"a"}


CHANGES: list[Callable[[Files, str, str], Files]] = [
    lambda before, _old, _new: {**before, "main.ts": b"2"},
    lambda before, _old, new: {**before, "lib": Submodule(new)},
    lambda before, _old, _new: {path: file for path, file in before.items() if path != "lib"},
    lambda before, _old, _new: {**before, "lib": b"now a file"},
    lambda before, old, _new: {**before, "more": Submodule(old)},
    lambda before, _old, _new: {**before, ".gitmodules": b""},
    lambda before, _old, _new: {**before, ".gitmodules": listing(lib="../nowhere")},
]


@pytest.mark.parametrize("change", CHANGES, ids=range(len(CHANGES)))
def test_a_patched_manifest_is_the_same_as_a_full_one(
    world: World, change: Callable[[Files, str, str], Files]
) -> None:
    lib = world.repo("lib")
    old = lib.commit("main", {"a.ts": b"a", "same": b"s"})
    new = lib.commit("main", {"a.ts": b"new", "same": b"s"})
    before: Files = {
        ".gitmodules": listing(lib="../lib", more="../lib"),
        "lib": Submodule(old),
        "main.ts": b"1",
    }
    first = world.push(before)
    known = KnownManifest(commit=first, manifest=world.manifest(before), selection=MODULES)

    after = change(before, old, new)
    patched = world.manifest(after, known=known)

    assert patched == world.manifest(after)
    assert world.contents(patched).keys() == patched.assets.keys()


def test_what_could_not_be_had_is_asked_for_again(world: World) -> None:
    absent = "1" * (64 if world.algorithm == "sha256" else 40)
    files: Files = {".gitmodules": listing(l="../lib"), "l": Submodule(absent)}
    first = world.push(files)
    known = KnownManifest(commit=first, manifest=world.manifest(files), selection=MODULES)
    lib = world.repo("lib").commit("main", {"a": b"a"})

    manifest = world.manifest({**files, "l": Submodule(lib)}, known=known)

    assert "l/a" in manifest.assets


def test_links_in_submodules_must_stay_in_the_app(world: World) -> None:
    lib = world.repo("lib").commit(
        "main", {"up": SymlinkAsset("../main.ts"), "out": SymlinkAsset("../../etc")}
    )
    files: Files = {".gitmodules": listing(l="../lib"), "l": Submodule(lib), "main.ts": b"m"}

    with pytest.raises(TreeRefused, match="'l/out' is a symbolic link that leads out"):
        world.manifest(files)


def test_files_of_submodules_in_lfs_come_from_their_own_repository(tmp_path: Path) -> None:
    with ExitStack() as stack:
        world = over_http(tmp_path, stack)
        assert world.server is not None
        fake: FakeLfs = stack.enter_context(serving_storage())
        world.server.lfs = fake
        lib = world.repo("lib").commit(
            "main", {".gitattributes": b"*.bin filter=lfs\n", "a.bin": fake.put(b"large")}
        )
        files: Files = {".gitmodules": listing(l="../lib"), "l": Submodule(lib)}

        manifest = world.manifest(files, Selection(submodules=True, lfs=True))

        assert world.contents(manifest)["l/a.bin"] == b"large"
        assert fake.repositories == ["/acme/lib.git"]


PRIVATE, PUBLIC = "acme/secret", "acme/public"


@pytest.mark.parametrize(
    ("opens", "narrow", "taken"),
    [
        # What GitHub gives an App for one repository.
        ((), True, {"public/key"}),
        # A person's token would open whatever that person may read, to whoever may push here.
        ((PRIVATE,), False, {"public/key"}),
        # It goes along, and GitHub decides.
        ((PRIVATE,), True, {"public/key", "secret/key"}),
    ],
)
def test_a_password_is_shown_for_submodules_only_if_it_opens_nothing_else(
    tmp_path: Path, opens: Sequence[str], *, narrow: bool, taken: set[str]
) -> None:
    with FakeGitHub(tmp_path / "github") as github:
        site = github.add_repository("acme/site", private=True)
        secret = github.add_repository(PRIVATE, private=True).commit({"key": b"k"})
        public = github.add_repository(PUBLIC).commit({"key": b"k"})
        token = github.add_personal_token(
            "octocat", {site.full_name: "read", **dict.fromkeys(opens, "read")}
        )
        commit = site.commit(
            {
                ".gitmodules": listing(secret="../secret", public="../public"),
                "secret": Entry(kind="submodule", content=secret),
                "public": Entry(kind="submodule", content=public),
            }
        )
        repository = Repository(
            id=RepositoryId(site.id),
            name=RepoName(site.full_name),
            default_branch=Branch(site.default_branch),
        )
        source = GitSource(tmp_path / "mirrors", github.git_url, lambda _: token, narrow=narrow)
        source.fetch(repository, CommitSha(commit))

        manifest = source.manifest(repository, CommitSha(commit), selection=MODULES)
        source.close()

    assert set(manifest.assets) - {".gitmodules"} == taken
    assert set(reasons(manifest)) == {"public", "secret"} - {path[:6] for path in taken}


def test_what_one_repository_may_read_another_does_not_find_on_our_disk(tmp_path: Path) -> None:
    with ExitStack() as stack:
        world = over_http(tmp_path, stack)
        lib = world.repo("lib").commit("main", {"key": b"k"})
        files: Files = {".gitmodules": listing(l="../lib"), "l": Submodule(lib)}
        world.manifest(files)
        world.repo("lib").lose_everything()  # for the other one it might never have been there
        other = world.repo("other")
        stranger = replace(other.repository, id=RepositoryId(8))
        commit = other.commit("main", files)
        world.source.fetch(stranger, commit)

        manifest = world.source.manifest(stranger, commit, selection=MODULES)

        assert set(manifest.assets) == {".gitmodules"}


class Names:
    """A resolver that knows one host."""

    def addresses(self, host: str) -> Sequence[str]:
        return ["93.184.215.14", "2606:2800:21f::1"] if host == ELSEWHERE else []


_RECORDING = """\
#!/bin/sh
case "$GIT_ALLOW_PROTOCOL" in
https) env > "{diary}"; echo "fatal: could not read Username" >&2; exit 128 ;;
*) exec {git} "$@" ;;
esac
"""


def test_a_strangers_host_is_asked_without_a_login_at_the_address_that_was_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, folder = shutil.which("git"), tmp_path / "bin"
    assert real is not None
    folder.mkdir()
    (folder / "git").write_text(_RECORDING.format(diary=tmp_path / "diary", git=real))
    (folder / "git").chmod(0o700)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    with ExitStack() as stack:
        server = stack.enter_context(serving_git(tmp_path / "server"))
        source = GitSource(
            tmp_path / "mirrors", server.url, lambda _: "ghs_x", narrow=True, resolver=Names()
        )
        stack.enter_context(closing(source))
        world = World(tmp_path / "server", source)
        urls = {"a": f"https://{ELSEWHERE}/x/y", "b": "https://unknown.example/x"}
        files: Files = {
            ".gitmodules": listing(**urls), "a": Submodule("1" * 40), "b": Submodule("1" * 40)
        }  # fmt: skip

        manifest = world.manifest(files)

    asked = (tmp_path / "diary").read_text().splitlines()
    assert "GIT_CONFIG_KEY_0=http.curloptResolve" in asked
    value = f"GIT_CONFIG_VALUE_0={ELSEWHERE}:443:93.184.215.14,[2606:2800:21f::1]"
    assert value in asked
    assert [line for line in asked if "ASKPASS" in line or "ghs_x" in line] == []
    assert "private, or not there" in reasons(manifest)["a"]
    assert "the host 'unknown.example' is not known" in reasons(manifest)["b"]


def test_git_takes_the_address_that_is_pinned(tmp_path: Path) -> None:
    """The setting is git 2.37's; an older one would ask whatever the name means by then."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        listener.settimeout(20)
        environment = {
            **closed_environment(tmp_path / "home", "https"),
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "http.curloptResolve",
            "GIT_CONFIG_VALUE_0": f"{ELSEWHERE}:{port}:127.0.0.1",
        }
        command = ["git", "ls-remote", f"https://{ELSEWHERE}:{port}/x"]
        with subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as asking:
            with listener.accept()[0] as connection:
                hello = connection.recv(2048)
            asking.wait()

    assert ELSEWHERE.encode() in hello  # the name that the certificate must have
