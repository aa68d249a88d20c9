from bot.kernel.ids import ALPHABET, ID_LENGTH, RandomIds


def test_an_id_is_safe_in_a_dns_label_and_a_path() -> None:
    new = RandomIds().new()

    assert len(new) == ID_LENGTH
    assert set(new) <= set(ALPHABET)


def test_ids_do_not_repeat() -> None:
    ids = RandomIds()

    assert len({ids.new() for _ in range(1000)}) == 1000


def test_no_letter_can_be_taken_for_another() -> None:
    assert not set("ilou") & set(ALPHABET)
    assert len(set(ALPHABET)) == len(ALPHABET) == 32
