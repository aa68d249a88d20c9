"""Whose secret is good for which delivery, from the database to the answer."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from bot.adapters.storage.connect import engines
from bot.adapters.storage.hook_secrets import SqlHookSecrets
from bot.bootstrap.keys import vault_from
from bot.bootstrap.places import database_url
from bot.bootstrap.web import web_app
from bot.core.model.ids import RepoName, RepositoryId
from bot.settings import Settings
from bot.webhooks.signature import signature

GENERAL, OURS, THEIRS = "general", "secret-of-hello", "secret-of-other"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.take_from(
        {
            "PREVIEWBOT_DATA_DIR": str(tmp_path),
            "PREVIEWBOT_GITHUB_TOKEN": "ghp_x",
            "PREVIEWBOT_GITHUB_WEBHOOK_SECRET": GENERAL,
        }
    )


@pytest.fixture
def client(settings: Settings) -> Iterator[FlaskClient]:
    app = web_app(settings)
    opened = engines(database_url(settings))
    kept = SqlHookSecrets(opened, vault_from(settings))
    kept.put(RepositoryId(1), RepoName("octo/Hello"), OURS)
    kept.put(RepositoryId(2), RepoName("octo/other"), THEIRS)
    yield app.test_client()
    opened.dispose()


def answered(client: FlaskClient, secret: str, repository: object) -> int:
    body = json.dumps({"zen": "x", "hook_id": 1, "repository": repository}).encode()
    headers = {
        "Content-Type": "application/json",
        "X-GitHub-Event": "ping",
        "X-GitHub-Delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
        "X-GitHub-Hook-ID": "1",
        "X-Hub-Signature-256": signature(secret.encode(), body),
    }
    return client.post("/webhooks/github", data=body, headers=headers).status_code


HELLO = {"id": 1, "full_name": "octo/hello"}


def test_the_repositorys_own_secret_is_good(client: FlaskClient) -> None:
    assert answered(client, OURS, HELLO) == 202


@pytest.mark.parametrize("secret", [GENERAL, THEIRS, ""])
def test_no_other_secret_is_good_for_it(client: FlaskClient, secret: str) -> None:
    assert answered(client, secret, HELLO) == 401


@pytest.mark.parametrize(
    "claimed",
    [
        {"id": 1, "full_name": "octo/other"},
        {"id": 2, "full_name": "octo/hello"},
        {"id": 1, "full_name": "octo/unknown"},
        {"id": 3, "full_name": "octo/hello"},
        {"id": "1", "full_name": "octo/hello"},
        {"id": True, "full_name": "octo/hello"},
        {"full_name": "octo/hello"},
        {"id": 1},
    ],
)
@pytest.mark.parametrize("secret", [GENERAL, OURS, THEIRS])
def test_nobody_speaks_for_a_mixture_of_two_repositories(
    client: FlaskClient, secret: str, claimed: object
) -> None:
    assert answered(client, secret, claimed) == 401


def test_a_repository_without_its_own_uses_the_general_one(client: FlaskClient) -> None:
    unknown = {"id": 9, "full_name": "octo/unknown"}

    assert answered(client, GENERAL, unknown) == 202
    assert answered(client, OURS, unknown) == 401


@pytest.mark.parametrize("odd", [None, [], "x", {}, {"id": 10**30, "full_name": ["x"]}])
def test_what_names_no_repository_uses_the_general_one(client: FlaskClient, odd: object) -> None:
    assert answered(client, GENERAL, odd) == 202
    assert answered(client, OURS, odd) == 401


def test_a_token_needs_no_general_secret(settings: Settings) -> None:
    alone = settings.model_copy(update={"github_webhook_secret": None})

    client = web_app(alone).test_client()

    assert answered(client, "", {"id": 9, "full_name": "octo/unknown"}) == 401
