"""The largest of the hostile repositories: 100,000 files in one folder, and a file of 512 MB."""

from collections.abc import Iterator

import pytest

from bot.adapters.git.trees import MAX_FILE_BYTES, MAX_FILES
from bot.core.model.preview import DeploymentState
from tests.e2e.hostile_repositories import many_files, zeros
from tests.e2e.site import Site
from tests.integration.git.origin import Origin
from tests.subhosting.server import RunningSubhosting


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("hostile")
    with RunningSubhosting(folder / "data") as server:
        yield Site(folder, server)


def test_as_many_files_as_are_allowed_are_served(site: Site) -> None:
    origin = Origin(site.folder / "server", "acme/files")

    # And the entry point.
    ended = site.deployed(1, origin, many_files(MAX_FILES - 1)(origin))

    check = site.forge.of(ended.id)[-1]
    assert ended.state is DeploymentState.LIVE, check.summary
    assert ended.transfer is not None
    assert ended.transfer.files_total == MAX_FILES
    host = str(ended.url).removeprefix("http://").split(":")[0]
    assert site.server.get(host).text == "served"


def test_one_more_byte_than_a_file_may_have_is_refused(site: Site) -> None:
    origin = Origin(site.folder / "server", "acme/bytes")

    ended = site.deployed(2, origin, zeros(MAX_FILE_BYTES + 1)(origin))

    check = site.forge.of(ended.id)[-1]
    assert ended.state is DeploymentState.FAILED
    assert "'zeros.bin' has 536,870,913 bytes; 536,870,912 are taken" in check.summary
