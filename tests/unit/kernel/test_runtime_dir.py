import tempfile
from pathlib import Path

import pytest

from bot.kernel.runtime_dir import runtime_directory


@pytest.fixture(autouse=True)
def _own_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def test_a_data_directory_has_one_private_place(tmp_path: Path) -> None:
    data = tmp_path / "data"

    place = runtime_directory(data)

    assert place == runtime_directory(tmp_path / "x" / ".." / "data")
    assert place != runtime_directory(tmp_path / "other")
    assert place.stat().st_mode & 0o777 == 0o700


def test_the_place_is_short_however_long_the_directory(tmp_path: Path) -> None:
    data = tmp_path / ("x" * 200) / ("y" * 200)

    assert len(runtime_directory(data).name) < 50


def test_a_place_that_others_may_enter_is_refused(tmp_path: Path) -> None:
    runtime_directory(tmp_path / "data").chmod(0o755)

    with pytest.raises(PermissionError, match="not private"):
        runtime_directory(tmp_path / "data")


def test_a_link_in_its_place_is_refused(tmp_path: Path) -> None:
    place = runtime_directory(tmp_path / "data")
    place.rmdir()
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    place.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(PermissionError):
        runtime_directory(tmp_path / "data")
