"""Real git, the real pipeline and a real platform against repositories that mean harm."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.core.model.preview import DeploymentState
from bot.core.model.selection import Selection
from tests.e2e.hostile_repositories import CASES, LIVE, SUBMODULES, Case
from tests.e2e.site import Site
from tests.integration.git.origin import Origin
from tests.subhosting.server import RunningSubhosting


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("hostile")
    with RunningSubhosting(folder / "data") as server:
        yield Site(folder, server)


def outside(site: Site) -> dict[str, float]:
    """Return every path that nobody may have touched, with when it was changed."""
    # What we write to by right: data directory and log of the server, mirrors, repositories.
    ours = {site.folder / name for name in ("data", "data.log", "mirrors", "server")}
    found: dict[str, float] = {}
    for root in (site.folder, Path.cwd() / "bot", Path("/etc")):
        for place, folders, names in os.walk(root):
            folders[:] = [
                name
                for name in folders
                if Path(place) / name not in ours and name != "__pycache__"
            ]
            # Not the folders' own times: whoever imports our code makes caches beside it.
            for path in (Path(place) / name for name in names):
                if path not in ours:
                    found[str(path)] = path.lstat().st_mtime
    # Tools keep their caches here, in hidden folders.
    return found | {str(each): 0.0 for each in Path.cwd().iterdir() if each.name[0] != "."}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_repository_that_means_harm_does_none(site: Site, case: Case) -> None:
    before = outside(site)

    number = CASES.index(case) + 1
    origin = Origin(site.folder / "server", f"acme/case{number}")

    ended = site.deployed(number, origin, case.push(origin))

    check = site.forge.of(ended.id)[-1]
    if case.outcome == LIVE:
        assert ended.state is DeploymentState.LIVE, check.summary
        assert site.server.get(str(ended.url).removeprefix("http://").split(":")[0]).text == (
            "served"
        )
    else:
        assert ended.state is DeploymentState.FAILED
        assert case.outcome in f"{check.title}\n{check.summary}"
    assert outside(site) == before


@pytest.mark.parametrize("case", SUBMODULES, ids=lambda case: case.name)
def test_it_does_none_either_where_submodules_and_lfs_are_allowed(site: Site, case: Case) -> None:
    before = outside(site)
    number = len(CASES) + SUBMODULES.index(case) + 1
    origin = Origin(site.folder / "server", f"acme/case{number}")
    allowed = Selection(lfs=True, submodules=True)

    ended = site.deployed(number, origin, case.push(origin), selection=allowed)

    check = site.forge.of(ended.id)[-1]
    if case.outcome == LIVE:
        assert ended.state is DeploymentState.LIVE, check.summary
        assert ["submodule" in note.message for note in check.annotations] == [True]
    else:
        assert case.outcome in f"{check.title}\n{check.summary}"
    assert outside(site) == before


def test_there_are_at_least_forty_of_them() -> None:
    assert len(CASES) == len({case.name for case in CASES}) >= 40
