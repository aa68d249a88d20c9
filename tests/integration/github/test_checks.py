"""Check runs by an App, over real HTTP: one for each deployment, within GitHub's limits."""

import pytest

from bot.adapters.github.forge import GitHubForge, app_forge
from bot.core.model.checks import Button, CheckStatus
from bot.core.model.ids import DeploymentId, Repository
from bot.core.model.outcomes import Annotation, Severity
from bot.ports.forge import Forge
from tests.fakes.clock import FakeClock
from tests.fakes.github.repository import FakeRepository
from tests.fakes.github.server import FakeGitHub
from tests.integration.github.values import PAGE, UPDATE, calls, check, known, live, notes


def test_a_check_from_queued_to_completed_is_one_check_run(
    gh: FakeGitHub, forge: GitHubForge, repository: FakeRepository, ours: Repository, head: str
) -> None:
    port: Forge = forge
    ref = port.publish(check(ours, head), None)
    port.publish(check(ours, head, status=CheckStatus.IN_PROGRESS, title="Building"), ref)
    again = port.publish(live(ours, head), ref)

    [run] = gh.checks(repository, head)
    assert (ref, again) == (str(run.id), str(run.id))
    assert (run.external_id, run.details_url) == ("rn3mjpwsw24d", PAGE)
    assert run.summary == "https://hello--main.example.dev"
    assert [(seen.status, seen.conclusion, seen.title) for seen in gh.check_history] == [
        ("queued", None, "Waiting for its turn"),
        ("in_progress", None, "Building"),
        ("completed", "success", "Live"),
    ]
    assert calls(gh) == ["GET lookup 200", "POST run 201", "PATCH run 200", "PATCH run 200"]


def test_a_call_that_is_repeated_after_a_crash_finds_its_check(
    gh: FakeGitHub, forge: GitHubForge, repository: FakeRepository, ours: Repository, head: str
) -> None:
    first = forge.publish(check(ours, head), None)

    second = forge.publish(live(ours, head), None)

    [run] = gh.checks(repository, head)
    assert first == second == str(run.id)
    assert run.conclusion == "success"


def test_two_deployments_of_one_commit_are_two_checks_even_when_listed_as_one(
    gh: FakeGitHub, forge: GitHubForge, repository: FakeRepository, ours: Repository, head: str
) -> None:
    older = forge.publish(check(ours, head), None)
    forge.publish(check(ours, head, deployment=DeploymentId("second000000")), None)

    forge.publish(live(ours, head), None)  # "latest" would hide the older one

    assert [run.status for run in gh.checks(repository, head)] == ["completed", "queued"]
    assert forge.publish(check(ours, head), None) == older


def test_the_check_of_another_app_is_not_ours_whatever_it_claims(
    gh: FakeGitHub,
    forge: GitHubForge,
    repository: FakeRepository,
    ours: Repository,
    head: str,
    clock: FakeClock,
) -> None:
    rival_id, key = gh.add_app("rival")
    installation = gh.installation_id(repository, rival_id)
    rival = app_forge(rival_id, key, clock=clock, api_url=gh.api_url)
    rival.publish(check(known(repository, installation), head), None)

    forge.publish(check(ours, head), None)

    assert [run.app.slug for run in gh.checks(repository, head)] == ["rival", "previewbot"]


def test_buttons_are_there_at_the_end_and_gone_when_it_starts_again(
    gh: FakeGitHub, forge: GitHubForge, repository: FakeRepository, ours: Repository, head: str
) -> None:
    ref = forge.publish(live(ours, head, buttons=(Button.REDEPLOY, Button.DESTROY)), None)

    [run] = gh.checks(repository, head)
    ended = [dict(action) for action in run.actions]
    forge.publish(check(ours, head, status=CheckStatus.IN_PROGRESS), ref)

    assert ended == [
        {
            "label": "Redeploy",
            "description": "Deploy this commit once more",
            "identifier": "redeploy",
        },
        {
            "label": "Destroy",
            "description": "Remove the preview and its URLs",
            "identifier": "destroy",
        },
    ]
    assert run.actions == []


@pytest.mark.parametrize("button", Button)
def test_every_button_keeps_githubs_limits(
    gh: FakeGitHub,
    forge: GitHubForge,
    repository: FakeRepository,
    ours: Repository,
    head: str,
    button: Button,
) -> None:
    forge.publish(live(ours, head, buttons=(button,)), None)

    [run] = gh.checks(repository, head)
    assert [action["identifier"] for action in run.actions] == [str(button)]


# --- annotations and limits --------------------------------------------------------------------


def test_annotations_come_in_fifties_and_the_end_comes_last(
    gh: FakeGitHub, forge: GitHubForge, repository: FakeRepository, ours: Repository, head: str
) -> None:
    ref = forge.publish(check(ours, head), None)

    forge.publish(live(ours, head, annotations=notes(120)), ref)

    [run] = gh.checks(repository, head)
    assert [note["start_line"] for note in run.annotations] == list(range(1, 121))
    assert [seen.status for seen in gh.check_history] == [
        "queued",
        "in_progress",
        "in_progress",
        "completed",
    ]


def test_a_new_check_with_many_annotations_is_complete_too(
    gh: FakeGitHub, forge: GitHubForge, repository: FakeRepository, ours: Repository, head: str
) -> None:
    forge.publish(live(ours, head, annotations=notes(51)), None)

    [run] = gh.checks(repository, head)
    assert (len(run.annotations), run.status) == (51, "completed")


@pytest.mark.parametrize("stored", [True, False])
def test_annotations_do_not_double_when_an_answer_is_lost(
    gh: FakeGitHub,
    forge: GitHubForge,
    repository: FakeRepository,
    ours: Repository,
    head: str,
    *,
    stored: bool,
) -> None:
    ref = forge.publish(check(ours, head), None)
    gh.fail_next("PATCH", UPDATE, stored=stored)

    forge.publish(live(ours, head, annotations=notes(60)), ref)
    forge.publish(live(ours, head, annotations=notes(60)), None)

    [run] = gh.checks(repository, head)
    assert [note["start_line"] for note in run.annotations] == list(range(1, 61))


def test_an_annotation_keeps_githubs_rules(
    gh: FakeGitHub, forge: GitHubForge, repository: FakeRepository, ours: Repository, head: str
) -> None:
    odd = Annotation(path="a.ts", line=0, message="", severity=Severity.NOTICE, column=7)

    forge.publish(live(ours, head, annotations=(odd,)), None)

    assert gh.checks(repository, head)[0].annotations == [
        {
            "path": "a.ts",
            "start_line": 1,
            "end_line": 1,
            "start_column": 7,
            "end_column": 7,
            "annotation_level": "notice",
            "message": "(no message)",
        }
    ]


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script> @everyone <!-- x -->",
        "::error file=x::\x1b[31m\x00",
        "\ud800 lone",
        "🦕" * 70_000,
        "`" * 70_000,
        "",
    ],
)
def test_hostile_texts_arrive_as_text_within_the_limits(
    gh: FakeGitHub,
    forge: GitHubForge,
    repository: FakeRepository,
    ours: Repository,
    head: str,
    hostile: str,
) -> None:
    remark = Annotation(path="a.ts", line=1, message=hostile)

    forge.publish(live(ours, head, title=hostile, summary=hostile, annotations=(remark,)), None)

    [run] = gh.checks(repository, head)
    shown = hostile.replace("\0", "\ufffd").replace("\ud800", "?")
    assert run.summary is not None
    assert run.summary[:1000] == shown[:1000]
    assert len(run.summary) <= 65_535
    assert run.annotations[0]["message"][:1000] == (shown[:1000] or "(no message)")
