"""Pull requests as documents, and their endpoint."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from tests.fakes.github.call import Answer, Call, Route
from tests.fakes.github.documents import Documents, examples
from tests.fakes.github.entities import Installation, JsonObject
from tests.fakes.github.pulls import FakePull
from tests.fakes.github.refusals import not_found
from tests.fakes.github.repository import NO_COMMIT, FakeRepository


def document(documents: Documents, pull: FakePull, *, mergeable: bool = True) -> JsonObject:
    """Return a `pull-request`, as the API answers it and webhooks carry it."""
    template: JsonObject = deepcopy(examples()["pull_request"][14]["pull_request"])
    api = f"{documents.api_url}/repos/{pull.base.full_name}/pulls/{pull.number}"
    labels = [_label(documents, pull, name) for name in pull.labels]
    closed = None if pull.state == "open" else "2026-01-02T04:04:05Z"
    return template | {
        "url": api,
        "number": pull.number,
        "title": pull.title,
        "state": pull.state,
        "draft": pull.draft,
        "user": documents.user(pull.author),
        "labels": labels,
        "merged": pull.merged,
        "merged_at": closed if pull.merged else None,
        "closed_at": closed,
        "mergeable": mergeable,
        "rebaseable": mergeable,
        "body": None,
        "head": _end(documents, pull.head_repository, pull.head_branch, pull.refresh()),
        "base": _end(
            documents, pull.base, pull.base_branch, pull.base.head(pull.base_branch) or "0" * 40
        ),
    }


def _end(
    documents: Documents, repository: FakeRepository | None, branch: str, sha: str
) -> JsonObject:
    owner = repository.owner if repository is not None else "unknown"
    user = documents.user(owner)
    return {
        "label": f"{owner}:{branch}",
        "ref": branch,
        "sha": sha,
        "user": user,
        "repo": None if repository is None else documents.repository(repository),
    }


def _label(documents: Documents, pull: FakePull, name: str) -> JsonObject:
    url = f"{documents.api_url}/repos/{pull.base.full_name}/labels/{name}"
    return {
        "id": 1 + sum(name.encode()),
        "node_id": f"LA_{name}",
        "url": url,
        "name": name,
        "color": "ededed",
        "default": False,
        "description": "",
    }


def payload(
    documents: Documents,
    pull: FakePull,
    action: str,
    *,
    sender: str,
    installation: Installation | None,
    extra: Mapping[str, Any],
) -> JsonObject:
    """Return the `pull_request` payload of an action; `extra` is what only that action has.

    What a pull request's head was before a push is not known here: zeros, unless `extra` tells.
    """
    found: JsonObject = {
        "action": action,
        "number": pull.number,
        "pull_request": document(documents, pull),
        "repository": documents.repository(pull.base),
        "sender": documents.user(sender),
    }
    if action == "synchronize":
        found |= {"before": NO_COMMIT, "after": found["pull_request"]["head"]["sha"]}
    found |= extra
    if installation is not None:
        found["installation"] = {"id": installation.id, "node_id": f"MDI_{installation.id}"}
    return found


def get(call: Call) -> Answer:
    """GET a pull request."""
    key = (call.repository.full_name, int(call.parameters["pull_number"]))
    pull = call.store.pulls.get(key)
    if pull is None:
        raise not_found()
    return Answer(document=document(call.documents, pull))


def list_pulls(call: Call) -> Answer:
    """GET the pull requests of a repository, newest first; open ones unless asked otherwise."""
    state = call.query.get("state", "open")
    found = [
        pull
        for (owner, _), pull in reversed(call.store.pulls.items())
        if owner == call.repository.full_name and state in {"all", pull.state}
    ]
    page, headers = call.page(found)
    return Answer(document=[document(call.documents, pull) for pull in page], headers=headers)


ROUTES = [
    Route(
        method="GET",
        pattern="/repos/{owner}/{repo}/pulls",
        permission=("pull_requests", "read"),
        handler=list_pulls,
    ),
    Route(
        method="GET",
        pattern="/repos/{owner}/{repo}/pulls/{pull_number}",
        permission=("pull_requests", "read"),
        handler=get,
    ),
]
