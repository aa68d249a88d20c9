"""A GitHub with memory on loopback: REST API, webhooks and real git.

Speak to it in sentences: `gh.add_repository(...)`, `repository.commit(...)`, `gh.deliver(...)`,
`gh.wait_for_check(...)`. Leaving the context fails if any request broke GitHub's description of
its API, unless the test took the violations itself (`gh.take_violations()`).
"""

import json
import re
import secrets
import socket
import threading
import uuid
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import parse_qs, urlsplit

import httpx
from cryptography.hazmat.primitives.asymmetric import rsa
from typing_extensions import override
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from bot.kernel.clock import Clock, SystemClock
from tests.fakes.github import git_http, hooks, manifests, payloads
from tests.fakes.github.community import Community
from tests.fakes.github.documents import Documents
from tests.fakes.github.entities import (
    App,
    Hook,
    Parcel,
    Token,
    TokenKind,
)
from tests.fakes.github.misbehaviour import Misbehaviour, Trouble
from tests.fakes.github.repository import NO_COMMIT, FakeRepository
from tests.fakes.github.routes import NO_CONTENT, Api, Incoming
from tests.fakes.github.store import Store

API_PREFIX = "/api/v3"  # as on GitHub Enterprise Server
HOOK_ID = hooks.APP_HOOK

# What the design's least permission set asks for.
PERMISSIONS = {
    "checks": "write",
    "contents": "read",
    "deployments": "write",
    "metadata": "read",
    "pull_requests": "write",
    "statuses": "write",
}

_GIT_PATH = re.compile(r"/([^/]+/[^/]+)\.git/(.+)")


class AppCredentials(NamedTuple):
    """What the owner of an App holds."""

    app_id: int
    private_key: str  # PEM


class FakeGitHub(Community):
    """The server, and the hand that moves its world."""

    def __init__(self, directory: Path, clock: Clock | None = None) -> None:
        self.directory = directory
        super().__init__(Store(directory, clock or SystemClock()))
        self.misbehaviour = Misbehaviour()
        self._server = make_server(
            "127.0.0.1", 0, self._wsgi, threaded=True, request_handler=_QuietHandler
        )
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self.git_url = f"http://127.0.0.1:{self._server.server_port}"
        self.api_url = f"{self.git_url}{API_PREFIX}"
        self.documents = Documents(self.api_url, self.git_url)
        self._api = Api(self.store, self.documents, self.misbehaviour)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        if kind is None:
            self.fail_on_violations()

    # --- the world --------------------------------------------------------------------------

    def add_app(
        self,
        slug: str = "previewbot",
        permissions: Mapping[str, str] | None = None,
        events: tuple[str, ...] = ("push",),
    ) -> AppCredentials:
        """Register an App, installed on every repository there is and will be."""
        key = _private_key(len(self.store.apps))
        app = self.store.add_app(slug, key.public_key(), permissions or PERMISSIONS, events)
        return AppCredentials(app.id, manifests.pem_of(key))

    def submit_manifest(self, action: str, text: str) -> str:
        """Do what GitHub's form for a new App does; return where the browser is led to."""
        manifest = json.loads(text)
        assert (found := manifests.problems(manifest)) == [], found
        state = parse_qs(urlsplit(action).query)["state"][0]
        key = _private_key(len(self.store.apps))
        app = self.store.add_app(
            manifest["name"].replace(" ", "-").replace(".", "-"),
            key.public_key(),
            manifest["default_permissions"],
            tuple(manifest["default_events"]),
        )
        self.store.app_hook_url = manifest["hook_attributes"]["url"]
        code, secret = secrets.token_hex(20), secrets.token_hex(20)
        with self.store.changing():
            self.store.hook_secrets[app.id] = secret
            self.store.conversions[code] = manifests.Conversion(
                app=app,
                private_key=manifests.pem_of(key),
                webhook_secret=secret,
                made_at=self.store.clock.now(),
            )
        return manifests.redirect_of(manifest, code, state)

    @override
    def add_repository(
        self, full_name: str, *, private: bool = False, default_branch: str = "main"
    ) -> FakeRepository:
        """Make an empty repository."""
        path = self.directory / "repositories" / f"{full_name}.git"
        path.mkdir(parents=True)
        repository = FakeRepository(
            id=self.store.number(),
            full_name=full_name,
            private=private,
            default_branch=default_branch,
            path=path,
        )
        repository.git("init", "--quiet", "--bare", f"--initial-branch={default_branch}")
        for key, value in _REPOSITORY_CONFIG.items():
            repository.git("config", key, value)
        self.store.add_repository(repository)
        return repository

    def clone_url(self, repository: FakeRepository) -> str:
        """Return the address for git."""
        return f"{self.git_url}/{repository.full_name}.git"

    def installation_id(self, repository: FakeRepository, app_id: int | None = None) -> int:
        """Return the id of the installation that holds `repository`."""
        installation = self.store.installation_of(repository, app_id)
        assert installation is not None, f"no App is installed on {repository.full_name}"
        return installation.id

    def add_personal_token(
        self, login: str, roles: Mapping[str, str], *, scopes: str | None = "repo"
    ) -> str:
        """Return a personal token of `login`, who has `roles` (full name -> role).

        `scopes` are those of a classic one, None: it is fine-grained.
        """
        repositories = frozenset(self.store.repository(name).id for name in roles)
        with self.store.changing():
            for name, role in roles.items():
                self.store.collaborators[name, login] = role
        token = Token(
            value=f"ghp_{secrets.token_hex(18)}",
            kind=TokenKind.PERSONAL,
            login=login,
            permissions={},
            repositories=repositories,
            scopes=scopes,
        )
        self.store.add_token(token)
        return token.value

    def add_actions_token(self, repository: FakeRepository) -> str:
        """Return a workflow's GITHUB_TOKEN: an installation token of GitHub's own App."""
        app = App(
            id=15368,
            slug="github-actions",
            name="GitHub Actions",
            client_id="Iv1.05c79e9ad1f6bdfa",
            public_key=_private_key(0).public_key(),
            permissions=PERMISSIONS,
            created_at=self.store.clock.now(),
        )
        token = Token(
            value=f"ghs_{secrets.token_hex(18)}",
            kind=TokenKind.ACTIONS,
            login="github-actions[bot]",
            permissions=PERMISSIONS,
            repositories=frozenset({repository.id}),
            app=app,
        )
        self.store.add_token(token)
        return token.value

    def expire_tokens(self) -> None:
        """Let every installation token expire now."""
        self.store.expire_tokens()

    # --- trouble ----------------------------------------------------------------------------

    def fail_next(
        self,
        method: str,
        path_pattern: str,
        *,
        status: int | None = 502,
        headers: Mapping[str, str] | None = None,
        message: str = "Server Error",
        stored: bool = False,
        times: int = 1,
        after: int = 0,
    ) -> None:
        """Let the next matching API call fail, `after` so many others; None cuts the line.

        `stored`: it takes effect all the same, only the answer is lost.
        """
        trouble = Trouble(
            method=method,
            path=re.compile(path_pattern),
            status=status,
            headers=dict(headers or {}),
            message=message,
            stored=stored,
        )
        self.misbehaviour.plan(trouble, times, after)

    # --- webhooks ---------------------------------------------------------------------------

    def push_payload(
        self,
        repository: FakeRepository,
        branch: str,
        before: str | None,
        after: str | None,
        *,
        tag: bool = False,
        login: str = "octocat",
    ) -> dict[str, Any]:
        """Return GitHub's payload for a push; None stands for a branch that is not there."""
        return payloads.push(
            self.documents,
            repository,
            f"refs/{'tags' if tag else 'heads'}/{branch}",
            before=before or NO_COMMIT,
            after=after or NO_COMMIT,
            installation=self.store.installation_of(repository),
            login=login,
        )

    def deliver(
        self,
        url: str,
        event: str,
        payload: Mapping[str, Any] | bytes,
        secret: str | None,
        *,
        guid: str | None = None,
        hook_id: int = HOOK_ID,
    ) -> httpx.Response:
        """Sign `payload` and post it to `url`; the same GUID makes it a redelivery."""
        response = self.try_to_deliver(url, event, payload, secret, guid=guid, hook_id=hook_id)
        assert response is not None, f"nobody answers at {url}"
        return response

    def try_to_deliver(
        self,
        url: str,
        event: str,
        payload: Mapping[str, Any] | bytes,
        secret: str | None,
        *,
        guid: str | None = None,
        hook_id: int = HOOK_ID,
    ) -> httpx.Response | None:
        """Do the same; return None when nobody answers."""
        parcel = Parcel(
            guid=guid or str(uuid.uuid4()),
            hook=hook_id,
            event=event,
            url=url,
            body=payloads.encode(payload),
            secret=secret,
        )
        return hooks.send(self.store, parcel)

    def add_hook(self, repository: FakeRepository, url: str, secret: str) -> Hook:
        """Add a webhook to the repository's settings."""
        hook = Hook(
            id=self.store.number(), repository=repository.full_name, url=url, secret=secret
        )
        with self.store.changing():
            self.store.hooks.append(hook)
        return hook

    # --- the server -------------------------------------------------------------------------

    def _wsgi(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        request = Request(environ)
        if request.path.startswith(f"{API_PREFIX}/"):
            response = self._rest(request)
        elif match := _GIT_PATH.fullmatch(request.path):
            response = git_http.serve(request, match[1], match[2], self.store)
        else:
            response = Response("Not Found", 404)
        return response(environ, start_response)

    def _rest(self, request: Request) -> Response:
        answer = self._api.handle(
            Incoming(
                method=request.method,
                path=request.path.removeprefix(API_PREFIX),
                query=request.args.to_dict(),
                authorization=request.headers.get("Authorization"),
                body=request.get_data(),
            )
        )
        if answer is None:
            request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
            return Response()
        body = "" if answer.status == NO_CONTENT else json.dumps(answer.document)
        limits = {"X-RateLimit-Limit": "5000", "X-RateLimit-Remaining": "4999"}
        headers = {"X-GitHub-Request-Id": secrets.token_hex(8), **limits, **answer.headers}
        return Response(
            body, answer.status, headers, content_type="application/json; charset=utf-8"
        )


# GitHub allows partial clones, and any object that it has may be asked for.
_REPOSITORY_CONFIG = {
    "uploadpack.allowFilter": "true",
    "uploadpack.allowAnySHA1InWant": "true",
    "http.receivepack": "true",
    "gc.auto": "0",
}


class _QuietHandler(WSGIRequestHandler):
    """The fake's own history is the log."""

    @override
    def log(self, type: str, message: str, *args: object) -> None:
        """Say nothing."""


@cache
def _private_key(number: int) -> rsa.RSAPrivateKey:  # noqa: ARG001 - one key for each number
    """Return the `number`th key of this process; making one takes a tenth of a second."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)
