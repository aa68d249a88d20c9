"""Patterns against paths; `tests/integration/git/test_rules.py` asks git itself the same."""

import time

import pytest

from bot.kernel.wildmatch import path_pattern

FITS = [
    ("a", "a"),
    ("a", "d/e/a"),
    ("*.txt", "d/x.txt"),
    ("/a", "a"),
    ("d/a", "d/a"),
    ("d/*", "d/x"),
    ("d/*/a", "d/x/a"),
    ("**/a", "a"),
    ("**/a", "d/e/a"),
    ("d/**", "d/x/y"),
    ("d/**/a", "d/a"),
    ("d/**/a", "d/x/y/a"),
    ("a/**/b/**/c", "a/x/b/b/y/c"),
    ("**/d/**/a", "x/d/d/a"),
    ("?", "ü"),
    ("[a-c]x", "bx"),
    ("[!a-c]x", "dx"),
    ("[^a-c]x", "dx"),
    ("[]x]", "]"),
    ("[a-]", "-"),
    ("[[:digit:][:upper:]]", "Q"),
    ("[[:a]", ":"),
    ("[\\]]", "]"),
    (r"\*", "*"),
    (r"\!a", "!a"),
    ("*a*b*", "xaybz"),
    ("***", "any"),
    ("x**y", "xaay"),
    ("new\nline", "new\nline"),
]

FITS_NOT = [
    ("a", "ab"),
    ("/a", "d/a"),
    ("d/a", "x/d/a"),
    ("d/*", "d/x/y"),
    ("d/**", "d"),
    ("d/**/a", "d/xa"),
    ("**/a", "xa"),
    ("a/**/b/**/c", "a/b"),
    ("?", "/"),
    ("[a/b]", "/"),
    ("[z-a]", "m"),
    ("[a", "[a"),
    ("[[:nothing:]]", "n"),
    ("[[:digit:", "1"),
    ("a\\", "a\\"),
    ("", "a"),
    ("/", "a"),
    ("*ab", "b"),
    ("a*a", "a"),
    ("d/a/", "d/a"),
]


@pytest.mark.parametrize(("pattern", "path"), FITS)
def test_a_path_fits(pattern: str, path: str) -> None:
    assert path_pattern(pattern).matches(path, is_folder=False)


@pytest.mark.parametrize(("pattern", "path"), FITS_NOT)
def test_a_path_fits_not(pattern: str, path: str) -> None:
    assert not path_pattern(pattern).matches(path, is_folder=False)


def test_a_slash_at_the_end_wants_a_folder() -> None:
    assert path_pattern("d/").matches("x/d", is_folder=True)
    assert not path_pattern("d/").matches("x/d", is_folder=False)


def test_an_exclamation_mark_negates_and_is_no_part_of_the_pattern() -> None:
    pattern = path_pattern("!a")

    assert pattern.negated
    assert pattern.matches("a", is_folder=False)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("*a" * 60 + "*b", "a" * 250),
        ("/".join(["**", "a"] * 40) + "/b", "/".join(["a"] * 99)),
        ("?*" * 100 + "b", "a" * 250),
        ("[a-z]*" * 60 + "9", "a" * 250),
    ],
)
def test_a_pattern_made_to_take_forever_takes_no_time(pattern: str, path: str) -> None:
    compiled = path_pattern(pattern)
    started_s = time.process_time()

    assert not compiled.matches(path, is_folder=False)

    # Milliseconds; a matcher that tries all ways would not end within the age of the universe.
    assert time.process_time() - started_s < 5
