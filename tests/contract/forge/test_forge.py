"""One suite for every forge: one thing of each, whatever is repeated."""

from typing import Any

from bot.core.model.checks import Check, CheckStatus, Conclusion
from bot.core.model.ids import DeploymentId, PullNumber
from bot.core.model.surfaces import News, Notice, ShownDeployment, ShownState, StickyComment
from tests.contract.forge.conftest import Place

FIRST, SECOND = DeploymentId("rn3mjpwsw24d"), DeploymentId("second000000")


def check(place: Place, **changes: Any) -> Check:  # noqa: ANN401 - fields of many types
    fields: dict[str, Any] = {
        "deployment": FIRST,
        "repository": place.repository,
        "head": place.head,
        "name": "preview/hello",
        "status": CheckStatus.QUEUED,
        "title": "Queued",
        "summary": "Soon.",
        "details_url": None,
    }
    return Check(**fields | changes)


def shown(place: Place, state: ShownState, **changes: Any) -> ShownDeployment:  # noqa: ANN401
    fields: dict[str, Any] = {
        "deployment": FIRST,
        "repository": place.repository,
        "ref": "main",
        "head": place.head,
        "app": "hello",
        "environment": "preview",
        "production": False,
        "state": state,
        "description": "Deploying",
        "environment_url": None,
        "log_url": "http://127.0.0.1:8080/deployments/rn3mjpwsw24d",
    }
    return ShownDeployment(**fields | changes)


def test_a_check_is_one_whether_its_id_is_remembered_or_not(place: Place) -> None:
    ref = place.forge.publish(check(place), None)
    ended = check(place, status=CheckStatus.COMPLETED, conclusion=Conclusion.SUCCESS, title="Live")

    assert place.forge.publish(ended, None) == place.forge.publish(ended, ref) == ref

    assert place.checks() == [("Live", "completed")]


def test_a_deployment_is_one_whether_its_id_is_remembered_or_not(place: Place) -> None:
    ref = place.forge.show_deployment(shown(place, ShownState.IN_PROGRESS), None)
    live = shown(place, ShownState.SUCCESS, environment_url="https://hello--main.example.dev")

    assert place.forge.show_deployment(live, None) == place.forge.show_deployment(live, ref) == ref

    assert ref is not None
    assert place.deployments() == [("preview", "success")]


def test_two_attempts_are_two_deployments(place: Place) -> None:
    place.forge.show_deployment(shown(place, ShownState.SUCCESS), None)
    place.forge.show_deployment(shown(place, ShownState.IN_PROGRESS, deployment=SECOND), None)

    assert place.deployments() == [("preview", "success"), ("preview", "in_progress")]


def test_one_that_is_over_is_found_but_never_made(place: Place) -> None:
    over = shown(place, ShownState.INACTIVE)

    assert place.forge.show_deployment(over, None) is None
    assert place.deployments() == []

    ref = place.forge.show_deployment(shown(place, ShownState.IN_PROGRESS), None)
    assert place.forge.show_deployment(over, None) == ref
    assert place.deployments() == [("preview", "inactive")]


def comment(place: Place, body: str, pull: int = 7) -> StickyComment:
    return StickyComment(
        repository=place.repository,
        pull=PullNumber(pull),
        marker="<!-- ours -->",
        body=f"<!-- ours -->\n{body}",
    )


def test_a_pull_request_has_one_comment_whether_its_id_is_remembered_or_not(place: Place) -> None:
    ref = place.forge.comment(comment(place, "deploying"), None)
    place.forge.comment(comment(place, "another", pull=8), None)

    assert place.forge.comment(comment(place, "live"), ref) == ref
    assert place.forge.comment(comment(place, "gone"), None) == ref

    assert place.comments() == ["<!-- ours -->\ngone"]


def test_news_is_told_as_often_as_it_is_said(place: Place) -> None:
    notice = Notice(
        deployment=FIRST,
        repository=place.repository,
        news=News.READY,
        facts={
            "url": "https://hello--main.example.dev",
            "title": "Live \0 \ud800",
            "page_url": None,
        },
    )

    place.forge.tell(notice)
    place.forge.tell(notice)

    assert place.told() == ["previewbot.ready", "previewbot.ready"]


def test_an_environment_goes_with_what_was_filed_under_it(place: Place) -> None:
    named = {"environment": "preview/feature-x"}
    refs = [
        place.forge.show_deployment(shown(place, ShownState.FAILURE, **named), None),
        place.forge.show_deployment(
            shown(place, ShownState.IN_PROGRESS, deployment=SECOND, **named), None
        ),
    ]
    known = [ref for ref in refs if ref is not None]

    for _ in range(2):
        place.forge.remove_environment(place.repository, "preview/feature-x", known)

    assert len(known) == 2
    assert place.deployments() == []
