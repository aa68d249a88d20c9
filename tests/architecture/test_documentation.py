"""What the documents promise to list, they list."""

import ast
import json
import re
from dataclasses import fields
from pathlib import Path

import jsonschema
import pytest
import yaml

from bot.adapters.config.reader import FileConfigReader
from bot.cli.main import COMMANDS
from bot.settings import Settings
from bot.subhosting.config import Limits, RetentionLimits
from bot.wire.repository_config import AppEntry, ConfigDocument, json_schema

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
RECORDS = sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_every_setting_is_in_the_readme() -> None:
    settings = [f"PREVIEWBOT_{field.upper()}" for field in Settings.model_fields]

    assert [setting for setting in settings if f"`{setting}`" not in README] == []


def test_every_variable_in_the_readme_is_a_setting() -> None:
    named = set(re.findall(r"PREVIEWBOT_([A-Z_]*[A-Z])", README))

    assert {name.lower() for name in named} - set(Settings.model_fields) == set()


def test_every_limit_is_documented() -> None:
    page = (ROOT / "docs" / "platform.md").read_text(encoding="utf-8")
    limits = [field.name for kind in (Limits, RetentionLimits) for field in fields(kind)]

    assert [limit for limit in limits if f"`{limit}`" not in page] == []


def test_every_command_is_documented() -> None:
    texts = "\n".join(path.read_text(encoding="utf-8") for path in DOCUMENTS)

    assert [name for name in COMMANDS if not re.search(rf"previewbot {name}\b", texts)] == []


def test_every_key_of_a_repositorys_configuration_is_documented() -> None:
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    fields = {**AppEntry.model_fields, **ConfigDocument.model_fields}
    keys = [field.alias or name for name, field in fields.items()]

    assert [key for key in keys if f"`{key}`" not in page] == []


@pytest.mark.parametrize("place", ["docs", "bot/wire"])
def test_the_published_schema_is_what_the_code_checks(place: str) -> None:
    published = (ROOT / place / "previewbot.schema.json").read_text(encoding="utf-8")

    # `previewbot config schema` prints what both files have to hold.
    assert json.loads(published) == json_schema()


def test_the_example_configuration_is_valid() -> None:
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    examples = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)

    for example in examples:
        assert FileConfigReader().read("example", example.encode()).problems == ()
        jsonschema.validate(yaml.safe_load(example), json_schema())
    assert examples


def test_every_row_of_what_it_does_is_a_story_and_every_story_a_row() -> None:
    section = README.partition("\n## What it does\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (.+) \| (.+) \|$", section, re.MULTILINE)[1:]  # below the heading
    told = {re.sub(r"[^a-z0-9]+", "_", when.lower()).strip("_"): then for when, then in rows}

    assert told == stories()
    assert len(told) == len(rows) >= 25


def stories() -> dict[str, str | None]:
    """Return the stories' docstrings by the tests' names."""
    files = (ROOT / "tests" / "e2e" / "stories").glob("test_*.py")
    trees = [ast.parse(file.read_text(encoding="utf-8")) for file in files]
    return {
        node.name.removeprefix("test_"): ast.get_docstring(node)
        for tree in trees
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def test_every_decision_is_in_the_index() -> None:
    index = (ROOT / "docs" / "adr" / "README.md").read_text(encoding="utf-8")

    assert [name(record) for record in RECORDS if f"({record.name})" not in index] == []


@pytest.mark.parametrize("record", RECORDS, ids=name)
def test_a_decision_has_its_four_parts(record: Path) -> None:
    text = record.read_text(encoding="utf-8")

    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == [
        "Context",
        "Decision",
        "What this must not own",
        "Consequences",
    ]


def test_decisions_are_numbered_without_a_gap() -> None:
    assert [int(record.name[:4]) for record in RECORDS] == list(range(1, len(RECORDS) + 1))


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_a_link_to_a_file_leads_somewhere(document: Path) -> None:
    targets = LINK.findall(document.read_text(encoding="utf-8"))
    files = [link.split("#")[0] for link in targets if "://" not in link and link[0] != "#"]

    assert [file for file in files if not (document.parent / file).exists()] == []
