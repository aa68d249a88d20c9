"""From records to what a page and its JSON twin show: clean text, safe links, plain numbers."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from urllib.parse import urlsplit

from bot.core.model.outcomes import LogLine
from bot.core.model.preview import Deployment, DeploymentState, StageRecord, Transfer
from bot.core.render.checks import seconds_of, sent_in_words
from bot.core.render.markdown import tail
from bot.core.render.terminal import visible
from bot.web.services import AppLogLine

# A page that a browser still shows at once; the whole log is on the platform.
MAX_LOG_BYTES = 256 * 1024
MAX_LINE_CHARS = 300

_WORDS = {
    DeploymentState.WAITING: "waiting for approval",
    DeploymentState.QUEUED: "queued",
    DeploymentState.DEPLOYING: "deploying",
    DeploymentState.LIVE: "live",
    DeploymentState.SKIPPED: "skipped",
    DeploymentState.FAILED: "failed",
    DeploymentState.SUPERSEDED: "superseded",
    DeploymentState.TIMED_OUT: "timed out",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StageView:
    """One station, as a row."""

    name: str
    started_at: str
    seconds: float | None  # None: not left yet
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentView:
    """One attempt; every text is visible text, every URL http or https or None."""

    id: str
    state: str
    title: str
    repository: str
    branch: str
    app: str
    commit: str
    generation: int
    created_at: str
    finished_at: str | None
    seconds: float | None
    superseded_by: str | None
    url: str | None
    deployment_url: str | None
    transfer: Transfer | None
    sent: str | None
    is_over: bool
    stages: tuple[StageView, ...]
    log: str
    log_lines_left_out: int
    app_log: str | None  # the platform's id under which the app's own log is shown

    @property
    def state_in_words(self) -> str:
        """Return the state as people say it."""
        return _WORDS[DeploymentState(self.state)]

    def document(self) -> dict[str, object]:
        """Return the JSON twin."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class AppLogView:
    """What an app said of late, as visible text."""

    deployment: str
    log: str
    lines_left_out: int


def view(
    deployment: Deployment,
    stages: Sequence[StageRecord] = (),
    log: Sequence[LogLine] = (),
    *,
    keeps_app_logs: bool = False,
) -> DeploymentView:
    """Return one attempt as it is shown."""
    lines = [text for entry in log for text in visible(entry.message).split("\n")]
    shown_log, left_out = tail(lines, max_bytes=MAX_LOG_BYTES)
    preview, finished = deployment.preview, deployment.finished_at
    return DeploymentView(
        id=deployment.id,
        state=str(deployment.state),
        title=line(deployment.title),
        repository=line(preview.repository.name),
        branch=line(preview.name),
        app=line(preview.slug),
        commit=line(deployment.head),
        generation=deployment.generation,
        created_at=moment(deployment.created_at),
        finished_at=moment(finished) if finished else None,
        seconds=(finished - deployment.created_at).total_seconds() if finished else None,
        superseded_by=line(deployment.superseded_by) if deployment.superseded_by else None,
        url=web_address(deployment.url),
        deployment_url=web_address(deployment.deployment_url),
        transfer=deployment.transfer,
        sent=sent_in_words(deployment.transfer) if deployment.transfer else None,
        is_over=deployment.is_over,
        stages=tuple(map(_stage, stages)),
        log=shown_log,
        log_lines_left_out=left_out,
        app_log=deployment.target_id if keeps_app_logs else None,
    )


def log_view(deployment: str, said: Sequence[AppLogLine]) -> AppLogView:
    """Return an app's log as it is shown; a message of several lines stays one entry."""
    lines = [f"{moment(each.time)} {each.level:<7} {visible(each.message)}" for each in said]
    shown, left_out = tail(lines, max_bytes=MAX_LOG_BYTES)
    return AppLogView(deployment=deployment, log=shown, lines_left_out=left_out)


def line(text: str) -> str:
    """Return visible text on one line of a bearable length."""
    flat = " ".join(visible(text).split())
    return flat if len(flat) <= MAX_LINE_CHARS else f"{flat[: MAX_LINE_CHARS - 1]}…"


def moment(when: datetime) -> str:
    """Return a time in UTC to the second, for people and for `<time>`."""
    return f"{when:%Y-%m-%d %H:%M:%S}Z"


def web_address(url: str | None) -> str | None:
    """Return `url` if a browser would open it as a page, else None."""
    if url is None or visible(url) != url:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme in {"http", "https"} and parts.hostname else None


def _stage(record: StageRecord) -> StageView:
    return StageView(
        name=str(record.stage),
        started_at=moment(record.started_at),
        seconds=seconds_of(record),
        detail=line(record.detail),
    )
