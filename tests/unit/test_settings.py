from pathlib import Path

import pytest

from bot.core.model.errors import ConfigurationProblem
from bot.core.model.surfaces import Surface
from bot.settings import Settings, Workflow, unknown_variables
from bot.target_settings import TargetKind

SECRET = "hush-hush"


def problem(**environment: str) -> str:
    with pytest.raises(ConfigurationProblem) as caught:
        Settings.take_from(environment)
    return str(caught.value)


def test_nothing_needs_to_be_set() -> None:
    settings = Settings.take_from({})

    assert settings.target is TargetKind.EMBEDDED
    assert not settings.is_public
    assert not settings.uses_github


def test_what_is_read_leaves_the_environment() -> None:
    environment = {"PREVIEWBOT_TARGET_TOKEN": SECRET, "HOME": "/home/x"}

    settings = Settings.take_from(environment)

    assert environment == {"HOME": "/home/x"}
    assert settings.secrets() == (SECRET,)


def test_a_flag_beats_its_variable_and_one_not_given_does_not() -> None:
    environment = {"PREVIEWBOT_PORT": "1", "PREVIEWBOT_PREVIEW_PORT": "2"}

    settings = Settings.take_from(environment, port=3, preview_port=None)

    assert (settings.port, settings.preview_port) == (3, 2)


def test_an_empty_variable_is_an_unset_one() -> None:
    assert Settings.take_from({"PREVIEWBOT_PUBLIC_URL": ""}).public_url is None


def test_a_wrong_value_is_named_by_its_variable_and_not_repeated() -> None:
    text = problem(PREVIEWBOT_PORT=SECRET)

    assert text.startswith("PREVIEWBOT_PORT: ")
    assert SECRET not in text


def test_an_unknown_variable_gets_the_nearest_name() -> None:
    unknown = unknown_variables({"PREVIEWBOT_GITHUB_TOKN": "x", "PREVIEWBOT_PORT": "1", "A": ""})

    assert unknown == {"PREVIEWBOT_GITHUB_TOKN": "PREVIEWBOT_GITHUB_TOKEN"}


def test_an_unknown_variable_like_no_other_gets_none() -> None:
    assert unknown_variables({"PREVIEWBOT_XYZZY": "1"}) == {"PREVIEWBOT_XYZZY": None}


def test_secrets_are_not_shown_by_accident() -> None:
    settings = Settings.take_from({"PREVIEWBOT_TARGET_TOKEN": SECRET})

    assert SECRET not in repr(settings)
    assert SECRET not in str(settings.model_dump())


def test_a_child_gets_all_of_it() -> None:
    settings = Settings.take_from(
        {"PREVIEWBOT_TARGET_TOKEN": SECRET, "PREVIEWBOT_DATA_DIR": "/srv/x"}
    )

    assert Settings.from_json(settings.to_json()) == settings


def test_the_platform_is_told_no_secret_of_the_bot() -> None:
    settings = Settings.take_from(
        {
            "PREVIEWBOT_GITHUB_TOKEN": "ghp_1",
            "PREVIEWBOT_GITHUB_WEBHOOK_SECRET": "whs",
            "PREVIEWBOT_ADMIN_TOKEN": "adm",
            "PREVIEWBOT_TARGET_TOKEN": "ddo_1",
            "PREVIEWBOT_ENCRYPTION_KEY": "key",
            "PREVIEWBOT_PUBLIC_URL": "https://pages.example",
        }
    )

    assert settings.for_platform().secrets() == ("ddo_1",)
    assert settings.for_platform().public_url is None


def test_checks_and_deployments_show_where_nobody_says_otherwise() -> None:
    assert Settings().shown_on == {Surface.CHECK, Surface.DEPLOYMENT}
    given = Settings.take_from({"PREVIEWBOT_SURFACES": "comment, check"})
    assert given.shown_on == {Surface.CHECK, Surface.COMMENT}


def test_an_unknown_surface_is_refused_with_the_known_ones() -> None:
    text = problem(PREVIEWBOT_SURFACES="check,banner")

    assert text == (
        "PREVIEWBOT_SURFACES: 'banner' is none of check, deployment, comment, dispatch"
    )


def test_a_public_address_needs_an_admin_token() -> None:
    text = problem(PREVIEWBOT_BIND="10.1.2.3")

    assert text.startswith("PREVIEWBOT_ADMIN_TOKEN: ")
    assert "openssl rand" in text


def test_an_app_needs_its_key() -> None:
    assert "Private keys" in problem(PREVIEWBOT_GITHUB_APP_ID="1")


def test_an_app_needs_a_webhook_secret() -> None:
    app = {"PREVIEWBOT_GITHUB_APP_ID": "1", "PREVIEWBOT_GITHUB_PRIVATE_KEY": "pem"}

    assert problem(**app).startswith("PREVIEWBOT_GITHUB_WEBHOOK_SECRET")


def test_with_a_token_each_repository_may_have_its_own_secret() -> None:
    assert Settings.take_from({"PREVIEWBOT_GITHUB_TOKEN": "t"}).uses_github


def test_a_foreign_target_needs_an_address() -> None:
    assert problem(PREVIEWBOT_TARGET="subhosting-v1").startswith("PREVIEWBOT_TARGET_URL")


def test_denos_platform_needs_a_token_and_a_domain() -> None:
    target = {"PREVIEWBOT_TARGET": "deploy-v2"}

    assert problem(**target).startswith("PREVIEWBOT_TARGET_TOKEN: is needed")
    assert "ddo_" in problem(**target)
    with_token = target | {"PREVIEWBOT_TARGET_TOKEN": "ddo_x"}
    assert problem(**with_token).startswith("PREVIEWBOT_PREVIEWS_URL: is needed")


@pytest.mark.parametrize(
    ("pages", "previews"),
    [
        ("https://example.dev", "https://*.example.dev"),
        ("https://bot.example.dev", "https://*.example.dev"),
        ("https://example.dev", "https://*.previews.example.dev:8443"),
        ("https://EXAMPLE.dev:444/x", "*.example.dev"),
    ],
)
def test_pages_and_previews_must_not_share_cookies(pages: str, previews: str) -> None:
    text = problem(PREVIEWBOT_PUBLIC_URL=pages, PREVIEWBOT_PREVIEWS_URL=previews)

    assert text.startswith("PREVIEWBOT_PUBLIC_URL: ")


@pytest.mark.parametrize(
    ("pages", "previews"),
    [
        ("https://bot.example.com", "https://*.example.dev"),
        ("https://notexample.dev", "https://*.example.dev"),
        ("http://127.0.0.1:8080", "http://*.localhost:8081"),
    ],
)
def test_unrelated_hosts_are_fine(pages: str, previews: str) -> None:
    environment = {"PREVIEWBOT_PUBLIC_URL": pages, "PREVIEWBOT_PREVIEWS_URL": previews}

    assert Settings.take_from(environment).public_url == pages


def test_a_workflow_says_where_its_outputs_go() -> None:
    around = Workflow.around(
        {"GITHUB_REPOSITORY_ID": "12", "GITHUB_OUTPUT": "/run/out", "GITHUB_SHA": ""}
    )

    assert around.repository_id == 12
    assert around.output_file == Path("/run/out")
    assert around.sha is None
