"""The web process over a store and an inbox in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import orjson
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from bot.adapters.storage.memory import MemoryStore
from bot.core.model.ids import (
    AppName,
    AppSlug,
    Branch,
    CommitSha,
    DeliveryGuid,
    DeliveryKey,
    HookId,
    HostLabel,
    RepoName,
    Repository,
    RepositoryId,
)
from bot.core.model.lines import BranchLine
from bot.core.model.preview import Deployment, DeploymentState
from bot.ports.store import PreviewWanted
from bot.web.app import create_app
from bot.web.services import AppLogLine, WebServices
from bot.webhooks.signature import signature
from tests.fakes.clock import FakeClock
from tests.fakes.inbox import FakeInbox
from tests.fakes.store import fake_store

SECRET = "It's a Secret to Everybody"
REPOSITORY = Repository(
    id=RepositoryId(1), name=RepoName("octo/hello"), default_branch=Branch("main")
)
HEAD = CommitSha("a" * 40)
PUSH = {
    "ref": "refs/heads/main",
    "before": "0" * 40,
    "after": HEAD,
    "created": True,
    "deleted": False,
    "forced": False,
    "commits": [],
    "head_commit": {"id": HEAD, "message": "Say hello"},
    "pusher": {"name": "octo"},
    "sender": {"login": "octo", "type": "User"},
    "repository": {
        "id": 1,
        "full_name": "octo/hello",
        "default_branch": "main",
        "private": False,
    },
}


@dataclass
class Site:
    """A running site and its surroundings."""

    admin_token: str | None = None
    secrets: Mapping[str | None, tuple[str, ...]] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    app_logs: Mapping[str, Sequence[AppLogLine]] | None = None
    testing: bool = True
    failure: Exception | None = None  # what asking for readiness raises
    clock: FakeClock = field(default_factory=FakeClock)
    inbox: FakeInbox = field(default_factory=FakeInbox)

    def __post_init__(self) -> None:
        self.store: MemoryStore = fake_store(self.clock)
        self._planned = 0

    @property
    def client(self) -> FlaskClient:
        app = create_app(
            WebServices(
                inbox=self.inbox,
                store=self.store,
                clock=self.clock,
                secrets_for=lambda claimed: self.secrets.get(claimed.name, (SECRET,)),
                admin_token=self.admin_token,
                ready=self._ready,
                app_log=None if self.app_logs is None else self.app_logs.get,
            )
        )
        app.testing = self.testing
        return app.test_client()

    def _ready(self) -> Mapping[str, str]:
        if self.failure is not None:
            raise self.failure
        return self.problems

    def deliver(
        self,
        body: bytes | object = PUSH,
        *,
        secret: str | None = SECRET,
        headers: Mapping[str, str | None] | None = None,
    ) -> TestResponse:
        """Send a delivery as GitHub does; a header of None is left out."""
        raw = body if isinstance(body, bytes) else orjson.dumps(body)
        given: dict[str, str | None] = {
            "Content-Type": "application/json",
            "X-GitHub-Event": "push",
            "X-GitHub-Delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
            "X-GitHub-Hook-ID": "292430182",
            "X-Hub-Signature-256": signature(secret.encode(), raw) if secret else None,
            **(headers or {}),
        }
        kept = {name: value for name, value in given.items() if value is not None}
        return self.client.post("/webhooks/github", data=raw, headers=kept)

    def deployment(self, branch: str = "main", **changed: object) -> Deployment:
        """Store an attempt."""
        self._planned += 1
        key = DeliveryKey(hook=HookId("1"), guid=DeliveryGuid(f"guid-{self._planned}"))
        wanted = PreviewWanted(
            repository=REPOSITORY,
            line=BranchLine(Branch(branch)),
            app=AppName(""),
            slug_candidates=(AppSlug("hello"),),
            label_of=lambda slug: HostLabel(f"{slug}--{self._planned}"),
        )
        made = self.store.plan(key, HEAD, wanted).deployment
        made = replace(made.moved_to(DeploymentState.DEPLOYING), **changed)  # type: ignore[arg-type]
        self.store.save(made)
        return made

    def wait(self, seconds: float) -> None:
        self.clock.move(timedelta(seconds=seconds))


@pytest.fixture
def site() -> Site:
    return Site()
