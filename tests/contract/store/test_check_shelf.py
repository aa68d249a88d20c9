"""One suite for every shelf of checks: the last state stands, whole."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.adapters.local.forge import CheckShelf
from bot.adapters.storage import connect
from bot.adapters.storage.checks import SqlCheckShelf
from bot.adapters.storage.memory_shelves import MemoryCheckShelf
from bot.core.model.checks import Check, CheckStatus, Conclusion
from bot.core.model.ids import (
    Branch,
    CommitSha,
    DeploymentId,
    RepoName,
    Repository,
    RepositoryId,
)
from bot.core.model.outcomes import Annotation, Severity

REPOSITORY = Repository(
    id=RepositoryId(7), name=RepoName("octo/site"), default_branch=Branch("main")
)


@pytest.fixture(params=["sql", "memory"])
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[CheckShelf]:
    if request.param == "memory":
        yield MemoryCheckShelf()
        return
    url = f"sqlite:///{tmp_path}/bot.db"
    connect.prepare(url)
    engines = connect.engines(url)
    yield SqlCheckShelf(engines)
    engines.dispose()


def check(**changes: object) -> Check:
    facts: dict[str, object] = {
        "deployment": DeploymentId("d1"),
        "repository": REPOSITORY,
        "head": CommitSha("1" * 40),
        "name": "preview",
        "status": CheckStatus.QUEUED,
        "title": "Queued",
        "summary": "**soon**",
        "details_url": None,
    }
    return Check(**(facts | changes))  # type: ignore[arg-type]  # facts of a test, spelt above


def test_a_check_comes_back_whole_and_in_its_last_state(shelf: CheckShelf) -> None:
    annotation = Annotation(
        path="main.ts", line=3, column=9, message="it\ns `broken`", severity=Severity.WARNING
    )
    done = check(
        status=CheckStatus.COMPLETED, conclusion=Conclusion.FAILURE, annotations=(annotation,)
    )

    assert shelf.put(check()) == shelf.put(done) == "d1"

    assert shelf.of(DeploymentId("d1")) == done


def test_there_is_no_check_before_the_first(shelf: CheckShelf) -> None:
    assert shelf.of(DeploymentId("d1")) is None
