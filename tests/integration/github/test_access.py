"""Logins: an App's tokens, their scope and their end; git's credential; no secret in any log."""

import base64
import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from bot.adapters.github.clients import MAX_KEPT, Clients
from bot.adapters.github.forge import GitHubForge, app_forge, token_forge
from bot.core.model.errors import ConfigurationProblem, ForgeRefused
from bot.core.model.ids import DeploymentId, Repository
from tests.fakes.clock import FakeClock
from tests.fakes.github.repository import FakeRepository
from tests.fakes.github.server import FakeGitHub
from tests.integration.github.values import check, known, live, minted


def test_one_token_serves_many_checks_until_it_is_nearly_over(
    gh: FakeGitHub, forge: GitHubForge, ours: Repository, head: str, clock: FakeClock
) -> None:
    ref = forge.publish(check(ours, head), None)
    forge.publish(live(ours, head), ref)
    before = minted(gh)

    clock.move(timedelta(minutes=59))
    forge.publish(live(ours, head), ref)

    assert (before, minted(gh)) == (1, 2)


def test_a_token_reaches_one_repository_with_the_rights_that_are_used(
    gh: FakeGitHub, repository: FakeRepository, ours: Repository, head: str, clock: FakeClock
) -> None:
    gh.add_repository("octo/other")
    app_id, key = gh.add_app()
    used = {"checks": "write"}
    forge = app_forge(app_id, key, clock=clock, api_url=gh.api_url, permissions=used)

    forge.publish(check(ours, head), None)

    [token] = gh.store.tokens.values()
    assert token.repositories == {repository.id}
    assert token.permissions == {"checks": "write", "metadata": "read"}


def test_an_app_that_lacks_a_right_goes_on_with_what_it_has(
    gh: FakeGitHub, repository: FakeRepository, ours: Repository, head: str, clock: FakeClock
) -> None:
    app_id, key = gh.add_app(permissions={"checks": "write", "metadata": "read"})
    used = {"checks": "write", "deployments": "write"}
    forge = app_forge(app_id, key, clock=clock, api_url=gh.api_url, permissions=used)

    forge.publish(live(ours, head), None)

    assert [run.conclusion for run in gh.checks(repository, head)] == ["success"]
    [token] = gh.store.tokens.values()
    assert token.repositories == {repository.id}


def test_a_thread_keeps_few_connections_however_many_repositories(gh: FakeGitHub) -> None:
    clients = Clients(gh.api_url)
    made = [clients.with_token(number, f"token-{number}") for number in range(MAX_KEPT + 1)]

    assert clients.with_token(MAX_KEPT, f"token-{MAX_KEPT}") is made[MAX_KEPT]
    assert clients.with_token(1, "token-1") is made[1]
    assert clients.with_token(0, "token-0") is not made[0]


def test_a_token_that_died_early_is_replaced(
    gh: FakeGitHub, forge: GitHubForge, repository: FakeRepository, ours: Repository, head: str
) -> None:
    ref = forge.publish(check(ours, head), None)
    gh.expire_tokens()

    forge.publish(live(ours, head), ref)

    assert gh.checks(repository, head)[0].conclusion == "success"
    assert minted(gh) == 2


def test_the_installation_that_an_event_names_is_not_asked_for(
    gh: FakeGitHub, forge: GitHubForge, repository: FakeRepository, head: str
) -> None:
    forge.publish(check(known(repository, gh.installation_id(repository)), head), None)

    assert not [seen for seen in gh.requests if seen.path.endswith("/installation")]


def test_threads_share_one_token_and_no_connection(
    gh: FakeGitHub, forge: GitHubForge, repository: FakeRepository, ours: Repository, head: str
) -> None:
    forge.publish(check(ours, head), None)
    names = [DeploymentId(f"deployment{number:02}") for number in range(20)]

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: forge.publish(check(ours, head, deployment=name), None), names))

    assert len(gh.checks(repository, head)) == 21
    assert minted(gh) == 1


def test_a_git_credential_reads_one_repository_and_no_more(
    gh: FakeGitHub, forge: GitHubForge, clock: FakeClock
) -> None:
    other = gh.add_repository("octo/other", private=True)
    secret = gh.add_repository("octo/secret", private=True)

    password = forge.git_credential(known(secret))

    granted = gh.store.token(password)
    assert granted.repositories == {secret.id}
    assert granted.permissions == {"contents": "read", "metadata": "read"}
    assert granted.expires_at == clock.now() + timedelta(hours=1)
    assert [git_answers(gh, name, password) for name in (secret, other)] == [200, 404]
    assert forge.git_credential(known(secret)) != password


def git_answers(gh: FakeGitHub, repository: FakeRepository, password: str) -> int:
    login = base64.b64encode(f"x-access-token:{password}".encode()).decode()
    return httpx.get(
        f"{gh.clone_url(repository)}/info/refs?service=git-upload-pack",
        headers={"Authorization": f"Basic {login}"},
        trust_env=False,
    ).status_code


def test_a_repository_without_the_app_is_refused_with_the_reason(
    gh: FakeGitHub, forge: GitHubForge, repository: FakeRepository, ours: Repository
) -> None:
    gh.store.uninstall(next(iter(gh.store.apps)), repository)

    with pytest.raises(ForgeRefused, match="it needs the App to be installed on the repository"):
        forge.git_credential(ours)


def test_a_key_that_is_not_the_apps_is_refused(
    gh: FakeGitHub, ours: Repository, head: str, clock: FakeClock
) -> None:
    app_id, _ = gh.add_app("first")
    _, other_key = gh.add_app("second")
    forge = app_forge(app_id, other_key, clock=clock, api_url=gh.api_url)

    with pytest.raises(ForgeRefused, match="is the token or key right"):
        forge.publish(check(ours, head), None)


def _ed25519_key() -> str:
    return (
        ed25519.Ed25519PrivateKey.generate()
        .private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        .decode()
    )


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        ("", "not a private key in PEM form"),
        ("not a key", "not a private key in PEM form"),
        (_ed25519_key(), "not an RSA key"),
    ],
)
def test_a_wrong_key_is_told_at_the_start(clock: FakeClock, key: str, problem: str) -> None:
    with pytest.raises(ConfigurationProblem, match=problem):
        app_forge(1, key, clock=clock)


# --- tokens that are given ---------------------------------------------------------------------


def test_a_personal_token_gets_commit_statuses(
    gh: FakeGitHub, repository: FakeRepository, ours: Repository, head: str, clock: FakeClock
) -> None:
    token = gh.add_personal_token("octocat", {"octo/hello": "write"})
    forge = token_forge(token, clock=clock, api_url=gh.api_url)

    ref = forge.publish(check(ours, head), None)
    forge.publish(live(ours, head, title="x" * 200), ref)

    assert gh.checks(repository, head) == []
    assert [
        (status.state, status.context, status.description)
        for status in gh.statuses(repository, head)
    ] == [
        ("pending", "preview", "Waiting for its turn"),
        ("success", "preview", "x" * 139 + "…"),
    ]
    assert gh.statuses(repository, head)[0].target_url == live(ours, head).details_url


def test_a_status_that_was_stored_although_it_failed_is_not_written_twice(
    gh: FakeGitHub, repository: FakeRepository, ours: Repository, head: str, clock: FakeClock
) -> None:
    token = gh.add_personal_token("octocat", {"octo/hello": "write"})
    forge = token_forge(token, clock=clock, api_url=gh.api_url)
    gh.fail_next("POST", "/statuses/", status=502, stored=True)

    ref = forge.publish(check(ours, head), None)

    [status] = gh.statuses(repository, head)
    assert ref == str(status.id)


def test_a_token_that_may_only_read_is_refused(
    gh: FakeGitHub, ours: Repository, head: str, clock: FakeClock
) -> None:
    token = gh.add_personal_token("reader", {"octo/hello": "read"})
    forge = token_forge(token, clock=clock, api_url=gh.api_url)

    with pytest.raises(ForgeRefused, match="it needs commit statuses: write"):
        forge.publish(check(ours, head), None)


def test_a_workflows_token_is_an_apps_and_writes_checks(
    gh: FakeGitHub, repository: FakeRepository, ours: Repository, head: str, clock: FakeClock
) -> None:
    token = gh.add_actions_token(repository)
    forge = token_forge(token, clock=clock, api_url=gh.api_url)

    forge.publish(live(ours, head), forge.publish(check(ours, head), None))

    [run] = gh.checks(repository, head)
    assert (run.app.slug, run.conclusion) == ("github-actions", "success")
    assert forge.git_credential(ours) == token


# --- secrets -----------------------------------------------------------------------------------


def test_no_token_reaches_a_log_an_error_or_a_repr(
    gh: FakeGitHub,
    forge: GitHubForge,
    ours: Repository,
    head: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    forge.publish(check(ours, head), None)
    forge.git_credential(ours)
    gh.fail_next("POST", "/check-runs", status=422, message=f"no: {next(iter(gh.store.tokens))}")

    with pytest.raises(ForgeRefused) as refused:
        forge.publish(check(ours, head, deployment=DeploymentId("another")), None)

    said = caplog.text + str(refused.value) + repr(vars(forge._access))
    assert len(gh.store.tokens) == 2
    assert not [token for token in gh.store.tokens if token in said]
    assert "PRIVATE KEY" not in said
    assert "[redacted]" in str(refused.value)
