"""One server for all tests of databases, with an S3 of ours that it may reach."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.subhosting.s3 import FakeS3, running_s3
from tests.subhosting.package_registry import package_registry
from tests.subhosting.server import Json, RunningSubhosting

KEY_ID = "AKIAIOSFODNN7EXAMPLE"
KEY = "secret-access-key-of-tests"


@pytest.fixture(scope="session")
def s3() -> Iterator[FakeS3]:
    with running_s3(KEY_ID, KEY) as running:
        yield running


@pytest.fixture(scope="session")
def backup_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("backups")


@pytest.fixture(scope="session")
def server(
    tmp_path_factory: pytest.TempPathFactory, s3: FakeS3, backup_dir: Path
) -> Iterator[RunningSubhosting]:
    host = s3.endpoint.removeprefix("http://").partition(":")[0]
    settings = {"open_addresses": [host], "backup_dir": str(backup_dir), "warm_up": 3}
    with package_registry() as registry:
        packages = {"npm_registry": registry, "jsr_registry": registry}
        data_dir = tmp_path_factory.mktemp("databases") / "data"
        with RunningSubhosting(data_dir, **settings, **packages) as running:
            yield running


@pytest.fixture
def database(server: RunningSubhosting) -> Json:
    made = server.call("POST", f"/v1/organizations/{server.organization}/databases", {})
    assert made.status == 200, made
    document: Json = made.json
    return document
