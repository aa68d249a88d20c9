import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.kernel.globs import MAX_PATTERN_CHARS, Verdict, glob_problem, judge


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("main", "main"),
        ("*", "main"),
        ("feature/*", "feature/x"),
        ("feature/**", "feature/x/y"),
        ("**", "a/b/c"),
        ("**/*.md", "README.md"),
        ("**/*.md", "docs/a/b.md"),
        ("docs/**/*.md", "docs/b.md"),
        ("docs/**/*.md", "docs/x/y/b.md"),
        ("release-?", "release-7"),
        ("v[0-9]*", "v1.2"),
        ("[!a]*", "b"),
        ("{main,dev}", "dev"),
        ("{a,b}/{c,d}", "b/d"),
        ("{,x}/a", "a"),
        ("a**b", "a-anything-b"),
        ("**/x/**/y", "x/a/x/b/y"),
    ],
)
def test_a_pattern_fits(pattern: str, name: str) -> None:
    assert judge([pattern], name) == Verdict(fits=True, pattern=pattern)


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("main", "Main"),
        ("main", "main2"),
        ("*", "feature/x"),
        ("apps/web", "apps/web/main.ts"),
        ("feature/*", "feature"),
        ("*.md", "docs/a.md"),
        ("docs/**/*.md", "docs/a.txt"),
        ("apps/web", "apps/website/main.ts"),
        ("**/x/**/y", "x/a/z"),
        ("a.c", "abc"),
        ("?", "a/b"),
    ],
)
def test_a_pattern_does_not_fit(pattern: str, name: str) -> None:
    assert judge([pattern], name) == Verdict(fits=False, pattern=None)


@pytest.mark.parametrize("pattern", ["apps/web", "apps/web/", "**/web", "{apps,x}/web"])
def test_of_paths_a_plain_name_fits_what_its_folder_holds(pattern: str) -> None:
    assert judge([pattern], "apps/web/src/main.ts", folders=True).fits
    assert judge([pattern], "apps/web", folders=True).fits
    assert not judge([pattern], "apps/website/main.ts", folders=True).fits


def test_of_paths_a_star_fits_no_folder() -> None:
    assert not judge(["apps/*"], "apps/web/main.ts", folders=True).fits


def test_a_later_pattern_beats_the_earlier_ones() -> None:
    patterns = ["apps/**", "!apps/**/*.md", "apps/web/README.md"]

    assert judge(patterns, "apps/web/main.ts").fits
    assert judge(patterns, "apps/web/x.md") == Verdict(fits=False, pattern="!apps/**/*.md")
    assert judge(patterns, "apps/web/README.md").fits


def test_a_list_that_begins_by_taking_out_lets_in_the_rest() -> None:
    assert judge(["!dependabot/**"], "main") == Verdict(fits=True, pattern=None)
    assert not judge(["!dependabot/**"], "dependabot/npm/x").fits


def test_an_empty_list_lets_everything_in() -> None:
    assert judge([], "anything") == Verdict(fits=True, pattern=None)


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ("", "is empty"),
        ("!", "is empty"),
        ("/", "is empty"),
        ("/a", "begins with a slash"),
        ("a/../b", "has a component . or .."),
        ("{a", "do not pair up"),
        ("{a,{b,c}}", "braces in braces"),
        ("{a,b}" * 7, "more than 64 alternatives"),
        ("a" * (MAX_PATTERN_CHARS + 1), "is longer than"),
    ],
)
def test_what_is_no_pattern_is_told(pattern: str, problem: str) -> None:
    assert problem in (glob_problem(pattern) or "")
    with pytest.raises(ValueError, match=re.escape(problem)):
        judge([pattern], "x")


def test_a_hostile_pattern_takes_no_time() -> None:
    patterns = ["*a" * 100 + "*b", "**/a*/" * 40 + "b", "**/" * 80 + "b"]

    assert not judge(patterns, "/".join(["a" * 200] * 90)).fits


@settings(deadline=None)  # a busy machine is no slow reader
@given(st.lists(st.sampled_from(["a", "b", "*", "**", "?"]), min_size=1, max_size=5), st.data())
def test_it_says_what_an_expression_says(parts: list[str], data: st.DataObject) -> None:
    name = "/".join(data.draw(st.lists(st.sampled_from("abc"), min_size=1, max_size=6)))
    meanings = {"*": "[^/]+/", "?": "[^/]/", "**": "(?:[^/]+/)*"}
    expression = "".join(meanings.get(part, f"{part}/") for part in parts)

    assert judge(["/".join(parts)], name).fits == bool(re.fullmatch(expression, f"{name}/"))
