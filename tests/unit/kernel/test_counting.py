import pytest

from bot.kernel.counting import counted, noun


@pytest.mark.parametrize(
    ("number", "words"), [(0, "no files"), (1, "1 file"), (2, "2 files"), (1200, "1200 files")]
)
def test_numbers_agree_with_what_they_count(number: int, words: str) -> None:
    assert counted(number, "file") == words


def test_a_part_is_of_the_whole() -> None:
    assert [noun(number, "file") for number in (0, 1, 2)] == ["files", "file", "files"]
