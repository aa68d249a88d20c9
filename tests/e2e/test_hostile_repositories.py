"""Real git, the real pipeline and a real platform against repositories that mean harm."""

import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from bot.adapters.git import taking
from bot.core.model.preview import DeploymentState
from bot.core.model.selection import Selection
from tests.e2e.hostile_repositories import (
    CASES,
    CHAIN_LEVELS,
    FILE_LIMIT_BYTES,
    LIVE,
    SUBMODULES,
    Case,
    delta_chain,
)
from tests.e2e.site import Site
from tests.e2e.surroundings import Surroundings
from tests.integration.git.origin import Origin, git
from tests.subhosting.server import RunningSubhosting


@dataclass
class HostileSite(Site):
    """A site, and what lies around it."""

    surroundings: Surroundings = field(kw_only=True)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostileSite]:
    folder = tmp_path_factory.mktemp("hostile")
    # Below pytest's folder its path would leave no room for a socket's.
    with TemporaryDirectory(prefix="hostile-") as short, pytest.MonkeyPatch.context() as patch:
        surroundings = Surroundings(folder, Path(short))
        # The bot runs in this process.
        for name, value in surroundings.variables.items():
            patch.setenv(name, value)
        patch.setattr(tempfile, "tempdir", str(surroundings.temporary))
        patch.setattr(taking, "MAX_FILE_BYTES", FILE_LIMIT_BYTES)
        server = RunningSubhosting(folder / "data")
        server.environment |= surroundings.variables
        surroundings.ours.add(server.runtime_dir)
        with server:
            yield HostileSite(folder, server, surroundings=surroundings)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_repository_that_means_harm_does_none(site: HostileSite, case: Case) -> None:
    before = site.surroundings.picture()

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
    assert site.surroundings.picture() == before


@pytest.mark.parametrize("case", SUBMODULES, ids=lambda case: case.name)
def test_it_does_none_either_where_submodules_and_lfs_are_allowed(
    site: HostileSite, case: Case
) -> None:
    before = site.surroundings.picture()
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
    assert site.surroundings.picture() == before


def test_there_are_at_least_forty_of_them() -> None:
    assert len(CASES) == len({case.name for case in CASES}) >= 40


def test_the_chain_of_deltas_is_as_long_as_it_says(tmp_path: Path) -> None:
    origin = Origin(tmp_path)

    delta_chain(CHAIN_LEVELS)(origin)

    (pack,) = (origin.path / "objects" / "pack").glob("*.idx")
    told = git("verify-pack", "-v", str(pack), cwd=origin.path)
    assert f"chain length = {CHAIN_LEVELS}: " in told


def rewritten_and_dated_back(file: Path) -> None:
    seen = file.stat()
    file.write_text("longer than before")
    os.utime(file, ns=(seen.st_atime_ns, seen.st_mtime_ns))


def turned(link: Path) -> None:
    link.unlink()
    link.symlink_to("elsewhere")


TOUCHES: dict[str, Callable[[Path], object]] = {
    "a new file": lambda place: (place / "new").write_text(""),
    "a new folder": lambda place: (place / "new").mkdir(),
    "a new link to a folder": lambda place: (place / "new").symlink_to("/etc"),
    "a file that is gone": lambda place: (place / "file").unlink(),
    "a file written anew": lambda place: os.utime(place / "file", ns=(0, 1)),
    "a file dated back": lambda place: rewritten_and_dated_back(place / "file"),
    "a file for all": lambda place: (place / "file").chmod(0o777),
    "a folder for all": lambda place: place.chmod(0o777),
    "a link that was turned": lambda place: turned(place / "link"),
}


@pytest.mark.parametrize("touch", TOUCHES)
@pytest.mark.parametrize("where", ["site/home", "tmp", "site"])
def test_a_picture_shows_whatever_is_touched(tmp_path: Path, where: str, touch: str) -> None:
    for name in ("site", "tmp"):
        (tmp_path / name).mkdir()
    surroundings = Surroundings(tmp_path / "site", tmp_path / "tmp")
    place = tmp_path / where
    place.mkdir(exist_ok=True)
    (place / "file").write_text("x")
    (place / "link").symlink_to("somewhere")
    before = surroundings.picture()
    assert surroundings.picture() == before

    TOUCHES[touch](place)

    assert surroundings.picture() != before
