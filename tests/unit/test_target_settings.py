"""Targets with a name: what an operator says about them in the environment."""

import pytest

from bot.core.model.errors import ConfigurationProblem
from bot.settings import Settings, unknown_variables
from bot.target_settings import TargetKind

TOKEN = "ddo_hush"
HOSTED = {
    "PREVIEWBOT_TARGETS": "hosted-eu=deploy-v2",
    "PREVIEWBOT_TARGET_HOSTED_EU_TOKEN": TOKEN,
    "PREVIEWBOT_TARGET_HOSTED_EU_PREVIEWS_URL": "https://*.acme.deno.net",
}


def problem(**environment: str) -> str:
    with pytest.raises(ConfigurationProblem) as caught:
        Settings.take_from(environment)
    return str(caught.value)


def test_a_named_target_has_variables_of_its_own_and_they_leave_the_environment() -> None:
    environment = {**HOSTED, "HOME": "/home/x"}

    settings = Settings.take_from(environment)

    target = settings.targets["hosted-eu"]
    assert environment == {"HOME": "/home/x"}
    assert (target.kind, target.previews_url) == (TargetKind.DEPLOY_V2, "https://*.acme.deno.net")
    assert settings.usual_target.kind is TargetKind.EMBEDDED


def test_its_token_is_a_secret_and_reaches_children_but_not_the_platform() -> None:
    settings = Settings.take_from(dict(HOSTED))

    assert settings.secrets() == (TOKEN,)
    assert TOKEN not in repr(settings)
    assert Settings.from_json(settings.to_json()) == settings
    assert settings.with_values(port=1).targets == settings.targets
    assert TOKEN not in settings.for_platform().to_json()


def test_its_variables_mean_something_and_a_slip_gets_the_nearest() -> None:
    slip = {"PREVIEWBOT_TARGET_HOSTED_EU_TOKN": "x"}

    assert unknown_variables(HOSTED) == {}
    assert unknown_variables(HOSTED | slip) == {
        "PREVIEWBOT_TARGET_HOSTED_EU_TOKN": "PREVIEWBOT_TARGET_HOSTED_EU_TOKEN"
    }


@pytest.mark.parametrize(
    ("kind", "missing"),
    [("deploy-v2", "TOKEN"), ("subhosting-v1", "URL"), ("embedded", "URL")],
)
def test_what_is_missing_is_asked_for_by_its_variable(kind: str, missing: str) -> None:
    text = problem(PREVIEWBOT_TARGETS=f"there={kind}")

    assert text.startswith(f"PREVIEWBOT_TARGET_THERE_{missing}: is needed with there={kind} in")


@pytest.mark.parametrize(
    ("said", "because"),
    [
        ("Hosted=deploy-v2", "'Hosted' is no name"),
        ("a" * 25 + "=deploy-v2", "is no name"),
        ("=deploy-v2", "'' is no name"),
        ("hosted", "hosted is '', which is none of embedded, subhosting-v1, deploy-v2"),
        ("hosted=heroku", "hosted is 'heroku', which is none of"),
        ("a=deploy-v2, a=deploy-v2", "a is there twice"),
        (
            "a=deploy-v2, a-previews=subhosting-v1",
            "a-previews and a share PREVIEWBOT_TARGET_A_PREVIEWS_URL; rename one",
        ),
    ],
)
def test_a_wrong_list_is_refused_by_what_is_wrong(said: str, because: str) -> None:
    text = problem(PREVIEWBOT_TARGETS=said)

    assert text.startswith("PREVIEWBOT_TARGETS: ")
    assert because in text
