"""GitHub's Deployments: one per attempt, whatever is repeated.

The natural key stands in the payload, where it is looked up before a deployment is made. Every
default that would keep one from appearing is said otherwise: without `auto_merge: false` GitHub
merges the default branch into the head and makes none (202), without an empty list of contexts it
waits for all checks, ours among them (409).
https://docs.github.com/en/rest/deployments/deployments#create-a-deployment
"""

import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import quote

from github import Github, UnknownObjectException
from pydantic import TypeAdapter

from bot.adapters.github import texts
from bot.adapters.github.auth import Access
from bot.adapters.github.limits import Retries
from bot.core.model.ids import Repository
from bot.core.model.surfaces import ShownDeployment, ShownState
from bot.wire.github import DeploymentAnswer, DeploymentStatusAnswer

WRITE = "deployments: write"
DELETE_ENVIRONMENT = "administration: write"

KEY = "previewbot"

_DEPLOYMENTS = TypeAdapter(list[DeploymentAnswer])
_STATUSES = TypeAdapter(list[DeploymentStatusAnswer])

Result = TypeVar("Result")


class Deployments:
    """Writes deployments and their statuses."""

    def __init__(self, access: Access, retries: Retries) -> None:
        """Write as `access`."""
        self._access = access
        self._retries = retries

    def show(self, shown: ShownDeployment, ref: str | None) -> str | None:
        """Make `shown` stand; see `bot.ports.forge`."""
        if ref is not None:
            self._say(shown, int(ref), looking=True)
            return ref
        found = self._found_or_created(shown)
        if found is None:
            return None
        number, fresh = found
        self._say(shown, number, looking=not fresh)
        return str(number)

    def remove(self, repository: Repository, environment: str, refs: Sequence[str]) -> None:
        """Delete deployments and their environment; see `bot.ports.forge`."""
        base = f"/repos/{repository.name}"
        for ref in refs:
            self._delete(repository, f"{base}/deployments/{int(ref)}", WRITE)
        named = quote(environment, safe="")
        self._delete(repository, f"{base}/environments/{named}", DELETE_ENVIRONMENT)

    def _found_or_created(self, shown: ShownDeployment) -> tuple[int, bool] | None:
        """Return the deployment's id, and whether this very call made it."""
        path = f"/repos/{shown.repository.name}/deployments"

        def attempt(_number: int) -> tuple[int, bool] | None:
            client = self._access.client(shown.repository)
            if (found := _found(client, path, shown)) is not None:
                return found, False
            if shown.state is ShownState.INACTIVE:
                return None
            _, answer = client.requester.requestJsonAndCheck("POST", path, input=_fields(shown))
            return DeploymentAnswer.model_validate(answer).id, True

        return self._call(shown.repository, f"creating the deployment of {_name(shown)}", attempt)

    def _say(self, shown: ShownDeployment, number: int, *, looking: bool) -> None:
        """Add the status, unless it is the newest already."""
        path = f"/repos/{shown.repository.name}/deployments/{number}/statuses"
        fields = _status(shown)

        def attempt(attempt_number: int) -> None:
            client = self._access.client(shown.repository)
            if (looking or attempt_number > 1) and _stands(client, path, fields):
                return
            client.requester.requestJsonAndCheck("POST", path, input=fields)

        self._call(shown.repository, f"writing the state of deployment {number}", attempt)

    def _delete(self, repository: Repository, path: str, right: str) -> None:
        def attempt(_number: int) -> None:
            requester = self._access.client(repository).requester
            try:
                requester.requestJsonAndCheck("DELETE", path)
            except UnknownObjectException:
                return  # gone, which is what is wanted

        self._call(repository, f"DELETE {path}", attempt, right=right)

    def _call(
        self,
        repository: Repository,
        request: str,
        attempt: Callable[[int], Result],
        *,
        right: str = WRITE,
    ) -> Result:
        return self._retries.call(
            request,
            attempt,
            right=right,
            log_in_again=lambda: self._access.forget(repository),
        )


def _found(client: Github, path: str, shown: ShownDeployment) -> int | None:
    """Return the id of the deployment with our key; of a branch's newest hundred, as listed."""
    asked = {"environment": shown.environment, "ref": shown.ref, "per_page": "100"}
    _, answer = client.requester.requestJsonAndCheck("GET", path, parameters=asked)
    for deployment in _DEPLOYMENTS.validate_python(answer):
        if _key_in(deployment.payload) == shown.deployment:
            return deployment.id
    return None


def _key_in(payload: Any) -> object:  # noqa: ANN401 - whatever its maker gave
    """Return our key from a payload, which comes back as it was given or as text."""
    if isinstance(payload, str):
        try:
            payload = json.loads(payload)
        except ValueError:
            return None
    return payload.get(KEY) if isinstance(payload, dict) else None


def _fields(shown: ShownDeployment) -> dict[str, Any]:
    return {
        "ref": shown.ref,
        "auto_merge": False,
        "required_contexts": [],
        "environment": texts.clean(shown.environment),
        "transient_environment": not shown.production,
        "production_environment": shown.production,
        "description": f"{'Production' if shown.production else 'Preview'} of {shown.head[:7]}",
        "payload": {KEY: shown.deployment, "sha": shown.head, "app": shown.app},
    }


def _status(shown: ShownDeployment) -> dict[str, Any]:
    return {
        "state": str(shown.state),
        "description": texts.fitting(shown.description, texts.MAX_DESCRIPTION),
        "environment_url": shown.environment_url or "",
        "log_url": shown.log_url or "",
        # GitHub never retires transient ones itself; said anyway, so that nothing else is touched.
        "auto_inactive": False,
    }


def _stands(client: Github, path: str, fields: dict[str, Any]) -> bool:
    """Tell whether the newest status (GitHub lists it first) says the same."""
    _, answer = client.requester.requestJsonAndCheck("GET", path, parameters={"per_page": "1"})
    newest = next(iter(_STATUSES.validate_python(answer)), None)
    if newest is None:
        return False
    said = (newest.state, newest.description, newest.environment_url or "")
    return said == (fields["state"], fields["description"], fields["environment_url"])


def _name(shown: ShownDeployment) -> str:
    return f"{shown.repository.name}@{shown.head[:12]}"
