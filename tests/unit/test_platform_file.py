"""The operator's file reaches the platform, or says exactly what is wrong in it."""

from datetime import timedelta
from pathlib import Path

import pytest

from bot.bootstrap.platform import platform_config
from bot.bootstrap.platform_file import configured
from bot.core.model.errors import ConfigurationProblem
from bot.settings import Settings
from bot.subhosting.config import Limits, SubhostingConfig

DEFAULT = SubhostingConfig(data_dir=Path("/data"))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "platform.toml"


def test_without_a_file_everything_is_as_it_was() -> None:
    assert configured(DEFAULT, None) is DEFAULT


def test_what_is_given_changes_and_the_rest_stays(file: Path) -> None:
    file.write_text(
        """
        idle_after = 60
        answer_within = 2.5
        backup_dir = "/backups"
        open_addresses = ["10.0.0.0/8"]
        installer_environment = [["HTTPS_PROXY", "http://proxy:3128"]]

        [limits]
        files = 7
        deployments_per_hour = 60
        """
    )

    changed = configured(DEFAULT, file)

    assert changed.limits == Limits(files=7, deployments_per_hour=60)
    assert changed.idle_after == timedelta(minutes=1)
    assert changed.answer_within == timedelta(seconds=2.5)
    assert changed.backup_dir == Path("/backups")
    assert changed.open_addresses == ("10.0.0.0/8",)
    assert changed.installer_environment == (("HTTPS_PROXY", "http://proxy:3128"),)
    assert (changed.runtime, changed.data_dir) == (DEFAULT.runtime, DEFAULT.data_dir)


def test_a_setting_leads_to_the_file(file: Path, tmp_path: Path) -> None:
    file.write_text("[limits]\nfile_bytes = 1000\n")
    settings = Settings(data_dir=tmp_path, platform_file=file)

    config = platform_config(settings)

    assert config.limits.file_bytes == 1000
    assert config.data_dir.is_relative_to(tmp_path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[limits]\nfles = 1\n", "limits.fles: Extra inputs are not permitted"),
        ("[limits]\nfiles = -1\n", "limits.files: Input should be greater than or equal to 0"),
        ("[limits]\nfiles = '7'\n", "limits.files: Input should be a valid integer"),
        ("[limits]\nfiles = true\n", "limits.files: Input should be a valid integer"),
        ("idle_after = -1\n", "idle_after: "),
        ("idle_after = 'soon'\n", "idle_after: "),
        ("data_dir = '/elsewhere'\n", "data_dir: Extra inputs"),
        ("min_isolation = 'L9'\n", "L9"),
        ("npm_registry = 'http://me:word@r'\n", "must not hold a password"),
        ("limits = 3\n", "limits: "),
        ("this is no TOML", "platform.toml"),
    ],
)
def test_what_is_wrong_is_named(file: Path, text: str, words: str) -> None:
    file.write_text(text)

    with pytest.raises(ConfigurationProblem) as refused:
        configured(DEFAULT, file)

    assert refused.value.setting == "PREVIEWBOT_PLATFORM_FILE"
    assert words in refused.value.problem


def test_a_file_that_is_not_there_is_named(file: Path) -> None:
    with pytest.raises(ConfigurationProblem, match=r"platform\.toml.*No such file"):
        configured(DEFAULT, file)


def test_a_secret_is_not_repeated(file: Path) -> None:
    file.write_text("tls_proxy_secret = ['hush']\n")

    with pytest.raises(ConfigurationProblem, match="tls_proxy_secret") as refused:
        configured(DEFAULT, file)

    assert "hush" not in str(refused.value)
