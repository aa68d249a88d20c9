"""`.github/previewbot.yml`: what it means, and what its author is told about a mistake."""

from datetime import timedelta

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.adapters.config.nodes import MAX_BYTES, MAX_VALUES
from bot.adapters.config.reader import FileConfigReader
from bot.core.model.config import (
    AppConfig,
    ForkPolicy,
    Lifetimes,
    Mode,
    Place,
    Production,
    Recipe,
    RepositoryConfig,
    Rules,
)
from bot.core.model.ids import AppName
from bot.core.model.outcomes import Annotation
from bot.core.model.surfaces import Surface

PATH = ".github/previewbot.yml"

EVERY_KEY = """\
root: ./apps/web/
include: ["src/**", static]
exclude: ["**/*.test.ts"]
entrypoint: dist/index.html
install: deno install
build: deno task build
predeploy: null
spa: true
mode: label
branches: [main, "feature/**", 2024]
paths: ["apps/web/**"]
label: show me
skip-labels: [wip]
drafts: false
bots: false
locked: "release weekend"
production: true
production-domain: App.Example.com
target: deno
surfaces: [check, comment]
ttl: 14d
idle: 36h
max-previews: 20
forks: never
lfs: true
submodules: true
"""


def read(text: str | bytes) -> RepositoryConfig:
    content = text.encode() if isinstance(text, str) else text
    file = FileConfigReader().read(PATH, content)
    assert file.problems == ()
    assert file.config is not None
    return file.config


def told(text: str | bytes) -> list[str]:
    """Return what the author is told, as `line:column message`."""
    content = text.encode() if isinstance(text, str) else text
    file = FileConfigReader().read(PATH, content)
    assert file.config is None
    assert {remark.path for remark in file.problems} == {PATH}
    return [f"{each.line}:{each.column} {each.message}" for each in file.problems]


@pytest.mark.parametrize("text", ["", "\n# nothing\n", "---\n", "root: .\n", "apps:\nbranches:\n"])
def test_a_file_that_says_nothing_leaves_the_defaults(text: str) -> None:
    assert read(text) == RepositoryConfig()


def test_every_key_has_its_meaning() -> None:
    assert read(EVERY_KEY) == RepositoryConfig(
        apps=(
            AppConfig(
                recipe=Recipe(
                    root="apps/web",
                    include=("src/**", "static"),
                    exclude=("**/*.test.ts",),
                    entrypoint="dist/index.html",
                    install="deno install",
                    build="deno task build",
                    predeploy="",
                    spa=True,
                ),
                rules=Rules(
                    mode=Mode.LABEL,
                    branches=("main", "feature/**", "2024"),
                    paths=("apps/web/**",),
                    label="show me",
                    skip_labels=("wip",),
                    drafts=False,
                    bots=False,
                    locked="release weekend",
                ),
                production=Production(domain="app.example.com"),
                target="deno",
            ),
        ),
        surfaces=frozenset({Surface.CHECK, Surface.COMMENT}),
        lifetimes=Lifetimes(longest=timedelta(days=14), idle=timedelta(hours=36), most=20),
        forks=ForkPolicy.NEVER,
        lfs=True,
        submodules=True,
    )


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["hosted", "other"], "there is no 'hostd'; there is hosted and other; did you mean"),
        ([], "there is no 'hostd'; whoever operates previewbot has named no targets"),
    ],
)
def test_a_target_that_there_is_not_is_told_at_its_line(names: list[str], words: str) -> None:
    text = b"apps:\n  - name: web\n    target: hostd\n  - name: docs\n"

    [found] = FileConfigReader(names).read(PATH, text).problems

    assert (found.line, found.column) == (3, 5)
    assert found.message.startswith(f"target: {words}")


def test_where_nobody_knows_the_targets_any_name_will_do() -> None:
    assert FileConfigReader().read(PATH, b"target: hostd\n").problems == ()


def test_an_app_takes_from_the_top_what_it_does_not_say() -> None:
    config = read(
        """
build: deno task build
branches: [main]
apps:
  - name: web
    root: apps/web
  - name: docs
    root: docs
    build: null
    branches: ["**"]
"""
    )

    assert config.apps == (
        AppConfig(
            name=AppName("web"),
            recipe=Recipe(root="apps/web", build="deno task build"),
            rules=Rules(branches=("main",)),
        ),
        AppConfig(
            name=AppName("docs"),
            recipe=Recipe(root="docs", build=""),
            rules=Rules(branches=("**",)),
        ),
    )


def test_a_word_that_other_readers_take_for_a_boolean_is_a_text() -> None:
    assert read("branches: [no, on, 1.10, 007, 0x1f]").apps[0].rules.branches == (
        "no",
        "on",
        "1.10",
        "007",
        "0x1f",
    )


def test_keys_tell_where_they_stand() -> None:
    file = FileConfigReader().read(PATH, b"mode: auto\napps:\n  - name: web\n    spa: true\n")

    assert file.places["mode",] == Place(line=1, column=1)
    assert file.places["apps", 0, "spa"] == Place(line=4, column=5)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("rots: x", "1:1 there is no key 'rots'; did you mean 'root'?"),
        ("skip_labels: []", "1:1 there is no key 'skip_labels'; did you mean 'skip-labels'?"),
        ("zzz: x", "1:1 there is no key 'zzz'"),
        (
            "\n\nmode: labl",
            "3:1 mode: must be auto, label, command or manual; did you mean 'label'?",
        ),
        ("spa: yes", "1:1 spa: write true instead of yes"),
        ("drafts: 1", "1:1 drafts: must be true or false"),
        ("branches: main", "1:1 branches: must be a list, one entry a line with a dash before it"),
        ("build: ''", "1:1 build: must not be empty"),
        ("build: [a]", "1:1 build: must be a text"),
        ("root: ../x", "1:1 root: '../x' has the component '..'"),
        ("root: /x", "1:1 root: '/x' is absolute; paths count from the top of the repository"),
        ("entrypoint: ./", "1:1 entrypoint: './' names no file"),
        (
            "paths:\n  - a\n  - '{a'",
            "3:5 paths[2]: '{a' has braces that do not pair up, or braces in braces",
        ),
        (
            "ttl: 2 weeks",
            "1:1 ttl: '2 weeks' is no duration; write for example 90m, 12h, 14d or 2w",
        ),
        ("ttl: 14", "1:1 ttl: must be at least 60"),
        ("max-previews: 0", "1:1 max-previews: must be at least 1"),
        ("max-previews: many", "1:1 max-previews: must be a whole number"),
        ("apps: []", "1:1 apps: must not be empty"),
        ("apps:\n  - root: x", "2:5 apps[1].name: is missing"),
        (
            "apps:\n  - name: A_b",
            "2:5 apps[1].name: must be lower-case letters, digits and single dashes in between",
        ),
        ("apps:\n  - name: a\n    apps: []", "3:5 there is no key 'apps'"),
        ("apps:\n  - name: a\n  - name: a", "3:5 there is an app 'a' already"),
        ("root: x\napps:\n  - name: a", "1:1 root: with apps, each of them has its own"),
        (
            "production-domain: a.example.com",
            "1:1 production-domain: is of no use without production: true",
        ),
        (
            "production: true\nproduction-domain: x",
            "2:1 production-domain: 'x' is no host name; write for example app.example.com",
        ),
        (
            "forks: nver",
            "1:1 forks: must be approve or never; did you mean 'never'?",
        ),
        (
            "framework: astro\nentrypoint: x.ts",
            "2:1 entrypoint: the framework says what is started; name one of the two",
        ),
        (
            "framework: astro\nspa: true",
            "2:1 spa: the framework says how it is served; name one of the two",
        ),
        (
            "build: make\nspa: true",
            "2:1 spa: needs the entrypoint that the build makes, such as dist/index.html",
        ),
        (
            "entrypoint: main.ts\nspa: true",
            "2:1 spa: is for static sites, whose entrypoint is an index.html",
        ),
        ("- a", "1:1 the file: must hold keys and values"),
        ("just a text", "1:1 the file: must hold keys and values"),
    ],
)
def test_a_mistake_is_told_with_its_place(text: str, words: str) -> None:
    assert told(text) == [words]


def test_all_mistakes_are_told_from_top_to_bottom() -> None:
    found = told("spa: 1\nmode: x\nrots: y\n")

    assert [line.split(":")[0] for line in found] == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: b: c", "1:5 is no YAML: mapping values are not allowed in this context"),
        ("\troot: x", "1:1 is no YAML: found character that cannot start any token"),
        ("root: x\nroot: y", "2:1 has the key 'root' twice"),
        ("a: &x 1", "1:4 has an anchor or an alias (& or *); write the value out"),
        ("? [a]\n: 1", "1:3 has a list or a mapping as a key"),
        ("a: 1\n---\nb: 2", "2:1 holds more than one document"),
        ("root: !!python/name:os.system x", "1:7 has a tag (!); write a plain value, in quotes"),
        ("a: \x00", "1:1 is no YAML: control characters are not allowed"),
        ("a\nb: \x07", "2:1 is no YAML: control characters are not allowed"),
        (b"a: 1\nb: \xff", "2:1 is not UTF-8"),
        ("a: " + "[" * 5000, "1:23 is nested more than 20 levels deep"),
        ("[" + "1," * (MAX_VALUES + 1) + "1]", "holds more than 10,000 values"),
        ("#" * (MAX_BYTES + 1), "1:1 has 65,537 bytes, more than 65,536"),
    ],
)
def test_what_is_no_document_is_refused(text: str | bytes, words: str) -> None:
    (found,) = told(text)

    assert words in found


def test_a_bomb_of_aliases_is_refused_at_its_fuse() -> None:
    levels = [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 9)]

    assert told("\n".join(["l0: &l0 lol", *levels])) == [
        "1:5 has an anchor or an alias (& or *); write the value out"
    ]


@settings(deadline=None)  # a busy machine is no slow reader
@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode("utf-8")))
def test_no_content_breaks_the_reader(content: bytes) -> None:
    file = FileConfigReader().read(PATH, content)

    assert (file.config is None) == bool(file.problems)


KEYS = [line.split(":")[0] for line in EVERY_KEY.splitlines()] + ["apps", "name", "<<"]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner),
    max_leaves=8,
)


@settings(deadline=None)  # a busy machine is no slow reader
@given(st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=6))
def test_no_wrong_value_goes_without_a_line(document: dict[str, object]) -> None:
    text = yaml.safe_dump(document, allow_unicode=False)
    lines = text.count("\n") + 1

    file = FileConfigReader().read(PATH, text.encode())

    assert (file.config is None) == bool(file.problems)
    for remark in file.problems:
        assert isinstance(remark, Annotation)
        assert 1 <= remark.line <= lines
        assert remark.message
