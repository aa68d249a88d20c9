from datetime import UTC, datetime, timedelta

import pytest

from bot.core.model.checks import Button, CheckStatus, Conclusion
from bot.core.model.ids import (
    AppName,
    AppSlug,
    Branch,
    CommitSha,
    DeploymentId,
    Generation,
    HostLabel,
    PreviewId,
    RepoName,
    Repository,
    RepositoryId,
)
from bot.core.model.lines import BranchLine
from bot.core.model.outcomes import (
    Annotation,
    Failed,
    Live,
    LogLine,
    Outcome,
    Severity,
    Superseded,
    TimedOut,
    Withdrawn,
)
from bot.core.model.preview import (
    Deployment,
    DeploymentState,
    Preview,
    Stage,
    StageRecord,
    Transfer,
)
from bot.core.render.checks import concluded, in_progress, queued, size_in_words
from tests.data import hostile
from tests.unit.render.browser import rendered

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
PAGE = "http://127.0.0.1:8080/deployments/d1"
HEAD = CommitSha("a" * 40)
SENT = Transfer(files_total=9, files_sent=1, bytes_sent=1234)
LIVE = Live(
    url="http://hello--main.localhost:8081",
    deployment_url="http://hello-d-d1.localhost:8081",
    transfer=SENT,
    verified=True,
)


def deployment(branch: str = "main") -> Deployment:
    repository = Repository(
        id=RepositoryId(1), name=RepoName("octo/hello"), default_branch=Branch("main")
    )
    preview = Preview(
        id=PreviewId("p1"),
        repository=repository,
        line=BranchLine(Branch(branch)),
        app=AppName(""),
        slug=AppSlug("hello"),
        label=HostLabel("hello--main"),
        generation=Generation(1),
    )
    return Deployment(
        id=DeploymentId("d1"),
        preview=preview,
        generation=Generation(1),
        head=HEAD,
        state=DeploymentState.DEPLOYING,
        created_at=NOW,
    )


def test_a_queued_check_names_the_app_and_the_commit() -> None:
    check = queued(deployment(), page_url=PAGE)

    assert (check.name, check.status, check.title) == (
        "preview/hello",
        CheckStatus.QUEUED,
        "Queued",
    )
    assert check.summary == f"Commit `{HEAD}` of branch `main`."
    assert (check.deployment, check.head, check.details_url) == ("d1", HEAD, PAGE)
    assert check.conclusion is None


@pytest.mark.parametrize("stage", Stage)
def test_every_stage_has_its_words(stage: Stage) -> None:
    check = in_progress(deployment(), stage, page_url=None)

    assert check.status is CheckStatus.IN_PROGRESS
    assert check.title


@pytest.mark.parametrize(
    ("outcome", "buttons"),
    [
        (LIVE, (Button.REDEPLOY, Button.DESTROY)),
        (Failed(title="No", explanation="because"), (Button.RETRY,)),
        (TimedOut(waited_s=9), (Button.RETRY,)),
        (Superseded(by=HEAD), ()),
    ],
)
def test_buttons_follow_the_state(outcome: Outcome, buttons: tuple[Button, ...]) -> None:
    assert concluded(deployment(), outcome, page_url=None).buttons == buttons


def test_a_check_on_its_way_has_no_buttons() -> None:
    assert queued(deployment(), page_url=None).buttons == ()
    assert in_progress(deployment(), Stage.BUILD, page_url=None).buttons == ()


def test_a_live_check_says_where_and_what_was_sent() -> None:
    stages = [
        StageRecord(
            stage=Stage.UPLOAD,
            started_at=NOW,
            finished_at=NOW + timedelta(milliseconds=40),
            detail="1 of 9 files",
        ),
        StageRecord(stage=Stage.REPORT, started_at=NOW),
    ]

    check = concluded(deployment(), LIVE, page_url=PAGE, stages=stages)

    assert check.conclusion is Conclusion.SUCCESS
    assert check.title == "Live: 1 of 9 files sent, 1.2 KB on the wire"
    assert (
        check.summary
        == f"""- Preview of the branch: <http://hello--main.localhost:8081>
- This commit, for good: <http://hello-d-d1.localhost:8081>

Commit `{HEAD}` of branch `main`.

1 of 9 files sent, 1.2 KB on the wire; the platform had the rest.

| stage | took | |
|---|--:|---|
| upload | 0.04 s | 1 of 9 files |"""
    )


def test_a_live_check_admits_what_it_could_not_verify() -> None:
    outcome = Live(url=LIVE.url, deployment_url="https://x.example", transfer=SENT, verified=False)

    assert "*not verified by header*" in concluded(deployment(), outcome, page_url=None).summary


def test_a_name_that_belongs_to_another_preview_fails_the_check() -> None:
    outcome = Live(url=None, deployment_url="https://x.example", transfer=SENT, verified=True)

    check = concluded(deployment(), outcome, page_url=None)

    assert check.conclusion is Conclusion.FAILURE
    assert "another preview" in check.title


def test_a_failed_check_points_at_file_and_line_and_shows_the_log() -> None:
    outcome = Failed(
        title="The build failed",
        explanation="deno stopped with code 1",
        log=(
            LogLine(level="error", message="error: SyntaxError: Expression expected"),
            LogLine(level="error", message="    at file:///src/main.ts:3:11"),
        ),
        annotations=(Annotation(path="lib", line=1, message="@x", severity=Severity.NOTICE),),
        transfer=SENT,
    )

    check = concluded(deployment(), outcome, page_url=PAGE, paths={"main.ts"})

    assert (check.conclusion, check.title) == (Conclusion.FAILURE, "The build failed")
    assert check.annotations == (
        Annotation(path="lib", line=1, message="@\u200bx", severity=Severity.NOTICE),
        Annotation(path="main.ts", line=3, column=11, message="SyntaxError: Expression expected"),
    )
    assert (
        check.summary
        == f"""```text
deno stopped with code 1
```

Commit `{HEAD}` of branch `main`.

1 of 9 files sent, 1.2 KB on the wire; the platform had the rest.

Build log:

```text
error: SyntaxError: Expression expected
    at file:///src/main.ts:3:11
```"""
    )


@pytest.mark.parametrize(
    ("outcome", "conclusion", "title"),
    [
        (
            Superseded(by=CommitSha("b" * 40)),
            Conclusion.CANCELLED,
            "Cancelled: superseded by bbbbbbb",
        ),
        (
            Withdrawn(because="the branch is gone"),
            Conclusion.CANCELLED,
            "Cancelled: the branch is gone",
        ),
        (TimedOut(waited_s=300), Conclusion.TIMED_OUT, "Timed out after 300 s"),
    ],
)
def test_every_other_end_has_its_words(
    outcome: Outcome, conclusion: Conclusion, title: str
) -> None:
    check = concluded(deployment(), outcome, page_url=None)

    assert (check.conclusion, check.title) == (conclusion, title)


@pytest.mark.parametrize("text", hostile.HOSTILE)
def test_hostile_text_stays_text_and_within_the_limits(text: str) -> None:
    outcome = Failed(
        title=text,
        explanation=text,
        log=(LogLine(level="error", message=text), LogLine(level="error", message="@" * 30_000)),
        annotations=(Annotation(path="a.ts", line=1, message=text),),
    )
    stages = [StageRecord(stage=Stage.BUILD, started_at=NOW, finished_at=NOW, detail=text)]

    check = concluded(deployment(branch=text), outcome, page_url=None, stages=stages)

    live = rendered(check.summary)
    everything = f"{check.title}\n{check.summary}\n{check.annotations}"
    assert len(check.summary) <= 65_535
    assert 0 < len(check.title) <= 140
    assert "\n" not in check.title
    assert live.links == []
    assert live.comments == []
    assert not live.tags & {"script", "img", "a", "svg", "h1", "li"}
    assert not [
        bad for bad in ("@everyone", "@octocat", "<!--", "\x1b", "\0") if bad in everything
    ]
    assert live.tags >= {"pre", "table"}  # nothing swallowed what follows it


@pytest.mark.parametrize(
    ("size_bytes", "words"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 KB"), (999_960, "1.0 MB"), (5 * 10**10, "50.0 GB")],
)
def test_sizes_are_short(size_bytes: int, words: str) -> None:
    assert size_in_words(size_bytes) == words
