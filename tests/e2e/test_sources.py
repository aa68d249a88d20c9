"""Repositories of all kinds, through the real pipeline, on a real platform."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from bot.core.model.preview import Deployment, DeploymentState
from bot.core.model.selection import Selection
from tests.e2e.site import Site
from tests.fakes.lfs import FakeLfs, serving_storage
from tests.fakes.smart_http import GitServer, serving_git
from tests.fakes.source import Files, Submodule
from tests.integration.git.origin import Origin
from tests.subhosting.server import RunningSubhosting

READER = b"""\
Deno.serve(async (request) => {
  const path = new URL(request.url).pathname.slice(1);
  try {
    return new Response(await Deno.readTextFile(new URL(path, import.meta.url)));
  } catch (error) {
    return new Response(error.name, { status: 404 });
  }
});
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("sources")
    with RunningSubhosting(folder / "data") as server:
        yield Site(folder, server)


@pytest.fixture(scope="module")
def git(site: Site) -> Iterator[GitServer]:
    with ExitStack() as stack:
        server = stack.enter_context(serving_git(site.folder / "server"))
        server.lfs = stack.enter_context(serving_storage())
        yield server


def served(site: Site, deployment: Deployment, path: str) -> str:
    assert deployment.state is DeploymentState.LIVE, site.forge.of(deployment.id)[-1].summary
    host = str(deployment.url).removeprefix("http://").split(":")[0]
    return site.server.get(host, f"/{path}").text


def lfs(git: GitServer) -> FakeLfs:
    assert git.lfs is not None
    return git.lfs


def test_a_repository_of_sha256_is_deployed_and_a_push_sends_its_change(
    site: Site, git: GitServer
) -> None:
    origin = Origin(git.directory, "acme/modern", algorithm="sha256")
    files: Files = {"main.ts": READER, **{f"d/{n}.txt": b"%d" % n for n in range(20)}}

    first = site.deployed(1, origin, origin.commit("main", files), url=git.url)
    second = site.deployed(
        1, origin, origin.commit("main", {**files, "d/3.txt": b"new"}), url=git.url
    )

    assert len(second.head) == 64
    assert [served(site, second, f"d/{n}.txt") for n in (2, 3)] == ["2", "new"]
    assert first.transfer is not None
    assert second.transfer is not None
    assert (first.transfer.files_sent, second.transfer.files_sent) == (21, 1)
    assert second.transfer.bytes_sent < 1500


def test_files_in_lfs_are_served_and_travel_once(site: Site, git: GitServer) -> None:
    origin = Origin(git.directory, "acme/pictures")
    picture = lfs(git).put(b"a picture")
    files: Files = {
        ".gitattributes": b"*.psd filter=lfs\n",
        "main.ts": READER,
        "a.psd": picture,
    }
    allowed = Selection(lfs=True)

    site.deployed(2, origin, origin.commit("main", files), url=git.url, selection=allowed)
    again = site.deployed(
        2,
        origin,
        origin.commit("main", {**files, "b.psd": lfs(git).put(b"another")}),
        url=git.url,
        selection=allowed,
    )

    assert served(site, again, "a.psd") == "a picture"
    assert served(site, again, "b.psd") == "another"
    assert len(lfs(git).downloads) == 2
    assert again.transfer is not None
    assert again.transfer.files_sent == 1


def test_files_of_submodules_are_served_and_travel_once(site: Site, git: GitServer) -> None:
    library = Origin(git.directory, "acme/library")
    old = library.commit("main", {"same.txt": b"same", "version.txt": b"1"})
    new = library.commit("main", {"same.txt": b"same", "version.txt": b"2"})
    origin = Origin(git.directory, "acme/borrower")
    files: Files = {
        ".gitmodules": b'[submodule "x"]\n\tpath = lib\n\turl = ../library\n',
        "main.ts": READER,
        "lib": Submodule(old),
    }
    allowed = Selection(submodules=True)

    site.deployed(3, origin, origin.commit("main", files), url=git.url, selection=allowed)
    moved = origin.commit("main", {**files, "lib": Submodule(new)})
    second = site.deployed(3, origin, moved, url=git.url, selection=allowed)

    assert served(site, second, "lib/version.txt") == "2"
    assert served(site, second, "lib/same.txt") == "same"
    assert second.transfer is not None
    assert second.transfer.files_sent == 1


def test_without_leave_pointers_and_submodules_are_warnings_on_a_live_preview(
    site: Site, git: GitServer
) -> None:
    origin = Origin(git.directory, "acme/careful")
    files: Files = {
        ".gitattributes": b"*.psd filter=lfs\n",
        "main.ts": READER,
        "a.psd": lfs(git).put(b"a third"),
        "lib": Submodule(),
    }

    ended = site.deployed(4, origin, origin.commit("main", files), url=git.url)

    assert served(site, ended, "a.psd") == "NotFound"
    warnings = {note.path: note.message for note in site.forge.of(ended.id)[-1].annotations}
    assert warnings.keys() == {"a.psd", "lib"}
    assert "lfs: true" in warnings["a.psd"]
    assert "submodules: true" in warnings["lib"]


def test_a_mirror_that_is_gone_costs_a_fetch_and_no_deployment(site: Site, git: GitServer) -> None:
    origin = Origin(git.directory, "acme/lost")
    files: Files = {"main.ts": READER, "a": b"1"}
    site.deployed(5, origin, origin.commit("main", files), url=git.url)
    for mirror in (site.folder / "mirrors").glob("5-*.git"):
        shutil.rmtree(mirror)

    again = site.deployed(5, origin, origin.commit("main", {**files, "a": b"2"}), url=git.url)

    assert served(site, again, "a") == "2"
    assert again.transfer is not None
    assert again.transfer.files_sent == 1
