"""`previewbot setup` beside an installation that made an App."""

import subprocess
import sys
from pathlib import Path

from bot.bootstrap.made_app import has_made_app, made_app_in, open_setups, with_made_app
from bot.core.model.apps import GithubApp
from bot.kernel.processes import built_environment
from bot.settings import Settings

APP = GithubApp(
    id=7,
    slug="previewbot-example",
    html_url="https://github.com/apps/previewbot-example",
    private_key="pem-hush",
    webhook_secret="whs-hush",
)


def setup(data: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "bot", "setup", "--data", str(data), *words]
    environment = built_environment()
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def made(data: Path) -> Settings:
    settings = Settings(data_dir=data)
    with open_setups(settings) as setups:
        setups.open("state")
        setups.finish("key", APP)
    return settings


def test_the_app_is_shown_without_its_secrets(tmp_path: Path) -> None:
    made(tmp_path)

    done = setup(tmp_path)

    assert done.returncode == 0, done.stderr
    assert "previewbot-example (7)" in done.stdout
    assert "https://github.com/apps/previewbot-example/installations/new" in done.stdout
    assert "hush" not in done.stdout + done.stderr


def test_a_reset_forgets_it_once(tmp_path: Path) -> None:
    settings = made(tmp_path)

    first, second = setup(tmp_path, "--reset"), setup(tmp_path, "--reset")

    assert first.stdout.startswith("Forgotten.")
    assert second.stdout == "There was no App to forget.\n"
    assert not has_made_app(settings)


def test_before_the_set_up_the_way_to_it_is_told(tmp_path: Path) -> None:
    assert "`previewbot up` prints the link" in setup(tmp_path).stdout


def test_the_settings_become_those_of_the_app(tmp_path: Path) -> None:
    settings = made(tmp_path)

    completed = with_made_app(settings)

    assert (completed.github_app_id, completed.uses_github) == (7, True)
    assert made_app_in(settings) == APP
    assert set(completed.secrets()) == {"pem-hush", "whs-hush"}


def test_an_app_or_token_of_the_operator_is_left_alone(tmp_path: Path) -> None:
    made(tmp_path)
    by_token = Settings.take_from(
        {"PREVIEWBOT_DATA_DIR": str(tmp_path), "PREVIEWBOT_GITHUB_TOKEN": "ghp_x"}
    )

    assert with_made_app(by_token) == by_token


def test_looking_for_an_app_makes_nothing(tmp_path: Path) -> None:
    assert not has_made_app(Settings(data_dir=tmp_path))
    assert made_app_in(Settings(data_dir=tmp_path)) is None
    assert list(tmp_path.iterdir()) == []
