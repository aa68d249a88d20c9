from dataclasses import replace

import pytest

from bot.core.model.ids import HostLabel
from bot.core.model.preview import Deployment, DeploymentState
from bot.core.model.surfaces import ShownState
from bot.core.render.deployments import environment_name, shown
from tests.unit.render.test_checks import PAGE, deployment

URL = "http://hello--main.localhost:8081"


def in_state(state: DeploymentState, **changes: object) -> Deployment:
    return replace(deployment(), state=state, title="Live: all", url=URL, **changes)  # type: ignore[arg-type] # fields


@pytest.mark.parametrize(
    ("state", "serves", "expected"),
    [
        (DeploymentState.DEPLOYING, False, ShownState.IN_PROGRESS),
        (DeploymentState.LIVE, True, ShownState.SUCCESS),
        (DeploymentState.LIVE, False, ShownState.INACTIVE),
        (DeploymentState.FAILED, False, ShownState.FAILURE),
        (DeploymentState.TIMED_OUT, False, ShownState.FAILURE),
        (DeploymentState.SUPERSEDED, False, ShownState.INACTIVE),
    ],
)
def test_the_state_follows_the_record(
    state: DeploymentState, expected: ShownState, *, serves: bool
) -> None:
    made = shown(in_state(state), serves=serves, environment="preview", page_url=PAGE)

    assert made is not None
    assert made.state is expected
    assert (made.environment_url is not None) == (expected is ShownState.SUCCESS)


def test_what_waits_for_its_turn_is_not_shown() -> None:
    queued = in_state(DeploymentState.QUEUED)

    assert shown(queued, serves=False, environment="preview", page_url=PAGE) is None


def test_an_attempt_of_a_preview_that_is_gone_is_over_even_while_it_runs() -> None:
    running = in_state(DeploymentState.DEPLOYING)
    buried = replace(running, preview=replace(running.preview, buried=True))

    made = shown(buried, serves=False, environment="preview", page_url=PAGE)

    assert made is not None
    assert (made.state, made.description) == (ShownState.INACTIVE, "The preview was removed")


def test_a_title_of_strangers_is_one_quiet_line_within_the_limit() -> None:
    loud = in_state(DeploymentState.FAILED)
    loud = replace(loud, title=f"@everyone\n{'x' * 200}")

    made = shown(loud, serves=False, environment="preview", page_url=PAGE)

    assert made is not None
    assert made.description.startswith("@\N{ZERO WIDTH SPACE}everyone x")
    assert len(made.description) == 140


def test_an_environment_may_be_named_after_app_and_preview() -> None:
    preview = deployment().preview

    assert environment_name("preview", preview) == "preview"
    assert environment_name("{app}/{preview}", preview) == "hello/main"
    nameless = replace(preview, label=None)
    assert environment_name("x/{preview}", nameless) == "x/hello"
    long = replace(preview, label=HostLabel("hello--" + "b" * 56))
    assert len(environment_name("e" * 250 + "{preview}", long)) == 255
