"""The largest of the hostile repositories: 100,000 files in one folder, and one more."""

from pathlib import Path

import pytest

from bot.adapters.git.source import GitSource
from bot.adapters.git.trees import MAX_FILES
from bot.core.model.errors import TreeRefused
from tests.e2e.hostile_repositories import many_files
from tests.integration.git.origin import Origin


def test_as_many_files_as_are_allowed_become_a_manifest(tmp_path: Path) -> None:
    origin = Origin(tmp_path / "server")
    commit = many_files(MAX_FILES - 1)(origin)  # and the entry point
    source = GitSource(tmp_path / "mirrors", origin.base_url, lambda _: None)
    source.fetch(origin.repository, commit)

    assert source.manifest(origin.repository, commit).files_total() == MAX_FILES


def test_one_more_is_refused(tmp_path: Path) -> None:
    origin = Origin(tmp_path / "server")
    commit = many_files(MAX_FILES)(origin)
    source = GitSource(tmp_path / "mirrors", origin.base_url, lambda _: None)
    source.fetch(origin.repository, commit)

    with pytest.raises(TreeRefused, match="one more than the 100,000 files"):
        source.manifest(origin.repository, commit)
