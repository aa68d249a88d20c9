"""Watch one push from the outside, as its author would: is the new commit at the URL yet?"""

import http.client
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from typing_extensions import override

from bot.bootstrap.reader import Reader
from bot.cli.demo_repository import WorkingCopy
from bot.core.decide.names import branch_label, slug_candidates
from bot.core.model.ids import AppName, Branch, CommitSha, Repository
from bot.core.model.lines import BranchLine
from bot.core.model.preview import Deployment

GIVE_UP_AFTER_S = 60.0
POLL_S = 0.005


class PushFailed(Exception):  # noqa: N818 - reads as a sentence in `except`
    """A push of the demo did not become a preview."""


@dataclass(frozen=True, kw_only=True)
class Preview:
    """One entry of the demo's JSON; the names are part of the interface."""

    branch: str
    sha: str
    url: str
    deployment_url: str | None
    check: dict[str, str | None]
    files_total: int
    files_sent: int
    bytes_sent: int
    seconds_to_live: float
    body: str
    stages: list[tuple[str, float, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Somebody who pushes, and looks at the URL and the records."""

    copy: WorkingCopy
    repository: Repository
    reader: Reader
    previews_url: str

    def push(self, branch: Branch, show: Callable[[str], None]) -> Preview:
        """Push `branch`; return once its stable URL serves the commit and its check is concluded.

        Raises:
            PushFailed: the check ended otherwise, or nothing happened in `GIVE_UP_AFTER_S`.

        """
        sha = self.copy.head()
        # Computable before anything is deployed; the first candidate, as this is the first app.
        slug = slug_candidates(self.repository, AppName(""))[0]
        label = branch_label(slug, self.repository, branch)
        url = self.previews_url.replace("*", label)
        poller = _Poller(url, sha)
        poller.start()
        try:
            self.copy.push(branch)
            deployment = self._until_over(branch, sha, show)
            seconds, body = poller.result()
        finally:
            poller.stop()
        return _preview(deployment, self.reader, url, seconds, body)

    def _until_over(
        self, branch: Branch, sha: CommitSha, show: Callable[[str], None]
    ) -> Deployment:
        """Follow the attempt through its stages and return it when it is over."""
        until = time.monotonic() + GIVE_UP_AFTER_S
        while time.monotonic() < until:
            newest = self.reader.store.newest(self.repository.id, BranchLine(branch), AppName(""))
            if newest is not None and newest.head == sha:
                stages = self.reader.store.stages(newest.id)
                show(str(stages[-1].stage) if stages else str(newest.state))
                if newest.is_over:
                    return newest
            threading.Event().wait(4 * POLL_S)
        problem = f"the push of {sha[:7]} to {branch} led to nothing in {GIVE_UP_AFTER_S:.0f} s"
        raise PushFailed(problem)


def _preview(
    deployment: Deployment, reader: Reader, url: str, seconds: float | None, body: str
) -> Preview:
    check = reader.checks.of(deployment.id)
    if check is None or check.conclusion is None or deployment.transfer is None or seconds is None:
        raise PushFailed(f"{deployment.preview.name}: {deployment.title or deployment.state}")
    return Preview(
        branch=deployment.preview.name,
        sha=deployment.head,
        url=url,
        deployment_url=deployment.deployment_url,
        check={
            "status": str(check.status),
            "conclusion": str(check.conclusion),
            "title": check.title,
        },
        files_total=deployment.transfer.files_total,
        files_sent=deployment.transfer.files_sent,
        bytes_sent=deployment.transfer.bytes_sent,
        seconds_to_live=round(seconds, 3),
        body=body,
        stages=[
            (
                str(record.stage),
                ((record.finished_at or record.started_at) - record.started_at).total_seconds()
                * 1000,
                record.detail,
            )
            for record in reader.store.stages(deployment.id)
        ],
    )


class _Poller(threading.Thread):
    """Asks the stable URL every few milliseconds until it serves the commit."""

    def __init__(self, url: str, sha: CommitSha) -> None:
        super().__init__(daemon=True)
        self.address = urlsplit(url)
        self.sha = sha
        self.stopped = threading.Event()
        self.started_s = time.monotonic()
        self.seconds: float | None = None
        self.body = ""

    @override
    def run(self) -> None:
        """Poll; *.localhost is this machine, which Python's resolver does not know."""
        connection = http.client.HTTPConnection("127.0.0.1", self.address.port, timeout=10)
        while not self.stopped.wait(POLL_S):
            try:
                connection.request("GET", "/", headers={"Host": self.address.netloc})
                response = connection.getresponse()
                body = response.read()
            except (OSError, http.client.HTTPException):
                connection.close()
                continue
            if response.headers.get("x-preview-sha") == self.sha:
                self.seconds = time.monotonic() - self.started_s
                self.body = body.decode(errors="replace")
                return

    def result(self) -> tuple[float | None, str]:
        """Return when and what the URL served; the attempt is over, so it is now or never."""
        self.join(timeout=2.0)
        return self.seconds, self.body

    def stop(self) -> None:
        """End the thread."""
        self.stopped.set()


def as_json(preview: Preview) -> dict[str, Any]:
    """Return the entry without what is only for the terminal."""
    entry = dict(vars(preview))
    del entry["stages"]
    return entry
