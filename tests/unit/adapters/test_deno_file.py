"""The `deploy` key of deno.json: what the bot takes from it, and what its author is told."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.adapters.config.reader import FileConfigReader
from bot.core.model.config import DenoFile
from bot.core.model.outcomes import Severity

PATH = "apps/web/deno.jsonc"


def read(text: str) -> DenoFile:
    file = FileConfigReader().read_deno(PATH, text.encode())
    assert file.problems == ()
    return file


def told(text: str | bytes) -> list[str]:
    content = text.encode() if isinstance(text, str) else text
    file = FileConfigReader().read_deno(PATH, content)
    assert not file.says_how_to_build
    return [f"{each.line}:{each.column} {each.message}" for each in file.problems]


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"tasks": {"build": "x"}}', '{"deploy": null}', '{"deploy": {}}']
)
def test_a_file_without_a_deploy_key_says_nothing(text: str) -> None:
    assert read(text) == DenoFile(path=PATH)


def test_comments_and_trailing_commas_are_taken_as_deno_takes_them() -> None:
    text = """\
// how it is built
{
  "deploy": { /* Deno Deploy's */
    "org": "acme", "app": "web",
    "build": "deno task build // no comment",
    "include": ["./src", "*.ts", ".",],
    "exclude": ["**/*.md"],
    "runtime": {"entrypoint": "./src/main.ts", "memoryLimit": 512, "args": ["-x"],},
  },
}
"""
    assert read(text) == DenoFile(
        path=PATH,
        says_how_to_build=True,
        entrypoint="src/main.ts",
        include=("src", "*.ts", "**"),
        exclude=("**/*.md",),
        org="acme",
        app="web",
    )


def test_a_static_site_starts_at_its_first_page() -> None:
    file = read('{"deploy": {"runtime": {"type": "static", "cwd": "./dist"}}}')

    assert file.entrypoint == "dist/index.html"


def test_a_step_that_is_turned_off_says_something() -> None:
    assert read('{"deploy": {"install": null}}').says_how_to_build


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"deploy": {\n  "build": 7}}', "2:3 deploy.build: must be a text"),
        ('{"deploy": []}', "1:2 deploy: must hold keys and values"),
        (
            '{"deploy": {"include": [\n"{a"]}}',
            "2:1 deploy.include: '{a' has braces that do not pair up, or braces in braces",
        ),
        (
            '{"deploy": {"runtime": {"entrypoint": "../x"}}}',
            "1:25 deploy.runtime.entrypoint: '../x' has the component '..'",
        ),
    ],
)
def test_a_wrong_value_is_told_with_its_place(text: str, words: str) -> None:
    assert told(text) == [words]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{\n  'a': 1}", '2:3 is no JSON: expected a key in double quotes, found "\'"'),
        ('{"a" 1}', "1:6 is no JSON: expected ':', found '1'"),
        ('{"a": }', "1:7 is no JSON: expected a value, found '}'"),
        ('{"a": 1', "1:8 is no JSON: expected ',', found ''"),
        ('{"a": "\n"}', "1:8 is no JSON: Invalid control character at"),
        ('{"a": "x', "1:7 is no JSON: Unterminated string starting at"),
        ("{} {}", "1:4 is no JSON: expected the end of the file, found '{'"),
        ("[" * 100_000, "1:52 is no JSON: nested more than 50 levels deep"),
        (b'{"a": "\xff"}', "1:1 is not UTF-8"),
        (" " * 300_000, "1:1 has 300,000 bytes, more than 262,144"),
    ],
)
def test_what_cannot_be_read_is_a_warning(text: str | bytes, words: str) -> None:
    content = text.encode() if isinstance(text, str) else text

    (remark,) = FileConfigReader().read_deno(PATH, content).problems

    assert told(content) == [f"{words}; its deploy key was not read"]
    assert remark.severity is Severity.WARNING


@settings(deadline=None)  # a busy machine is no slow reader
@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8")))
def test_no_content_breaks_the_reader(content: bytes) -> None:
    assert FileConfigReader().read_deno(PATH, content).path == PATH
