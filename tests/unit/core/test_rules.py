import re
from collections.abc import Iterable

import pytest

from bot.core.decide.rules import Rules, is_rule, rules_above
from bot.core.model.errors import TreeRefused
from bot.core.model.selection import WHOLE, Selection

PATHS = ("main.ts", "readme.md", "docs/guide.md", "docs/api/index.md", "src/a.ts", "src/a_test.ts")
UNSET = b"* -export-ignore"


def taken(rules: Rules, paths: Iterable[str] = PATHS) -> list[str]:
    return [path for path in paths if rules.takes(path)]


def test_without_a_word_everything_is_taken() -> None:
    rules = Rules(WHOLE, {})

    assert rules.takes_all
    assert taken(rules) == list(PATHS)


def test_an_include_list_takes_what_fits_and_all_below_a_folder_that_does() -> None:
    assert taken(Rules(Selection(include=("src", "main.ts")), {})) == [
        "main.ts",
        "src/a.ts",
        "src/a_test.ts",
    ]


def test_an_exclude_list_is_stronger_than_an_include_list() -> None:
    selection = Selection(include=("src",), exclude=("**/*_test.ts",))

    assert taken(Rules(selection, {})) == ["src/a.ts"]


def test_the_last_pattern_that_fits_decides() -> None:
    assert taken(Rules(Selection(exclude=("**/*.md", "!docs/guide.md")), {})) == [
        "main.ts",
        "docs/guide.md",
        "src/a.ts",
        "src/a_test.ts",
    ]


def test_what_lies_in_an_ignored_folder_is_not_taken_out_again() -> None:
    assert "docs/guide.md" not in taken(Rules(WHOLE, {".previewignore": b"docs/\n!guide.md"}))
    assert "docs/guide.md" in taken(Rules(WHOLE, {".previewignore": b"docs/*\n!guide.md"}))


def test_a_previewignore_counts_at_the_root_of_the_app() -> None:
    files = {"web/.previewignore": b"# ours\r\n\r\n*.md\r\n", ".previewignore": b"*"}

    assert taken(Rules(Selection(root="web"), files)) == ["main.ts", "src/a.ts", "src/a_test.ts"]


def test_a_previewignore_takes_nothing_out_of_the_exclude_list() -> None:
    rules = Rules(Selection(exclude=("readme.md",)), {".previewignore": b"!readme.md\n"})

    assert "readme.md" not in taken(rules)


def test_spaces_at_the_end_are_no_part_of_a_pattern_unless_escaped() -> None:
    assert not Rules(WHOLE, {".previewignore": b"a  \n"}).takes("a")
    assert not Rules(WHOLE, {".previewignore": b"a\\ \n"}).takes("a ")
    assert Rules(WHOLE, {".previewignore": b"a\\ \n"}).takes("a")


@pytest.mark.parametrize(
    ("attributes", "left"),
    [
        ({".gitattributes": b"docs export-ignore\n"}, ["main.ts", "readme.md"]),
        ({".gitattributes": b"docs/ export-ignore\n"}, ["main.ts", "readme.md"]),
        # What lies in a folder that git does not even look into cannot be had back.
        (
            {".gitattributes": b"docs export-ignore\n", "docs/.gitattributes": UNSET},
            ["main.ts", "readme.md"],
        ),
        (
            {".gitattributes": b"*.md export-ignore\n", "docs/.gitattributes": UNSET},
            ["main.ts", "docs/guide.md", "docs/api/index.md"],
        ),
        (
            {".gitattributes": b"*.md export-ignore\nguide.md !export-ignore\n"},
            ["main.ts", "docs/guide.md"],
        ),
        (
            {".gitattributes": b"[attr]private export-ignore\n/readme.md private\n"},
            ["main.ts", "docs/guide.md", "docs/api/index.md"],
        ),
        (
            {".gitattributes": b"*.md export-ignore=yes\n"},
            ["main.ts", "readme.md", "docs/guide.md", "docs/api/index.md"],
        ),
        (
            {"docs/.gitattributes": b"[attr]private export-ignore\n*.md private\n"},
            ["main.ts", "readme.md", "docs/guide.md", "docs/api/index.md"],
        ),
        (
            {".gitattributes": b'"read\\155e.md" export-ignore\n'},
            ["main.ts", "docs/guide.md", "docs/api/index.md"],
        ),
    ],
)  # fmt: skip
def test_export_ignore_takes_away_what_git_archive_would(
    attributes: dict[str, bytes], left: list[str]
) -> None:
    assert taken(Rules(WHOLE, attributes), PATHS[:4]) == left


def test_attributes_from_above_the_root_count_but_not_against_the_root_itself() -> None:
    attributes = {
        ".gitattributes": b"apps export-ignore\n*.md export-ignore\n",
        "apps/.gitattributes": b"site/src export-ignore\n",
    }

    assert taken(Rules(Selection(root="apps/site"), attributes)) == ["main.ts"]


def test_attributes_say_what_belongs_to_lfs() -> None:
    attributes = {
        ".gitattributes": b"*.psd filter=lfs -text\nold.psd -filter\n*.bin filter=other\n"
    }
    rules = Rules(WHOLE, attributes)

    assert [p for p in ("a.psd", "d/b.psd", "old.psd", "c.bin") if rules.says_lfs(p)] == [
        "a.psd",
        "d/b.psd",
    ]


@pytest.mark.parametrize(
    ("selection", "files", "words"),
    [
        (Selection(exclude=("x",) * 101), {}, "'exclude' has 101 patterns; at most 100"),
        (Selection(include=("x",) * 101), {}, "'include' has 101 patterns; at most 100"),
        (Selection(include=("a{",)), {}, "'include' has the pattern 'a{', which has braces"),
        (Selection(root="w"), {"w/.previewignore": b"x\n" * 1001}, "'w/.previewignore' has 1,001"),
        (WHOLE, {".gitattributes": b"x export-ignore\n" * 1001}, "'.gitattributes' has 1,001"),
    ],
)
def test_more_patterns_than_anybody_needs_and_broken_ones_are_refused(
    selection: Selection, files: dict[str, bytes], words: str
) -> None:
    with pytest.raises(TreeRefused, match=re.escape(words)):
        Rules(selection, files)


def test_attributes_of_other_kinds_are_not_counted() -> None:
    rules = Rules(WHOLE, {".gitattributes": b"*.c diff=cpp\n" * 5000})

    assert rules.takes_all


def test_rules_are_looked_for_at_the_root_and_above() -> None:
    selection = Selection(root="apps/site")

    assert list(rules_above(selection)) == [".gitattributes", "apps/.gitattributes"]
    assert is_rule("apps/site/.previewignore", selection)
    assert is_rule("apps/site/deep/.gitattributes", selection)
    assert not is_rule(".previewignore", selection)
    assert not is_rule("apps/site/x.gitattributes", selection)
    assert list(rules_above(WHOLE)) == []
