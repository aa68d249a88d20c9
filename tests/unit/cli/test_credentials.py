import stat
from pathlib import Path

import pytest

from bot.cli.credentials import (
    FILE_NAME,
    load,
    load_or_create,
    webhook_secret,
    webhook_url,
    write_address,
)


def test_credentials_are_made_once(tmp_path: Path) -> None:
    first = load_or_create(tmp_path)

    assert load_or_create(tmp_path) == first
    assert load(tmp_path) == first
    assert first.api_token.startswith("ddo_")


def test_two_installations_share_nothing(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()

    first, second = load_or_create(tmp_path / "a"), load_or_create(tmp_path / "b")

    assert first.webhook_secret != second.webhook_secret
    assert first.organization != second.organization


def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    load_or_create(tmp_path)

    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600


def test_credentials_do_not_print_themselves(tmp_path: Path) -> None:
    credentials = load_or_create(tmp_path)

    assert credentials.webhook_secret not in repr(credentials)


def test_the_address_is_found_again(tmp_path: Path) -> None:
    write_address(tmp_path, "http://127.0.0.1:1/webhooks/github")

    assert webhook_url(tmp_path) == "http://127.0.0.1:1/webhooks/github"


def test_hooks_sign_with_the_secret_that_was_made_up(tmp_path: Path) -> None:
    made = load_or_create(tmp_path)
    write_address(tmp_path, "http://127.0.0.1:1/webhooks/github")

    assert webhook_secret(tmp_path) == made.webhook_secret


def test_hooks_sign_with_the_operators_secret_if_there_is_one(tmp_path: Path) -> None:
    load_or_create(tmp_path)
    write_address(tmp_path, "http://127.0.0.1:1/webhooks/github", "chosen")

    assert webhook_secret(tmp_path) == "chosen"
    assert stat.S_IMODE((tmp_path / "address.json").stat().st_mode) == 0o600


def test_a_directory_that_never_ran_has_no_address(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        webhook_url(tmp_path)
