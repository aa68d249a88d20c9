import unicodedata

import pytest

from bot.core.render.terminal import printable, printable_line, visible
from tests.data import hostile


@pytest.mark.parametrize("text", hostile.HOSTILE)
def test_nothing_but_visible_characters_is_left(text: str) -> None:
    shown = printable(text)

    odd = {
        char
        for char in shown
        if unicodedata.category(char) in {"Cc", "Cf", "Cs"} and char not in "\n\t\u200c\u200d"
    }
    assert odd == set()


@pytest.mark.parametrize("text", hostile.HOSTILE)
def test_no_line_is_a_runners_command(text: str) -> None:
    shown = printable(text)

    assert "##[" not in shown
    assert [line for line in shown.split("\n") if line.strip().startswith("::")] == []


def test_escape_sequences_go_and_their_text_stays() -> None:
    assert visible(hostile.ANSI) == "red  "
    assert visible(hostile.TERMINAL_LINK) == "link"


def test_removing_one_sequence_does_not_make_another() -> None:
    assert visible("\x1b\x1b[m[31mred") == "[31mred"
    assert printable("##\x1b[m[error]") == "# #[error]"
    assert printable("\u200b::error::x") == ": :error::x"


def test_every_line_end_becomes_a_newline_or_a_space() -> None:
    assert visible(hostile.LINE_ENDS) == "one\ntwo\nthree four five six seven"
    assert printable_line(hostile.LINE_ENDS) == "one two three four five six seven"


def test_ordinary_text_stays_as_it_is() -> None:
    text = "Check file:///src/main.ts\n\tat a::b (héllo 👩\u200d💻) 50%"

    assert printable(text) == text
