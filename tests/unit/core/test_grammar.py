import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.decide.grammar import may_be_command, parse
from bot.core.model.commands import Command, Misunderstood, Verb
from bot.core.model.ids import AppName

SHA = "59b20b8d5c6ff8d09518454d4dd8b7b30f095ab5"


@pytest.mark.parametrize("verb", Verb)
def test_every_command_is_understood(verb: Verb) -> None:
    assert parse(f"/preview {verb}") == Command(verb=verb)


@pytest.mark.parametrize(
    "line", ["/preview", "`/preview help`", "  /PREVIEW  Help ", "/preview help"]
)
def test_a_command_may_be_written_in_several_ways(line: str) -> None:
    assert parse(line) == Command(verb=Verb.HELP)


@pytest.mark.parametrize("line", ["", "preview", "/previews", "/previewhelp", "see /preview help"])
def test_what_does_not_begin_with_our_word_is_not_for_us(line: str) -> None:
    assert parse(line) is None
    assert not may_be_command(line)


def test_a_command_may_name_one_of_several_apps() -> None:
    assert parse("/preview redeploy docs") == Command(verb=Verb.REDEPLOY, app=AppName("docs"))


@pytest.mark.parametrize(
    ("line", "command"),
    [
        (f"/preview approve {SHA}", Command(verb=Verb.APPROVE, to=SHA)),
        (f"/preview approve {SHA.upper()}", Command(verb=Verb.APPROVE, to=SHA)),
        (
            f"/preview approve docs {SHA}",
            Command(verb=Verb.APPROVE, app=AppName("docs"), to=SHA),
        ),
        ("/preview rollback 2", Command(verb=Verb.ROLLBACK, to="2")),
        ("/preview rollback 59b20b8", Command(verb=Verb.ROLLBACK, to="59b20b8")),
        ("/preview deploy 59b20b8", Command(verb=Verb.DEPLOY, app=AppName("59b20b8"))),
    ],
)
def test_only_what_takes_a_commit_reads_one(line: str, command: Command) -> None:
    assert parse(line) == command


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("rollback production", Command(verb=Verb.ROLLBACK, production=True)),
        ("rollback Production 2", Command(verb=Verb.ROLLBACK, production=True, to="2")),
        (
            "rollback production/docs 59b20b8",
            Command(verb=Verb.ROLLBACK, production=True, app=AppName("docs"), to="59b20b8"),
        ),
        ("status production", Command(verb=Verb.STATUS, production=True)),
        ("promote production", Command(verb=Verb.PROMOTE)),
        ("promote docs", Command(verb=Verb.PROMOTE, app=AppName("docs"))),
        ("rollback productions", Command(verb=Verb.ROLLBACK, app=AppName("productions"))),
        (f"approve {SHA}", Command(verb=Verb.APPROVE, to=SHA)),
    ],
)
def test_production_stands_in_place_of_an_app(line: str, command: Command) -> None:
    assert parse(f"/preview {line}") == command


def test_a_slip_of_the_finger_is_met_with_the_nearest_command() -> None:
    assert parse("/preview redploy docs") == Misunderstood(
        problem="there is no command 'redploy'", suggestion="/preview redeploy docs"
    )


def test_what_is_near_to_nothing_gets_no_suggestion() -> None:
    assert parse("/preview xyzzy") == Misunderstood(problem="there is no command 'xyzzy'")


def test_too_many_words_are_told_what_there_may_be() -> None:
    assert parse("/preview destroy it now") == Misunderstood(
        problem="too many words after destroy; it is /preview destroy [app]"
    )


@given(st.text(max_size=700))
def test_any_text_after_our_word_comes_to_something(text: str) -> None:
    found = parse(f"/preview {text}")

    assert isinstance(found, Command | Misunderstood)
