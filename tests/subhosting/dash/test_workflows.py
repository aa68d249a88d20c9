"""deployctl's Action: a run of a linked repository deploys, everybody else hears why not."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm
from typing_extensions import override

from bot.subhosting import operator
from bot.subhosting.errors import InvalidRequest, NotFound
from tests.subhosting.dash.deployctl import ApiError, Deployctl
from tests.subhosting.server import Json, RunningSubhosting

ROUTE = "deployment_github_actions"
URL = "file:///src/main.ts"
REPOSITORY = 1_234_567
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Issuer:
    """GitHub's token service on a free port: a configuration, one key."""

    def __init__(self) -> None:
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = json.dumps(issuer.document(self.path)).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            @override
            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def document(self, path: str) -> Json:
        if path == "/.well-known/openid-configuration":
            return {"issuer": self.url, "jwks_uri": f"{self.url}/jwks"}
        key = RSAAlgorithm.to_jwk(KEY.public_key(), as_dict=True)
        return {"keys": [{**key, "kid": "one", "use": "sig", "alg": "RS256"}]}

    def token(self, origin: str, project: str, **changes: object) -> str:
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": f"{origin}/projects/{project}",
            "sub": "repo:octo/shop:ref:refs/heads/main",
            "repository": "octo/shop",
            "repository_id": str(REPOSITORY),
            "repository_owner_id": "1",
            "ref": "refs/heads/main",
            "sha": "a" * 40,
            "event_name": "push",
            "run_id": "77",
            "exp": now + 300,
            "nbf": now - 5,
            "iat": now,
        }
        return jwt.encode({**claims, **changes}, KEY, algorithm="RS256", headers={"kid": "one"})


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    made = Issuer()
    thread = threading.Thread(target=made.server.serve_forever, daemon=True)
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def trusting(
    issuer: Issuer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningSubhosting]:
    data_dir = tmp_path_factory.mktemp("trusting") / "data"
    with RunningSubhosting(data_dir, warm_up=3, oidc_issuer=issuer.url) as running:
        yield running


@pytest.fixture
def linked(trusting: RunningSubhosting) -> Json:
    project = trusting.new_project()
    operator.link_repository(trusting.config, project["name"], REPOSITORY, "main")
    return project


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "main.ts").write_text('Deno.serve(() => new Response("from a workflow"));')
    return tmp_path


def action(
    server: RunningSubhosting, issuer: Issuer, project: Json, **changes: object
) -> Deployctl:
    token = issuer.token(server.api_url, project["name"], **changes)
    return Deployctl(server.api_url, f"GitHubOIDC {token}")


def test_a_run_on_the_default_branch_deploys_to_production(
    trusting: RunningSubhosting, issuer: Issuer, linked: Json, folder: Path
) -> None:
    lines = action(trusting, issuer, linked).deploy(
        linked["name"], folder, ROUTE, url=URL, event={"repository": {"default_branch": "x"}}
    )

    assert lines[-1]["type"] == "success", lines
    assert trusting.get(f"{linked['name']}.localhost").text == "from a workflow"


@pytest.mark.parametrize(
    "changes", [{"ref": "refs/heads/feature"}, {"event_name": "pull_request"}]
)
def test_any_other_run_is_a_preview_whatever_it_asks_for(
    trusting: RunningSubhosting, issuer: Issuer, linked: Json, folder: Path, changes: Json
) -> None:
    lines = action(trusting, issuer, linked, **changes).deploy(
        linked["name"], folder, ROUTE, url=URL, production=True
    )

    hosts = [mapping["domain"] for mapping in lines[-1]["domainMappings"]]
    assert hosts == [f"{linked['name']}-{lines[-1]['id']}.localhost"]
    assert trusting.get(f"{linked['name']}.localhost").status == 404


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"iss": "https://token.actions.githubusercontent.com"}, 401, "invalidToken"),
        ({"aud": "https://elsewhere.example/projects/x"}, 401, "invalidToken"),
        ({"exp": 1}, 401, "invalidToken"),
        ({"nbf": 9_999_999_999}, 401, "invalidToken"),
        ({"iat": 9_999_999_999}, 401, "invalidToken"),
        ({"repository_id": "7"}, 403, "repositoryNotLinked"),
        ({"event_name": "pull_request_target"}, 403, "eventNotAllowed"),
    ],
)
def test_a_changed_claim_is_refused_at_every_door(
    trusting: RunningSubhosting,
    issuer: Issuer,
    linked: Json,
    changes: Json,
    status: int,
    code: str,
) -> None:
    stranger = action(trusting, issuer, linked, **changes)

    with pytest.raises(ApiError) as at_negotiation:
        stranger.ask(f"/projects/{linked['name']}/assets/negotiate", "POST", {"entries": {}})
    with pytest.raises(ApiError) as at_deployment:
        list(stranger.push(linked["name"], ROUTE, {"url": URL}, []))

    for refused in (at_negotiation.value, at_deployment.value):
        assert (refused.status, refused.code) == (status, code)


def test_without_a_link_and_without_a_project_the_answer_is_the_same(
    trusting: RunningSubhosting, issuer: Issuer
) -> None:
    answers = []
    for project in (trusting.new_project(), {"name": "no-such-project"}):
        with pytest.raises(ApiError) as refused:
            list(action(trusting, issuer, project).push(project["name"], ROUTE, {}, []))
        answers.append((refused.value.status, refused.value.code, refused.value.message))

    assert answers[0] == answers[1]
    assert answers[0][:2] == (403, "projectNotLinked")


def test_a_run_may_do_nothing_else(
    trusting: RunningSubhosting, issuer: Issuer, linked: Json
) -> None:
    run = action(trusting, issuer, linked)
    for path in ("/organizations", f"/projects/{linked['name']}", "/projects"):
        with pytest.raises(ApiError) as refused:
            run.ask(path)
        assert refused.value.status == 401
    with pytest.raises(ApiError) as other_door:
        list(run.push(linked["name"], "deployment_with_assets", {"url": URL}, []))
    assert other_door.value.status == 401


def test_a_token_of_the_server_does_not_open_the_door_of_workflows(
    trusting: RunningSubhosting, linked: Json
) -> None:
    client = Deployctl(trusting.api_url, f"Bearer {trusting.token}")
    with pytest.raises(ApiError) as refused:
        list(client.push(linked["name"], ROUTE, {"url": URL}, []))

    assert refused.value.status == 401


def test_a_link_is_replaced_and_taken_away(
    trusting: RunningSubhosting, issuer: Issuer, linked: Json, folder: Path
) -> None:
    operator.link_repository(trusting.config, linked["id"], 7, None)
    moved = action(trusting, issuer, linked, repository_id="7", repository="octo/new")
    lines = moved.deploy(linked["name"], folder, ROUTE, url=URL)
    assert len(lines[-1]["domainMappings"]) == 1

    assert operator.unlink_repository(trusting.config, linked["id"])
    assert not operator.unlink_repository(trusting.config, linked["id"])
    with pytest.raises(ApiError, match="projectNotLinked"):
        moved.deploy(linked["name"], folder, ROUTE, url=URL)


def test_a_link_needs_a_project_and_a_number(trusting: RunningSubhosting, linked: Json) -> None:
    with pytest.raises(NotFound):
        operator.link_repository(trusting.config, "nobody", 7, None)
    with pytest.raises(InvalidRequest):
        operator.link_repository(trusting.config, linked["id"], 2**63, None)
