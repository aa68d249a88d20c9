"""Secrets at rest."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bot.subhosting.trust.sealing import KEY_FILE, SealBroken, open_seal


def test_what_was_sealed_is_unreadable_until_it_is_unsealed(tmp_path: Path) -> None:
    sealed = open_seal(tmp_path).seal("k\u00e4se", purpose="certificate:1")

    assert "k\u00e4se".encode() not in sealed
    assert open_seal(tmp_path).unseal(sealed, purpose="certificate:1") == "k\u00e4se"


def test_a_sealed_secret_is_of_no_use_in_another_place(tmp_path: Path) -> None:
    seal = open_seal(tmp_path)
    sealed = seal.seal("secret", purpose="certificate:1")

    with pytest.raises(SealBroken):
        seal.unseal(sealed, purpose="certificate:2")


def test_a_changed_or_foreign_secret_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    sealed = open_seal(tmp_path).seal("secret", purpose="x")

    with pytest.raises(SealBroken):
        open_seal(tmp_path).unseal(sealed[:-6] + b"AAAAA=", purpose="x")
    with pytest.raises(SealBroken):
        open_seal(tmp_path / "other").unseal(sealed, purpose="x")


def test_the_key_file_is_private_and_its_repr_shows_nothing(tmp_path: Path) -> None:
    seal = open_seal(tmp_path)
    key = (tmp_path / KEY_FILE).read_bytes()

    assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600
    assert key.hex() not in repr(seal)
    assert repr(key) not in repr(seal)
    assert [path.name for path in tmp_path.iterdir()] == [KEY_FILE]


def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    open_seal(tmp_path)
    (tmp_path / KEY_FILE).chmod(0o640)

    with pytest.raises(PermissionError, match="chmod 600"):
        open_seal(tmp_path)


def test_a_link_in_the_key_file_s_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(os.urandom(32))
    (tmp_path / KEY_FILE).symlink_to(tmp_path / "elsewhere")

    with pytest.raises(OSError, match=KEY_FILE):
        open_seal(tmp_path)


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_damaged_key_file_is_not_used(tmp_path: Path, size: int) -> None:
    descriptor = os.open(tmp_path / KEY_FILE, os.O_CREAT | os.O_WRONLY, 0o600)
    os.write(descriptor, b"x" * size)
    os.close(descriptor)

    with pytest.raises(ValueError, match="backup"):
        open_seal(tmp_path)


def test_processes_that_start_together_use_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        seals = list(pool.map(lambda _: open_seal(tmp_path), range(16)))

    sealed = seals[0].seal("secret", purpose="x")
    assert {seal.unseal(sealed, purpose="x") for seal in seals} == {"secret"}
