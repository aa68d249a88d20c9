import pytest
from cryptography.fernet import Fernet

from bot.adapters.storage.vault import Vault
from bot.core.model.errors import ConfigurationProblem

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()
SECRET = "hush: ключ"


def test_what_is_sealed_is_opened_and_not_readable_before() -> None:
    sealed = Vault([OLD]).seal(SECRET)

    assert SECRET not in sealed
    assert Vault([OLD]).open(sealed) == SECRET


def test_the_same_text_is_sealed_differently_each_time() -> None:
    vault = Vault([OLD])

    assert vault.seal(SECRET) != vault.seal(SECRET)


def test_a_new_key_in_front_seals_and_the_old_one_still_opens() -> None:
    before = Vault([OLD]).seal(SECRET)
    both = Vault([NEW, OLD])

    assert both.open(before) == SECRET
    assert Vault([NEW]).open(both.seal(SECRET)) == SECRET


def test_another_key_is_an_error_that_names_the_setting() -> None:
    sealed = Vault([OLD]).seal(SECRET)

    with pytest.raises(ConfigurationProblem, match="PREVIEWBOT_ENCRYPTION_KEY: does not open"):
        Vault([NEW]).open(sealed)


@pytest.mark.parametrize("keys", [[], [""], ["too-short"], [OLD, "ü" * 44]])
def test_what_is_no_key_is_refused_without_being_repeated(keys: list[str]) -> None:
    with pytest.raises(ConfigurationProblem) as caught:
        Vault(keys)

    assert "openssl rand" in str(caught.value)
    assert OLD not in str(caught.value)
