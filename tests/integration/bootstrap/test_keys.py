import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from bot.bootstrap.keys import FILE_NAME, vault_from
from bot.core.model.errors import ConfigurationProblem
from bot.settings import Settings


def test_the_key_is_made_once_and_for_this_user_alone(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data")

    sealed = vault_from(settings).seal("x")

    assert vault_from(settings).open(sealed) == "x"
    [file] = (tmp_path / "data").iterdir()
    assert (file.name, stat.S_IMODE(file.stat().st_mode)) == (FILE_NAME, 0o600)


def test_several_that_make_the_key_at_once_agree(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)

    with ThreadPoolExecutor(8) as threads:
        vaults = list(threads.map(lambda _: vault_from(settings), range(8)))

    sealed = vaults[0].seal("x")
    assert {vault.open(sealed) for vault in vaults} == {"x"}
    assert [file.name for file in tmp_path.iterdir()] == [FILE_NAME]


def test_the_operators_key_is_used_and_none_is_made(tmp_path: Path) -> None:
    keys = [Fernet.generate_key().decode() for _ in range(2)]
    settings = Settings.take_from(
        {"PREVIEWBOT_DATA_DIR": str(tmp_path), "PREVIEWBOT_ENCRYPTION_KEY": " , ".join(keys)}
    )

    sealed = vault_from(settings).seal("x")

    assert Fernet(keys[0]).decrypt(sealed.encode()) == b"x"
    assert list(tmp_path.iterdir()) == []


def test_a_broken_key_file_is_an_error_that_names_the_setting(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text("\n")

    with pytest.raises(ConfigurationProblem, match="PREVIEWBOT_ENCRYPTION_KEY"):
        vault_from(Settings(data_dir=tmp_path))
