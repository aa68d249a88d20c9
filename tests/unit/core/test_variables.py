from datetime import UTC, datetime

import pytest

from bot.core.decide.variables import (
    context_name,
    key_problem,
    masked,
    scope_of,
    value_problem,
    variables_for,
    variables_version,
)
from bot.core.model.environment import Context, Variable
from bot.core.model.ids import AppName, Branch
from bot.core.model.variables import KeptVariable, OpenVariable, Scope

ONLY, WEB, DOCS = AppName(""), AppName("web"), AppName("docs")
MAIN, RELEASE = Branch("main"), Branch("release/2")


def kept(
    context: str, value: str, *, key: str = "KEY", app: AppName | None = None
) -> OpenVariable:
    scope = scope_of(context, app)
    assert isinstance(scope, Scope)
    set_at = datetime(2026, 11, 20, tzinfo=UTC)
    record = KeptVariable(scope=scope, key=key, version=f"v-{value}", set_at=set_at)
    return OpenVariable(kept=record, value=value)


def got(safe: list[OpenVariable], app: AppName, branch: Branch | None) -> dict[str, str]:
    return {each.key: each.value for each in variables_for(safe, app, branch)}


def test_a_preview_gets_previews_variables_only() -> None:
    safe = [kept("preview", "p"), kept("production", "live")]

    assert got(safe, ONLY, MAIN) == {"KEY": "p"}


def test_production_gets_productions_variables_only() -> None:
    safe = [
        kept("preview", "p", key="DEBUG"),
        kept("branch:**", "b", key="BRANCH"),
        kept("production", "live"),
    ]

    assert got(safe, ONLY, None) == {"KEY": "live"}


def test_a_branchs_glob_beats_every_previews() -> None:
    safe = [kept("branch:release/*", "r"), kept("preview", "p", app=ONLY), kept("preview", "q")]

    assert got(safe, ONLY, RELEASE) == {"KEY": "r"}
    assert got(safe, ONLY, MAIN) == {"KEY": "p"}


def test_an_apps_own_beats_that_of_every_app() -> None:
    safe = [kept("preview", "web", app=WEB), kept("preview", "all")]

    assert got(safe, WEB, MAIN) == {"KEY": "web"}
    assert got(safe, DOCS, MAIN) == {"KEY": "all"}


def test_the_context_of_what_is_given_is_told() -> None:
    safe = [kept("preview", "p", key="B"), kept("branch:main", "b", key="A")]

    assert variables_for(safe, ONLY, MAIN) == (
        Variable(key="A", value="b", context=Context.BRANCH),
        Variable(key="B", value="p", context=Context.PREVIEW),
    )


def test_the_version_changes_with_what_is_given_and_with_nothing_else() -> None:
    safe = [kept("preview", "p"), kept("production", "live")]
    version = variables_version(safe, ONLY, MAIN)

    assert variables_version([safe[0]], ONLY, MAIN) == version
    assert variables_version([*safe, kept("preview", "q", key="B")], ONLY, MAIN) != version
    assert variables_version([kept("preview", "x"), safe[1]], ONLY, MAIN) != version
    assert variables_version(safe, ONLY, None) != version


@pytest.mark.parametrize("text", ["preview", "production", "branch:release/**", "branch:main"])
def test_a_context_is_written_as_it_is_read(text: str) -> None:
    scope = scope_of(text, None)

    assert isinstance(scope, Scope)
    assert context_name(scope) == text


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("prod", "'prod' is no context; write preview, production or branch:GLOB"),
        ("branch", "'branch' is no context; write preview, production or branch:GLOB"),
        ("branch:", "the branch glob '' is empty"),
        ("branch:!main", "the branch glob '!main' begins with a !"),
        (
            "branch:{a",
            "the branch glob '{a' has braces that do not pair up, or braces in braces",
        ),
    ],
)
def test_what_is_no_context_is_told(text: str, problem: str) -> None:
    assert scope_of(text, None) == problem


@pytest.mark.parametrize("key", ["A", "_a9", "DATABASE_URL", "DENO_AUTH_TOKENS", "A" * 128])
def test_a_name_of_a_variable_is_taken(key: str) -> None:
    assert key_problem(key) is None


@pytest.mark.parametrize("key", ["", "9A", "A-B", "A=B", "A B", "É", "A" * 129, "A\n"])
def test_what_is_no_name_is_refused(key: str) -> None:
    assert "is no name of a variable" in (key_problem(key) or "")


@pytest.mark.parametrize("key", ["DENO_DIR", "LD_PRELOAD", "OTEL_X"])
def test_the_platforms_own_names_are_refused(key: str) -> None:
    assert key_problem(key) == "is reserved for the platform"


def test_a_value_that_no_process_takes_is_refused_without_quoting_it() -> None:
    assert value_problem("a\0secret") == "has a NUL, which no process can be given"
    assert value_problem("é" * 9000) == "has 18,000 bytes, more than 16,384"
    assert value_problem("") is None


def test_values_and_their_lines_are_masked_the_longest_first() -> None:
    pem = Variable(key="K", value="-----BEGIN\n  abcdefgh\n-----", context=Context.PREVIEW)
    short = Variable(key="N", value="on", context=Context.PREVIEW)
    plain = Variable(key="P", value="public-value", context=Context.PREVIEW, secret=False)

    assert masked([pem, short, plain]) == [
        "-----BEGIN\n  abcdefgh\n-----",
        "-----BEGIN",
        "abcdefgh",
    ]
