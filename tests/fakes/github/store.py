"""What the fake GitHub knows, behind one lock that also wakes those who wait for a change."""

import itertools
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from bot.kernel.clock import Clock
from tests.fakes.github.entities import (
    App,
    CheckRun,
    CheckTransition,
    Comment,
    CommitStatus,
    Deployment,
    Dispatch,
    Hook,
    Installation,
    RecordedRequest,
    SentDelivery,
    Token,
    TokenKind,
)
from tests.fakes.github.pulls import FakePull
from tests.fakes.github.refusals import Refusal, not_found
from tests.fakes.github.repository import FakeRepository

Found = TypeVar("Found")

TOKEN_LIFE = timedelta(hours=1)


class Store:
    """All state. Every method that reads or writes it takes the lock itself."""

    def __init__(self, directory: Path, clock: Clock) -> None:
        self.directory = directory
        self.clock = clock
        self.apps: dict[int, App] = {}
        self.installations: dict[int, Installation] = {}
        self.repositories: dict[str, FakeRepository] = {}
        self.collaborators: dict[tuple[str, str], str] = {}  # (full name, login) -> role
        self.tokens: dict[str, Token] = {}
        self.checks: dict[int, CheckRun] = {}
        self.check_history: list[CheckTransition] = []
        self.statuses: list[CommitStatus] = []
        self.deployments: dict[int, Deployment] = {}
        self.environments: set[tuple[str, str]] = set()  # (full name, environment)
        self.comments: dict[int, Comment] = {}  # oldest first
        self.dispatches: list[Dispatch] = []
        self.pulls: dict[tuple[str, int], FakePull] = {}  # by full name and number
        self.requests: list[RecordedRequest] = []
        self.git_requests: list[str] = []  # what git and Git LFS asked for: "octo/hello/info/refs"
        self.deliveries: list[SentDelivery] = []
        self.hooks: list[Hook] = []
        self.hook_secrets: dict[int, str] = {}  # of Apps that were made from a manifest
        self.conversions: dict[str, Any] = {}  # by their codes
        self.app_hook_url: str | None = None  # where it is by now; None: where it was
        self.violations: list[str] = []
        self._changed = threading.Condition(threading.RLock())
        self._numbers = itertools.count(1)

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Hold the lock, and wake the waiting when done."""
        with self._changed:
            yield
            self._changed.notify_all()

    def wait_until(self, found: Callable[[], Found | None], timeout_s: float) -> Found | None:
        """Return what `found` returns as soon as that is not None; None after `timeout_s`."""
        with self._changed:
            self._changed.wait_for(lambda: found() is not None, timeout_s)
            return found()

    def number(self) -> int:
        """Return a new id; large, as GitHub's are, and unlike any other entity's."""
        return 4_000_000_000 + next(self._numbers)

    # --- apps, installations, tokens -------------------------------------------------------

    def add_app(
        self,
        slug: str,
        key: RSAPublicKey,
        permissions: Mapping[str, str],
        events: tuple[str, ...] = ("push",),
    ) -> App:
        """Register an App and install it wherever repositories are."""
        with self.changing():
            app = App(
                id=self.number() % 1_000_000,
                slug=slug,
                name=slug.title(),
                client_id=f"Iv23li{secrets.token_hex(7)}",
                public_key=key,
                permissions=dict(permissions),
                created_at=self.clock.now(),
                events=events,
            )
            self.apps[app.id] = app
            for repository in self.repositories.values():
                self.install(app, repository)
        return app

    def add_repository(self, repository: FakeRepository) -> None:
        """Register a repository and give it to every App."""
        with self.changing():
            self.repositories[repository.full_name.lower()] = repository
            for app in self.apps.values():
                self.install(app, repository)

    def install(self, app: App, repository: FakeRepository) -> Installation:
        """Give `repository` to the installation of `app` on its owner, made if missing."""
        with self.changing():
            for installation in self.installations.values():
                if installation.app.id == app.id and installation.account == repository.owner:
                    break
            else:
                installation = Installation(
                    id=self.number(), app=app, account=repository.owner, repositories=set()
                )
                self.installations[installation.id] = installation
            installation.repositories.add(repository.id)
        return installation

    def uninstall(self, app_id: int, repository: FakeRepository) -> None:
        """Take `repository` away from the App."""
        with self.changing():
            for installation in self.installations.values():
                if installation.app.id == app_id:
                    installation.repositories.discard(repository.id)

    def installation_of(
        self, repository: FakeRepository, app_id: int | None = None
    ) -> Installation | None:
        """Return the installation that holds `repository`, of one App or of any."""
        with self._changed:
            for installation in self.installations.values():
                if repository.id in installation.repositories and app_id in {
                    None,
                    installation.app.id,
                }:
                    return installation
        return None

    def mint(
        self,
        installation: Installation,
        permissions: Mapping[str, str] | None,
        repositories: frozenset[int] | None,
    ) -> Token:
        """Make an installation token, with no more rights than the installation has."""
        app = installation.app
        for name, level in (permissions or {}).items():
            if not covers(app.permissions.get(name), level):
                raise Refusal(
                    422, "The permissions requested are not granted to this installation."
                )
        if repositories is not None and not repositories <= installation.repositories:
            raise Refusal(
                422,
                "There is at least one repository that does not exist or is not accessible to the "
                "parent installation.",
            )
        # ghs_APPID_JWT since 2026-04: neither 40 characters nor without dots.
        words = ".".join(secrets.token_urlsafe(size) for size in (27, 90, 64))
        token = Token(
            value=f"ghs_{app.id}_{words}",
            kind=TokenKind.INSTALLATION,
            login=f"{app.slug}[bot]",
            permissions=dict(app.permissions if permissions is None else permissions)
            | {"metadata": "read"},
            repositories=frozenset(installation.repositories)
            if repositories is None
            else repositories,
            app=app,
            expires_at=(self.clock.now() + TOKEN_LIFE).replace(microsecond=0),
        )
        self.add_token(token)
        return token

    def add_token(self, token: Token) -> None:
        """Make a token valid."""
        with self.changing():
            self.tokens[token.value] = token

    def expire_tokens(self) -> None:
        """Forget every installation token, as if its hour were over."""
        with self.changing():
            self.tokens = {
                value: token
                for value, token in self.tokens.items()
                if token.kind is not TokenKind.INSTALLATION
            }

    def token(self, value: str) -> Token:
        """Return the token, or refuse as GitHub does."""
        with self._changed:
            token = self.tokens.get(value)
        expired = token and token.expires_at and token.expires_at <= self.clock.now()
        if token is None or expired:
            raise Refusal(401, "Bad credentials")
        return token

    # --- repositories ----------------------------------------------------------------------

    def repository(self, full_name: str) -> FakeRepository:
        """Return the repository by its name, in any letter case."""
        with self._changed:
            found = self.repositories.get(full_name.lower())
        if found is None:
            raise not_found()
        return found

    # --- checks ----------------------------------------------------------------------------

    def checks_of(self, repository: FakeRepository, sha: str) -> list[CheckRun]:
        """Return the check runs of a commit, oldest first."""
        with self._changed:
            return [
                run
                for run in self.checks.values()
                if run.repository == repository.full_name and run.head_sha == sha
            ]

    def record_check(self, run: CheckRun) -> None:
        """Keep the run and write down how it stands now."""
        with self.changing():
            self.checks[run.id] = run
            self.check_history.append(
                CheckTransition(
                    check=run.id,
                    repository=run.repository,
                    head_sha=run.head_sha,
                    name=run.name,
                    status=run.status,
                    conclusion=run.conclusion,
                    title=run.title,
                )
            )


def covers(granted: str | None, wanted: str) -> bool:
    """Say whether a right includes another of the same name."""
    order = ["read", "write", "admin"]
    return granted is not None and order.index(granted) >= order.index(wanted)
