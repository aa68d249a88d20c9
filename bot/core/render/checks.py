"""What stands on the commit: a check's title, summary and annotations, for each state.

Titles and annotations are plain text, the summary is Markdown. All of it stays within GitHub's
limits here, so that no adapter has to cut.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import assert_never

from bot.core.model.briefs import PLAIN, Brief
from bot.core.model.checks import Button, Check, CheckStatus, Conclusion
from bot.core.model.ids import CommitSha
from bot.core.model.lines import PRODUCTION, BranchLine, Line, ProductionLine, PullLine
from bot.core.model.outcomes import (
    Annotation,
    Failed,
    Live,
    LogLine,
    Outcome,
    Skipped,
    Superseded,
    TimedOut,
    Withdrawn,
)
from bot.core.model.preview import BuildPhase, Deployment, Stage, StageRecord, Transfer
from bot.core.render import markdown
from bot.core.render.diagnostics import MAX_MESSAGE_CHARS, diagnose
from bot.kernel.counting import noun

# GitHub takes 65,535 characters of summary. Counted here in bytes, which are never fewer, with
# room for what is added between the parts. https://docs.github.com/en/rest/checks/runs
MAX_SUMMARY_BYTES = 60_000
MAX_LOG_BYTES = 20_000
MAX_EXPLANATION_BYTES = 8_000

# No limit is published; the list of checks shows about this much.
MAX_TITLE_CHARS = 140

_DOING = {
    Stage.ACQUIRE: "Fetching the commit",
    Stage.MANIFEST: "Reading its files",
    Stage.UPLOAD: "Sending what changed",
    Stage.BUILD: "Building",
    Stage.PROBE: "Waiting for the preview to answer",
    Stage.BIND: "Moving the URL to this commit",
    Stage.REPORT: "Reporting",
}
_BUILDING = {
    BuildPhase.QUEUED: "Waiting for the platform to build",
    BuildPhase.PREPARING: "Building: preparing",
    BuildPhase.INSTALLING: "Building: installing packages",
    BuildPhase.BUILDING: "Building",
    BuildPhase.DEPLOYING: "Building: starting the app",
}


def check_name(deployment: Deployment) -> str:
    """Return the name of the app's check; the same for all its commits."""
    kind = "production" if deployment.preview.line == PRODUCTION else "preview"
    return f"{kind}/{deployment.preview.slug}"


def queued(deployment: Deployment, *, page_url: str | None) -> Check:
    """Return the check of an attempt that waits for its turn."""
    return blank(
        deployment,
        page_url,
        status=CheckStatus.QUEUED,
        title="Queued",
        summary=commit_of(deployment),
    )


def in_progress(
    deployment: Deployment,
    stage: Stage,
    *,
    page_url: str | None,
    phase: BuildPhase | None = None,
    stages: Sequence[StageRecord] = (),
) -> Check:
    """Return the check of an attempt that has come to `stage`; `stages` are those so far.

    `phase` is what the platform does at `Stage.BUILD`, if it says so.
    """
    return blank(
        deployment,
        page_url,
        status=CheckStatus.IN_PROGRESS,
        title=_DOING[stage] if phase is None else _BUILDING[phase],
        summary="\n\n".join([commit_of(deployment), *_timings(stages)]),
    )


def concluded(
    deployment: Deployment,
    outcome: Outcome,
    *,
    page_url: str | None,
    stages: Sequence[StageRecord] = (),
    paths: Collection[str] | None = None,
    brief: Brief = PLAIN,
) -> Check:
    """Return the check of an attempt that is over.

    Annotations are the outcome's own, those that its build log gives for `paths`, the paths of
    the manifest (None: any path below the app's root, which `brief` names), and its remarks.
    """
    parts = [
        *_explanation(outcome, deployment.preview.line),
        commit_of(deployment),
        *_sent(outcome),
        *_timings(stages),
        *_log(_log_of(outcome)),
    ]
    return replace(
        blank(
            deployment,
            page_url,
            status=CheckStatus.COMPLETED,
            title=title(outcome),
            summary=markdown.cut("\n\n".join(parts), max_bytes=MAX_SUMMARY_BYTES),
        ),
        conclusion=conclusion(outcome),
        annotations=_annotations(outcome, paths, brief),
        buttons=buttons(outcome, deployment.preview.line),
    )


def buttons(outcome: Outcome, line: Line) -> tuple[Button, ...]:
    """Return what can be asked for after `outcome`.

    Production's commits are not always on a pull request where somebody could comment.
    """
    match outcome:
        case Live() if line == PRODUCTION:
            return (Button.REDEPLOY, Button.ROLLBACK, Button.DESTROY)
        case Live():
            return (Button.REDEPLOY, Button.DESTROY)
        case Skipped():
            return (Button.REDEPLOY,)
        case Failed() | TimedOut():
            return (Button.RETRY,)
        case Superseded() | Withdrawn():
            return ()  # the newer commit's check has them, or there is nothing left to ask for
        case _:
            assert_never(outcome)


def conclusion(outcome: Outcome) -> Conclusion:
    """Return the one word that a rule on the branch looks at."""
    match outcome:
        case Live(url=None):
            return Conclusion.FAILURE
        case Live():
            return Conclusion.SUCCESS
        case Failed():
            return Conclusion.FAILURE
        case Skipped(open_question=is_open):
            return Conclusion.NEUTRAL if is_open else Conclusion.SKIPPED
        case Superseded() | Withdrawn():
            return Conclusion.CANCELLED
        case TimedOut():
            return Conclusion.TIMED_OUT
        case _:
            assert_never(outcome)


def title(outcome: Outcome) -> str:
    """Return the line beside the check: how it ended, in plain text."""
    match outcome:
        case Live(url=None):
            return "Live at its own URL only: another preview has the branch's name"
        case Live(reused=since, transfer=transfer):
            return f"Live: {unchanged_in_words(since) if since else sent_in_words(transfer)}"
        case Failed(title=reason):
            return markdown.line(reason, max_chars=MAX_TITLE_CHARS) or "Failed"
        case Skipped() | Superseded() | Withdrawn():
            return markdown.line(_let_go(outcome), max_chars=MAX_TITLE_CHARS)
        case TimedOut(waited_s=waited_s):
            return f"Timed out after {waited_s} s"
        case _:
            assert_never(outcome)


def _let_go(outcome: Skipped | Superseded | Withdrawn) -> str:
    match outcome:
        case Skipped(because=because):
            return f"Skipped: {because}"
        case Superseded(by=newer):
            return f"Cancelled: superseded by {newer[:7]}"
        case Withdrawn(because=because):
            return f"Cancelled: {because}"


def blank(
    deployment: Deployment, page_url: str | None, *, status: CheckStatus, title: str, summary: str
) -> Check:
    """Return the attempt's check with these words, and all that is the same in every state."""
    return Check(
        deployment=deployment.id,
        repository=deployment.preview.repository,
        head=deployment.head,
        name=check_name(deployment),
        status=status,
        title=title,
        summary=summary,
        details_url=page_url,
    )


def commit_of(deployment: Deployment) -> str:
    """Return the sentence that names the commit and where it lies, in Markdown."""
    commit = markdown.code(deployment.head)
    match deployment.preview.line:
        case BranchLine(branch):
            return f"Commit {commit} of branch {markdown.code(branch)}."
        case ProductionLine():
            return f"Commit {commit}, in production."
        case PullLine(pull):
            return f"Commit {commit} of pull request {pull}, from a fork."


def unchanged_in_words(since: CommitSha) -> str:
    """Return that a commit is served by what was made for another one."""
    return f"unchanged since {since[:7]}, so nothing was built"


def sent_in_words(transfer: Transfer) -> str:
    """Return for example "1 of 9 files sent, 1.2 KB on the wire"."""
    files = noun(transfer.files_total, "file")
    size = size_in_words(transfer.bytes_sent)
    return f"{transfer.files_sent:,} of {transfer.files_total:,} {files} sent, {size} on the wire"


def size_in_words(size_bytes: int) -> str:
    """Return a size with at most one decimal, in units of a thousand."""
    if size_bytes < 1000:  # noqa: PLR2004 - the unit's own factor
        return f"{size_bytes} B"
    size = size_bytes / 1000
    for unit in ("KB", "MB"):
        if size < 999.95:  # noqa: PLR2004 - what would be shown as 1000.0
            return f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"


def _explanation(outcome: Outcome, line: Line) -> list[str]:
    match outcome:
        case Live():
            return _live(outcome, line)
        case Failed(explanation=explanation):
            words = markdown.quiet_code(explanation)
            return [markdown.fence(markdown.cut(words, max_bytes=MAX_EXPLANATION_BYTES))]
        case Skipped(code=code, because=because):
            words = markdown.cut(markdown.quiet_code(because), max_bytes=MAX_EXPLANATION_BYTES)
            return [f"Not deployed, by the rule {markdown.code(code)}:", markdown.fence(words)]
        case Withdrawn(because=because):
            return [f"Not deployed, because {markdown.inline(because)}. Nothing was moved."]
        case Superseded():
            return ["A newer commit of the branch took over. Push or re-run to deploy this one."]
        case TimedOut(waited_s=waited_s):
            return [f"The platform did not finish within {waited_s} s; the build was cancelled."]
        case _:
            assert_never(outcome)


def _live(outcome: Live, line: Line) -> list[str]:
    what = what_serves(line)
    stable = (
        f"- {what}: {markdown.link(outcome.url)}"
        if outcome.url
        else f"- {what}: none, its name in URLs belongs to another preview;"
        " rename the branch to get one"
    )
    pulls = [f"- Preview of the pull request: {markdown.link(url)}" for url in outcome.pull_urls]
    own = f"- This commit, for good: {markdown.link(outcome.deployment_url)}"
    proof = [] if outcome.verified else ["The URL answers; *not verified by header*."]
    return ["\n".join([stable, *pulls, own]), *proof]


def what_serves(line: Line) -> str:
    """Return what the line's stable URL is called."""
    match line:
        case BranchLine():
            return "Preview of the branch"
        case PullLine():
            return "Preview of the pull request"
        case ProductionLine():
            return "Production"


def _sent(outcome: Outcome) -> list[str]:
    transfer = _transfer(outcome)
    if transfer is None:
        return []
    if isinstance(outcome, Live) and outcome.reused is not None:
        since = markdown.code(outcome.reused)
        return [f"The app and all that it runs with are as in {since}, which was live already."]
    return [f"{sent_in_words(transfer)}; the platform had the rest."]


def _timings(stages: Iterable[StageRecord]) -> list[str]:
    rows = [
        f"| {record.stage} | {seconds:.2f} s | {markdown.inline(record.detail, max_chars=200)} |"
        for record in stages
        if (seconds := seconds_of(record)) is not None
    ]
    return ["\n".join(["| stage | took | |", "|---|--:|---|", *rows])] if rows else []


def seconds_of(record: StageRecord) -> float | None:
    """Return how long a finished station took, None for one that is not left yet."""
    if record.finished_at is None:
        return None
    return max(0.0, (record.finished_at - record.started_at).total_seconds())


def _log(log: Sequence[LogLine]) -> list[str]:
    lines = [text for entry in log for text in markdown.quiet_code(entry.message).split("\n")]
    if not any(map(str.strip, lines)):
        return []
    shown, left_out = markdown.tail(lines, max_bytes=MAX_LOG_BYTES)
    return [f"{_heading(left_out)}:", markdown.fence(shown)]


def _heading(left_out: int) -> str:
    match left_out:
        case 0:
            return "Build log"
        case 1:
            return "Build log, without its first line"
        case _:
            return f"Build log, without its first {left_out:,} lines"


def _transfer(outcome: Outcome) -> Transfer | None:
    return outcome.transfer if isinstance(outcome, Live | Failed) else None


def _log_of(outcome: Outcome) -> tuple[LogLine, ...]:
    return outcome.log if isinstance(outcome, Failed | TimedOut) else ()


def _annotations(
    outcome: Outcome, paths: Collection[str] | None, brief: Brief
) -> tuple[Annotation, ...]:
    own = outcome.warnings if isinstance(outcome, Live) else ()
    if isinstance(outcome, Failed | Skipped):
        own = outcome.annotations
    diagnosed = (
        # The platform knows the app, and the forge the repository around it.
        replace(annotation, path=brief.selection.in_repository(annotation.path))
        for annotation in diagnose(_log_of(outcome), paths=paths)
    )
    found = (*own, *diagnosed, *brief.remarks)
    quieted = (
        replace(
            annotation,
            message=markdown.shortened(
                markdown.quiet(annotation.message), max_chars=MAX_MESSAGE_CHARS
            )
            or "(no message)",
        )
        for annotation in found
    )
    return tuple(dict.fromkeys(quieted))
