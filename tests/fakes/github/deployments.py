"""Endpoints of deployments, their statuses, and environments."""

from typing import Any

from tests.fakes.github import limits
from tests.fakes.github.call import Answer, Call, Route
from tests.fakes.github.entities import Deployment, DeploymentStatus
from tests.fakes.github.refusals import Invalid, Refusal, not_found
from tests.fakes.github.statuses import context_of, statuses_of


def create_deployment(call: Call) -> Answer:
    """POST a deployment."""
    ref = call.body["ref"]
    limits.description(call.body.get("description"))
    sha = call.repository.head(ref) or (call.repository.has_commit(ref) and ref)
    if not sha:
        raise Refusal(422, f"No ref found for: {ref}")
    _conditions(call, ref, sha)
    environment = call.body.get("environment", "production")
    deployment = Deployment(
        id=call.store.number(),
        repository=call.repository.full_name,
        sha=sha,
        ref=ref,
        task=call.body.get("task", "deploy"),
        environment=environment,
        description=call.body.get("description"),
        payload=call.body.get("payload", {}),
        transient=call.body.get("transient_environment", False),
        production=call.body.get("production_environment", environment == "production"),
        creator=call.caller.login,
        created_at=call.store.clock.now(),
    )
    with call.store.changing():
        call.store.deployments[deployment.id] = deployment
        # An environment is there as soon as something is deployed to it.
        call.store.environments.add((deployment.repository, environment))
    return Answer(status=201, document=call.documents.deployment(deployment))


def _conditions(call: Call, ref: str, sha: str) -> None:
    """Do what the defaults of `auto_merge` and `required_contexts` do to the unwary."""
    default = call.repository.default_branch
    top = call.repository.head(default)
    merges = call.body.get("auto_merge", True) and ref != default and top
    if merges and top and not call.repository.contains(top, sha):
        # 202 with a message and no deployment; PyGithub takes it for one.
        raise Refusal(202, f"Auto-merged {default} into {ref} on deployment.")
    wanted: list[str] | None = call.body.get("required_contexts")
    states = {context_of(status): status.state for status in statuses_of(call, sha)}
    missing = [c for c in (states if wanted is None else wanted) if states.get(c) != "success"]
    if missing:
        raise Refusal(409, "Conflict: Commit status checks failed for the ref.")


def list_deployments(call: Call) -> Answer:
    """GET the deployments of a repository, newest first."""
    found = [
        deployment
        for deployment in reversed(call.store.deployments.values())
        if deployment.repository == call.repository.full_name and _matches(call, deployment)
    ]
    page, headers = call.page(found)
    return Answer(document=[call.documents.deployment(d) for d in page], headers=headers)


def _matches(call: Call, deployment: Deployment) -> bool:
    facts: dict[str, Any] = {
        "sha": deployment.sha,
        "ref": deployment.ref,
        "task": deployment.task,
        "environment": deployment.environment,
    }
    return all(call.query.get(key, value) in {value, "none"} for key, value in facts.items())


def create_deployment_status(call: Call) -> Answer:
    """POST a status of a deployment."""
    deployment = _deployment(call)
    limits.description(call.body.get("description"))
    for field in ("environment_url", "log_url", "target_url"):
        limits.web_address(call.body.get(field), field)
    status = DeploymentStatus(
        id=call.store.number(),
        state=call.body["state"],
        description=call.body.get("description", ""),
        environment_url=call.body.get("environment_url", ""),
        log_url=call.body.get("log_url") or call.body.get("target_url") or "",
        creator=call.caller.login,
        created_at=call.store.clock.now(),
    )
    with call.store.changing():
        deployment.statuses.append(status)
        if call.body.get("auto_inactive", True) and status.state == "success":
            _retire_others(call, deployment)
    return Answer(status=201, document=call.documents.deployment_status(deployment, status))


def _retire_others(call: Call, newest: Deployment) -> None:
    """Mark older deployments inactive: only those neither transient nor production."""
    for other in call.store.deployments.values():
        same_place = (other.repository, other.environment) == (
            newest.repository,
            newest.environment,
        )
        kept = other.transient or other.production or not other.statuses
        if other.id < newest.id and same_place and not kept:
            other.statuses.append(
                DeploymentStatus(
                    id=call.store.number(),
                    state="inactive",
                    description="",
                    environment_url="",
                    log_url="",
                    creator=call.caller.login,
                    created_at=call.store.clock.now(),
                )
            )


def list_deployment_statuses(call: Call) -> Answer:
    """GET the statuses of a deployment, newest first."""
    deployment = _deployment(call)
    page, headers = call.page(deployment.statuses[::-1])
    found = [call.documents.deployment_status(deployment, status) for status in page]
    return Answer(document=found, headers=headers)


def _deployment(call: Call) -> Deployment:
    deployment = call.store.deployments.get(int(call.parameters["deployment_id"]))
    if deployment is None or deployment.repository != call.repository.full_name:
        raise not_found()
    return deployment


def delete_deployment(call: Call) -> Answer:
    """DELETE a deployment that is not active, or the only one."""
    deployment = _deployment(call)
    with call.store.changing():
        active = deployment.statuses and deployment.statuses[-1].state == "success"
        if active and len(_of_repository(call)) > 1:
            raise Invalid("We cannot delete an active deployment unless it is the only deployment")
        del call.store.deployments[deployment.id]
    return Answer(status=204)


def delete_environment(call: Call) -> Answer:
    """DELETE an environment: its name is gone, its deployments stay."""
    name = call.parameters["environment_name"]
    with call.store.changing():
        key = (call.repository.full_name, name)
        if key not in call.store.environments:
            raise not_found()
        call.store.environments.discard(key)
    return Answer(status=204)


def _of_repository(call: Call) -> list[Deployment]:
    found = call.store.deployments.values()
    return [each for each in found if each.repository == call.repository.full_name]


_REPOSITORY = "/repos/{owner}/{repo}"
_DEPLOYMENTS = f"{_REPOSITORY}/deployments"

ROUTES = [
    Route(
        method="POST",
        pattern=_DEPLOYMENTS,
        permission=("deployments", "write"),
        handler=create_deployment,
    ),
    Route(
        method="GET",
        pattern=_DEPLOYMENTS,
        permission=("deployments", "read"),
        handler=list_deployments,
    ),
    Route(
        method="POST",
        pattern=f"{_DEPLOYMENTS}/{{deployment_id}}/statuses",
        permission=("deployments", "write"),
        handler=create_deployment_status,
    ),
    Route(
        method="GET",
        pattern=f"{_DEPLOYMENTS}/{{deployment_id}}/statuses",
        permission=("deployments", "read"),
        handler=list_deployment_statuses,
    ),
    Route(
        method="DELETE",
        pattern=f"{_DEPLOYMENTS}/{{deployment_id}}",
        permission=("deployments", "write"),
        handler=delete_deployment,
    ),
    Route(
        method="DELETE",
        pattern=f"{_REPOSITORY}/environments/{{environment_name}}",
        permission=("administration", "write"),
        handler=delete_environment,
    ),
]
