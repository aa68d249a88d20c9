"""The fake is as strict as GitHub: else the tests that stand on it prove nothing."""

from datetime import timedelta
from typing import Any

import httpx
import jwt
import pytest

from tests.fakes.clock import FakeClock
from tests.fakes.github.manifests import problems
from tests.fakes.github.repository import FakeRepository
from tests.fakes.github.routes import ROUTES
from tests.fakes.github.schema import described
from tests.fakes.github.server import FakeGitHub


class Api:
    """A plain HTTP client, unlike the one under test elsewhere."""

    def __init__(self, gh: FakeGitHub, token: str | None) -> None:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        self._client = httpx.Client(base_url=gh.api_url, headers=headers, trust_env=False)

    def __call__(self, method: str, path: str, body: object = None) -> httpx.Response:
        return self._client.request(method, path, json=body)


def signed(gh: FakeGitHub, *, iat: int = 0, exp: int = 300, app: int = 0) -> str:
    """Return a JWT of a new App, its times in seconds from now."""
    app_id, key = gh.add_app()
    now = int(gh.store.clock.now().timestamp())
    return jwt.encode(
        {"iat": now + iat, "exp": now + exp, "iss": str(app or app_id)}, key, "RS256"
    )


def installed(gh: FakeGitHub, repository: FakeRepository, body: object = None) -> Api:
    """Return a client with an installation token."""
    token = signed(gh)
    installation = gh.installation_id(repository)
    minted = Api(gh, token)("POST", f"/app/installations/{installation}/access_tokens", body or {})
    return Api(gh, minted.json()["token"])


CHECKS = "/repos/octo/hello/check-runs"


def check(head: str, **fields: object) -> dict[str, Any]:
    return {"name": "preview", "head_sha": head, **fields}


def output(**fields: object) -> dict[str, Any]:
    return {"title": "t", "summary": "s", **fields}


def note(**fields: object) -> dict[str, Any]:
    plain = {"path": "a.ts", "start_line": 1, "end_line": 1, "message": "m"}
    return plain | {"annotation_level": "failure"} | fields


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        # What the description of the API says:
        ({"status": "done"}, "'done' is not one of"),
        ({"conclusion": "good"}, "'good' is not one of"),
        ({"output": {"title": "t"}}, "'summary' is a required property"),
        ({"output": output(summary="x" * 65_536)}, "is too long"),
        ({"output": output(annotations=[note()] * 51)}, "is too long"),
        ({"output": output(annotations=[note(annotation_level="bad")])}, "is not one of"),
        ({"actions": [{"label": "x" * 21, "description": "d", "identifier": "i"}]}, "is too long"),
        ({"actions": [{"label": "l", "description": "d", "identifier": "i"}] * 4}, "is too long"),
        ({"started_at": "yesterday"}, "'yesterday' is not a 'date-time'"),
        # What it says only in prose:
        ({"status": "completed"}, "Missing required key: conclusion"),
        ({"completed_at": "2026-11-20T12:00:00Z"}, "conclusion is required"),
        ({"conclusion": "stale"}, "Only GitHub may conclude"),
        ({"details_url": "javascript:alert(1)"}, "must use http(s) scheme"),
        ({"output": output(title="")}, "needs both title and summary"),
        ({"output": output(annotations=[note(end_line=0)])}, "lines count from 1"),
        ({"output": output(annotations=[note(end_line=2, start_column=1)])}, "within one line"),
        ({"output": output(annotations=[note(message="x" * 65_537)])}, "64 KB"),
    ],
)
def test_a_check_that_breaks_a_rule_is_refused_and_remembered(
    gh: FakeGitHub, repository: FakeRepository, head: str, fields: dict[str, Any], word: str
) -> None:
    api = installed(gh, repository)

    answer = api("POST", CHECKS, check(head, **fields))

    assert (answer.status_code, gh.checks(repository, head)) == (422, [])
    assert word in answer.json()["message"]
    assert len(gh.take_violations()) == 1


def test_a_check_without_a_commit_breaks_the_description(
    gh: FakeGitHub, repository: FakeRepository
) -> None:
    answer = installed(gh, repository)("POST", CHECKS, {"name": "preview"})

    assert answer.status_code == 422
    assert "'head_sha' is a required property" in gh.take_violations()[0]


def test_leaving_with_a_violation_fails_the_test(gh: FakeGitHub) -> None:
    Api(gh, None)("GET", "/no/such/endpoint")

    with pytest.raises(AssertionError, match=r"GET /no/such/endpoint: the fake has no such"):
        gh.fail_on_violations()


def test_a_status_of_141_characters_is_refused(
    gh: FakeGitHub, repository: FakeRepository, head: str
) -> None:
    body = {"state": "success", "description": "x" * 141}

    answer = installed(gh, repository)("POST", f"/repos/octo/hello/statuses/{head}", body)

    assert answer.status_code == 422
    assert "maximum is 140 characters" in gh.take_violations()[0]


def test_a_check_on_an_unknown_commit_is_refused(
    gh: FakeGitHub, repository: FakeRepository
) -> None:
    answer = installed(gh, repository)("POST", CHECKS, check("1" * 40))

    assert answer.json()["message"] == f"No commit found for SHA: {'1' * 40}"


def test_every_endpoint_of_the_fake_is_described_by_github() -> None:
    assert {(route.method, route.pattern) for route in ROUTES} <= described()


def test_every_transition_of_a_check_is_remembered(
    gh: FakeGitHub, repository: FakeRepository, head: str
) -> None:
    api = installed(gh, repository)
    run = api("POST", CHECKS, check(head)).json()["id"]

    api("PATCH", f"{CHECKS}/{run}", {"status": "in_progress"})
    api("PATCH", f"{CHECKS}/{run}", {"conclusion": "success"})

    assert [(seen.status, seen.conclusion) for seen in gh.check_history] == [
        ("queued", None),
        ("in_progress", None),
        ("completed", "success"),
    ]
    assert gh.wait_for_check(repository, head).conclusion == "success"


def test_waiting_in_vain_tells_what_was_seen(
    gh: FakeGitHub, repository: FakeRepository, head: str
) -> None:
    installed(gh, repository)("POST", CHECKS, check(head))

    with pytest.raises(AssertionError) as failed:
        gh.wait_for_check(repository, head, timeout=0.01)

    assert f"POST {CHECKS} by previewbot[bot] -> 201" in str(failed.value)
    assert "status='queued'" in str(failed.value)


# --- who may what ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("times", "word"),
    [
        ({"iat": 120}, "'Issued at' claim"),
        ({"exp": 0}, "representing the future time"),
        ({"exp": 700}, "too far in the future"),
        ({"app": 999}, "could not be decoded"),
    ],
)
def test_a_jwt_must_keep_githubs_rules(gh: FakeGitHub, times: dict[str, int], word: str) -> None:
    answer = Api(gh, signed(gh, **times))("GET", "/app")

    assert answer.status_code == 401
    assert word in answer.json()["message"]


def test_a_jwt_signed_by_another_key_is_refused(gh: FakeGitHub) -> None:
    first, _ = gh.add_app("first")

    answer = Api(gh, signed(gh, app=first))("GET", "/app")

    assert answer.status_code == 401


def test_an_installation_token_is_longer_than_forty_and_names_its_app(
    gh: FakeGitHub, repository: FakeRepository
) -> None:
    token = installed(gh, repository)._client.headers["Authorization"].removeprefix("Bearer ")

    assert token.startswith(f"ghs_{next(iter(gh.store.apps))}_")
    assert len(token) > 100
    assert "." in token


def test_an_installation_token_is_over_after_an_hour(
    gh: FakeGitHub, repository: FakeRepository, clock: FakeClock
) -> None:
    api = installed(gh, repository)
    before = api("GET", "/repos/octo/hello").status_code

    clock.move(timedelta(hours=1))

    assert (before, api("GET", "/repos/octo/hello").status_code) == (200, 401)


def test_a_token_scoped_to_one_right_has_no_other(
    gh: FakeGitHub, repository: FakeRepository, head: str
) -> None:
    api = installed(
        gh,
        repository,
        {"repository_ids": [repository.id], "permissions": {"contents": "read"}},
    )

    answers = [
        api("GET", "/repos/octo/hello/git/ref/heads/main"),
        api("POST", CHECKS, check(head)),
    ]

    assert [answer.status_code for answer in answers] == [200, 403]
    assert answers[1].json()["message"] == "Resource not accessible by integration"


def test_a_token_cannot_ask_for_more_than_the_installation_has(
    gh: FakeGitHub, repository: FakeRepository
) -> None:
    jwt_ = signed(gh)
    path = f"/app/installations/{gh.installation_id(repository)}/access_tokens"

    answers = [
        Api(gh, jwt_)("POST", path, {"permissions": {"administration": "write"}}),
        Api(gh, jwt_)("POST", path, {"repository_ids": [1]}),
    ]

    assert [answer.status_code for answer in answers] == [422, 422]


@pytest.mark.usefixtures("repository")
def test_a_personal_token_may_write_statuses_but_no_checks(gh: FakeGitHub, head: str) -> None:
    api = Api(gh, gh.add_personal_token("octocat", {"octo/hello": "write"}))

    refused = api("POST", CHECKS, check(head))
    written = api("POST", f"/repos/octo/hello/statuses/{head}", {"state": "success"})

    assert refused.status_code == 403
    assert refused.json()["message"] == "Resource not accessible by personal access token"
    assert written.status_code == 201


def test_a_private_repository_is_not_there_for_strangers(gh: FakeGitHub) -> None:
    gh.add_repository("octo/secret", private=True)
    stranger = gh.add_personal_token("stranger", {})

    seen = [Api(gh, token)("GET", "/repos/octo/secret") for token in (None, stranger)]

    assert [answer.status_code for answer in seen] == [404, 404]


def test_an_unknown_token_is_bad_credentials(gh: FakeGitHub) -> None:
    answer = Api(gh, "ghp_unknown")("GET", "/app")

    assert (answer.status_code, answer.json()["message"]) == (401, "Bad credentials")


@pytest.mark.usefixtures("repository")
def test_maintain_shows_as_write_with_its_own_role_name(gh: FakeGitHub) -> None:
    token = gh.add_personal_token("keeper", {"octo/hello": "maintain"})

    answer = Api(gh, token)("GET", "/repos/octo/hello/collaborators/keeper/permission").json()

    assert (answer["permission"], answer["role_name"]) == ("write", "maintain")


# --- deployments: the flags that make them appear ----------------------------------------------


def test_a_deployment_without_its_flags_merges_or_conflicts(
    gh: FakeGitHub, repository: FakeRepository, head: str
) -> None:
    behind = repository.commit({"a": "1"}, branch="feature", parent=head)
    repository.commit({"b": "2"})
    api = installed(gh, repository)
    api("POST", f"/repos/octo/hello/statuses/{behind}", {"state": "pending", "context": "ci"})
    plain = {"ref": "feature", "auto_merge": False, "required_contexts": []}

    answers = [
        api("POST", "/repos/octo/hello/deployments", {"ref": "feature"}),
        api("POST", "/repos/octo/hello/deployments", {"ref": "feature", "auto_merge": False}),
        api("POST", "/repos/octo/hello/deployments", plain),
    ]

    assert [answer.status_code for answer in answers] == [202, 409, 201]


def test_the_success_of_a_transient_deployment_retires_no_other(
    gh: FakeGitHub, repository: FakeRepository, head: str
) -> None:
    api = installed(gh, repository)
    states = []
    for transient in (False, True):
        for _ in range(2):
            body = {
                "ref": head,
                "auto_merge": False,
                "required_contexts": [],
                "environment": f"preview-{transient}",
                "transient_environment": transient,
            }
            made = api("POST", "/repos/octo/hello/deployments", body).json()
            api(
                "POST",
                f"/repos/octo/hello/deployments/{made['id']}/statuses",
                {"state": "success"},
            )
    for deployment in api("GET", "/repos/octo/hello/deployments").json():
        path = f"/repos/octo/hello/deployments/{deployment['id']}/statuses"
        states.append((deployment["environment"], api("GET", path).json()[0]["state"]))

    assert states == [
        ("preview-True", "success"),
        ("preview-True", "success"),
        ("preview-False", "success"),
        ("preview-False", "inactive"),
    ]


# --- limits of what was added later --------------------------------------------------------------


def deployed(api: Api, environment: str = "preview") -> int:
    """Make a deployment of main that is active, and return its id."""
    body = {
        "ref": "main",
        "auto_merge": False,
        "required_contexts": [],
        "environment": environment,
        "transient_environment": True,  # else the next one would retire it
    }
    number: int = api("POST", "/repos/octo/hello/deployments", body).json()["id"]
    api("POST", f"/repos/octo/hello/deployments/{number}/statuses", {"state": "success"})
    return number


def test_an_active_deployment_is_not_deleted_beside_others(
    gh: FakeGitHub, repository: FakeRepository, head: str
) -> None:
    assert head
    api = installed(gh, repository)
    first, _ = deployed(api), deployed(api)
    path = f"/repos/octo/hello/deployments/{first}"

    refused = api("DELETE", path)
    api("POST", f"{path}/statuses", {"state": "inactive"})
    taken = api("DELETE", path)

    assert (refused.status_code, taken.status_code, taken.content) == (422, 204, b"")
    assert len(gh.take_violations()) == 1


def test_an_environment_is_deleted_by_administrators_alone(
    gh: FakeGitHub, repository: FakeRepository, head: str
) -> None:
    assert head
    api = installed(gh, repository)
    deployed(api, "preview/feature")

    assert api("DELETE", "/repos/octo/hello/environments/preview%2Ffeature").status_code == 403


@pytest.mark.parametrize(
    ("body", "status"), [("", 422), (" \n", 422), ("x" * 65_536, 201), ("x" * 65_537, 422)]
)
def test_a_comment_has_its_limits(
    gh: FakeGitHub, repository: FakeRepository, head: str, body: str, status: int
) -> None:
    assert head
    gh.open_pull(repository, "main")
    api = installed(gh, repository)

    answer = api("POST", "/repos/octo/hello/issues/1/comments", {"body": body})

    assert answer.status_code == status
    assert len(gh.take_violations()) == (status != 201)


def test_a_comment_needs_a_pull_request(gh: FakeGitHub, repository: FakeRepository) -> None:
    api = installed(gh, repository)

    assert api("POST", "/repos/octo/hello/issues/9/comments", {"body": "x"}).status_code == 404


@pytest.mark.parametrize(
    "event",
    [
        {"event_type": "x" * 101},
        {"event_type": "e", "client_payload": {str(number): 1 for number in range(11)}},
        {"event_type": "e", "client_payload": {"x": "x" * 65_536}},
    ],
)
def test_an_event_for_workflows_has_its_limits(
    gh: FakeGitHub, repository: FakeRepository, event: object
) -> None:
    gh.add_app(permissions={"contents": "write", "metadata": "read"})
    api = Api(gh, gh.add_personal_token("ada", {"octo/hello": "write"}))

    assert api("POST", "/repos/octo/hello/dispatches", event).status_code == 422
    assert gh.dispatches(repository) == []
    assert len(gh.take_violations()) == 1


def test_webhooks_are_for_administrators_and_one_for_each_address(
    gh: FakeGitHub, repository: FakeRepository
) -> None:
    assert repository.full_name == "octo/hello"
    writer = Api(gh, gh.add_personal_token("eve", {"octo/hello": "write"}))
    administrator = Api(gh, gh.add_personal_token("ada", {"octo/hello": "admin"}))
    hook = {"config": {"url": "https://x.example.com/", "content_type": "json"}}

    made = [
        api("POST", "/repos/octo/hello/hooks", hook).status_code
        for api in (writer, administrator, administrator)
    ]

    assert made == [404, 201, 422]
    assert len(gh.take_violations()) == 1


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"default_events": ["installation"]}, "Default events unsupported: installation"),
        (
            {"default_events": ["issue_comment"]},
            "Default events are not supported by permissions: issue_comment",
        ),
        ({"name": "x" * 35}, "name is too long (maximum is 34 characters)"),
        ({"url": ""}, "url is missing"),
    ],
)
def test_a_manifest_that_github_would_not_take_is_told(
    changes: dict[str, object], complaint: str
) -> None:
    good: dict[str, object] = {"name": "x", "url": "https://x", "default_permissions": {}}

    assert problems(good) == []
    assert problems(good | changes) == [complaint]
