"""deno.json with other compiler options, whatever it was."""

import json
from pathlib import Path

import pytest

from bot.subhosting.build.overlay import lay_over, with_compiler_options
from bot.subhosting.store.settings import Settings

OPTIONS = {"jsx": "react"}


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("", {}),
        ("{}", {}),
        ('{"a": 1, "compilerOptions": {"jsx": "old", "x": 1}}', {"a": 1}),
        (
            '{"url": "https://x/*not a comment*/", "b": "a\\"//b"}',
            {"url": "https://x/*not a comment*/", "b": 'a"//b'},
        ),
        (
            '// head\n{"a": [1, 2,], /* x */ "b": {"c": 1, // y\n},\n}',
            {"a": [1, 2], "b": {"c": 1}},
        ),
        ('{"a": 1, /* " */ /* , */ }', {"a": 1}),
    ],
)
def test_only_the_compiler_options_change(text: str, rest: dict[str, object]) -> None:
    changed = with_compiler_options(text, OPTIONS)

    assert changed is not None
    assert json.loads(changed) == {**rest, "compilerOptions": OPTIONS}


@pytest.mark.parametrize(
    "text", ["[]", "{", '"', '{"a": 1,,}', "/*" * 1000, '{"a":' + ",/*" * 5000]
)
def test_what_is_no_configuration_is_left_alone(text: str) -> None:
    assert with_compiler_options(text, OPTIONS) is None


def test_the_nearest_configuration_is_replaced_and_its_blob_is_not(tmp_path: Path) -> None:
    source, blob = tmp_path / "src", tmp_path / "blob"
    (source / "app").mkdir(parents=True)
    blob.write_text('{"a": 1}')
    (source / "app" / "deno.json").hardlink_to(blob)
    (source / "deno.json").write_text("{}")
    settings = Settings(compiler_options=OPTIONS)

    for _ in range(2):
        lay_over(settings, source, "app/main.ts", tmp_path / "overlay")

    changed = json.loads((source / "app" / "deno.json").read_bytes())
    assert changed == {"a": 1, "compilerOptions": OPTIONS}
    assert blob.read_text() == '{"a": 1}'
    assert (source / "deno.json").read_text() == "{}"
