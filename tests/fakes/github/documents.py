"""Entities as GitHub writes them: complete enough for its own schema."""

import json
from copy import deepcopy
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from tests.fakes.github.entities import (
    App,
    CheckRun,
    Comment,
    CommitStatus,
    Deployment,
    DeploymentStatus,
    Installation,
    JsonObject,
    Reaction,
)
from tests.fakes.github.repository import FakeRepository

EXAMPLES = Path(__file__).parents[2] / "data" / "github" / "webhook-examples.json"


@cache
def examples() -> dict[str, list[JsonObject]]:
    """Return GitHub's example deliveries: event name -> payloads."""
    return {event["name"]: event["examples"] for event in json.loads(EXAMPLES.read_bytes())}


def stamp(moment: datetime | str | None) -> str | None:
    """Return a time in GitHub's way, seconds and a Z."""
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Documents:
    """Writes entities; knows the addresses that belong into them."""

    def __init__(self, api_url: str, html_url: str) -> None:
        self.api_url = api_url
        self.html_url = html_url

    def user(self, login: str) -> JsonObject:
        """A `simple-user`."""
        kind = "Bot" if login.endswith("[bot]") else "User"
        sender: JsonObject = deepcopy(examples()["push"][4]["sender"])
        found: JsonObject = _replaced(sender, {"Codertocat": login})
        return found | {"id": 1000 + sum(login.encode()), "type": kind}

    def public_user(self, login: str) -> JsonObject:
        """A `public-user`, as somebody sees their own account."""
        nothing = dict.fromkeys(
            ["bio", "blog", "company", "email", "hireable", "location", "name"]
        )
        none = dict.fromkeys(["followers", "following", "public_gists", "public_repos"], 0)
        moment = "2026-01-02T03:04:05Z"
        times = {"created_at": moment, "updated_at": moment}
        return self.user(login) | nothing | none | times | {"user_view_type": "public"}

    def full_repository(self, repository: FakeRepository) -> JsonObject:
        """A `full-repository`, which the API answers; webhooks carry less."""
        return self.repository(repository) | {"network_count": 0, "subscribers_count": 0}

    def repository(self, repository: FakeRepository) -> JsonObject:
        """A `repository`, as webhooks and other documents carry it."""
        template: JsonObject = deepcopy(examples()["push"][4]["repository"])
        api = f"{self.api_url}/repos/{repository.full_name}"
        found: JsonObject = _replaced(
            template,
            {
                "https://api.github.com": self.api_url,
                "https://github.com": self.html_url,
                "Codertocat": repository.owner,
                "Hello-World": repository.name,
            },
        )
        return found | {
            "id": repository.id,
            "private": repository.private,
            "visibility": "private" if repository.private else "public",
            "default_branch": repository.default_branch,
            "master_branch": repository.default_branch,
            "url": api,
            "created_at": "2026-01-02T03:04:05Z",
            "updated_at": "2026-01-02T03:04:05Z",
            "pushed_at": "2026-01-02T03:04:05Z",
            "mirror_url": None,
            "has_discussions": False,
        }

    def app(self, app: App) -> JsonObject:
        """An `integration`."""
        return {
            "id": app.id,
            "slug": app.slug,
            "node_id": f"A_{app.id}",
            "client_id": app.client_id,
            "owner": self.user("octo"),
            "name": app.name,
            "description": None,
            "external_url": "https://example.com",
            "html_url": f"{self.html_url}/apps/{app.slug}",
            "created_at": stamp(app.created_at),
            "updated_at": stamp(app.created_at),
            "permissions": dict(app.permissions),
            "events": list(app.events),
            "installations_count": 1,
        }

    def installation(self, installation: Installation) -> JsonObject:
        """An `installation`."""
        base = f"{self.api_url}/app/installations/{installation.id}"
        return {
            "id": installation.id,
            "app_id": installation.app.id,
            "app_slug": installation.app.slug,
            "target_id": 1,
            "target_type": "User",
            "single_file_name": None,
            "repository_selection": "selected",
            "access_tokens_url": f"{base}/access_tokens",
            "repositories_url": f"{self.api_url}/installation/repositories",
            "html_url": f"{self.html_url}/settings/installations/{installation.id}",
            "events": list(installation.app.events),
            "account": self.user(installation.account),
            "permissions": dict(installation.app.permissions),
            "created_at": stamp(installation.app.created_at),
            "updated_at": stamp(installation.app.created_at),
            "suspended_by": None,
            "suspended_at": None,
        }

    def check_run(self, run: CheckRun) -> JsonObject:
        """A `check-run`."""
        url = f"{self.api_url}/repos/{run.repository}/check-runs/{run.id}"
        return {
            "id": run.id,
            "node_id": f"CR_{run.id}",
            "head_sha": run.head_sha,
            "name": run.name,
            "external_id": run.external_id,
            "url": url,
            "html_url": f"{self.html_url}/{run.repository}/runs/{run.id}",
            "details_url": run.details_url,
            "status": run.status,
            "conclusion": run.conclusion,
            "started_at": stamp(run.started_at),
            "completed_at": stamp(run.completed_at),
            "output": {
                "title": run.title,
                "summary": run.summary,
                "text": run.text,
                "annotations_count": len(run.annotations),
                "annotations_url": f"{url}/annotations",
            },
            "check_suite": {"id": run.app.id},
            "app": self.app(run.app),
            "pull_requests": [],
        }

    def comment(self, comment: Comment) -> JsonObject:
        """An `issue-comment`."""
        repository = f"{self.api_url}/repos/{comment.repository}"
        page = f"{self.html_url}/{comment.repository}/pull/{comment.issue}"
        return {
            "id": comment.id,
            "node_id": f"IC_{comment.id}",
            "url": f"{repository}/issues/comments/{comment.id}",
            "html_url": f"{page}#issuecomment-{comment.id}",
            "issue_url": f"{repository}/issues/{comment.issue}",
            "body": comment.body,
            "user": self.user(comment.author),
            "author_association": "NONE",
            "performed_via_github_app": None,
            "created_at": stamp(comment.created_at),
            "updated_at": stamp(comment.updated_at),
        }

    def reaction(self, reaction: Reaction) -> JsonObject:
        """A `reaction`."""
        return {
            "id": reaction.id,
            "node_id": f"REA_{reaction.id}",
            "user": self.user(reaction.author),
            "content": reaction.content,
            "created_at": stamp(reaction.created_at),
        }

    def status(self, status: CommitStatus) -> JsonObject:
        """A `status`."""
        return {
            "url": f"{self.api_url}/repos/{status.repository}/statuses/{status.sha}",
            "avatar_url": None,
            "id": status.id,
            "node_id": f"SC_{status.id}",
            "state": status.state,
            "description": status.description,
            "target_url": status.target_url,
            "context": status.context,
            "created_at": stamp(status.created_at),
            "updated_at": stamp(status.created_at),
            "creator": self.user(status.creator),
        }

    def deployment(self, deployment: Deployment) -> JsonObject:
        """A `deployment`."""
        repository = f"{self.api_url}/repos/{deployment.repository}"
        url = f"{repository}/deployments/{deployment.id}"
        return {
            "url": url,
            "id": deployment.id,
            "node_id": f"DE_{deployment.id}",
            "sha": deployment.sha,
            "ref": deployment.ref,
            "task": deployment.task,
            "payload": deployment.payload,
            "environment": deployment.environment,
            "original_environment": deployment.environment,
            "description": deployment.description,
            "creator": self.user(deployment.creator),
            "created_at": stamp(deployment.created_at),
            "updated_at": stamp(deployment.created_at),
            "statuses_url": f"{url}/statuses",
            "repository_url": repository,
            "transient_environment": deployment.transient,
            "production_environment": deployment.production,
        }

    def deployment_status(self, deployment: Deployment, status: DeploymentStatus) -> JsonObject:
        """A `deployment-status`."""
        repository = f"{self.api_url}/repos/{deployment.repository}"
        url = f"{repository}/deployments/{deployment.id}"
        return {
            "url": f"{url}/statuses/{status.id}",
            "id": status.id,
            "node_id": f"DS_{status.id}",
            "state": status.state,
            "creator": self.user(status.creator),
            "description": status.description,
            "environment": deployment.environment,
            "target_url": status.log_url,
            "created_at": stamp(status.created_at),
            "updated_at": stamp(status.created_at),
            "deployment_url": url,
            "repository_url": repository,
            "environment_url": status.environment_url,
            "log_url": status.log_url,
        }


def _replaced(document: JsonObject, words: dict[str, str]) -> JsonObject:
    """Replace words in every text of a document; names on GitHub need no JSON escapes."""
    text = json.dumps(document)
    for old, new in words.items():
        text = text.replace(old, new)
    found: JsonObject = json.loads(text)
    return found
