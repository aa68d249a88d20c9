"""Endpoints of check runs."""

from tests.fakes.github import limits
from tests.fakes.github.call import Answer, Call, Route
from tests.fakes.github.entities import App, CheckRun, JsonObject
from tests.fakes.github.refusals import Refusal, not_found

READ = ("checks", "read")
WRITE = ("checks", "write")


def create(call: Call) -> Answer:
    """POST a check run."""
    limits.check_run(call.body)
    run = CheckRun(
        id=call.store.number(),
        repository=call.repository.full_name,
        app=_app(call),
        name=call.body["name"],
        head_sha=call.commit(call.body["head_sha"]),
        started_at=call.store.clock.now(),
    )
    with call.store.changing():
        _apply(call, run)
    return Answer(status=201, document=call.documents.check_run(run))


def update(call: Call) -> Answer:
    """PATCH a check run."""
    run = _run(call)
    if run.app.id != _app(call).id:
        raise Refusal(
            403, "Invalid app_id `%s` - check run can only be modified by the GitHub App"
        )
    limits.check_run(call.body, present_conclusion=run.conclusion)
    with call.store.changing():
        _apply(call, run)
    return Answer(document=call.documents.check_run(run))


def get(call: Call) -> Answer:
    """GET a check run."""
    return Answer(document=call.documents.check_run(_run(call)))


def list_for_ref(call: Call) -> Answer:
    """GET the check runs of a commit, newest first."""
    runs = call.store.checks_of(call.repository, _sha(call))[::-1]
    if (name := call.query.get("check_name")) is not None:
        runs = [run for run in runs if run.name == name]
    if (status := call.query.get("status")) is not None:
        runs = [run for run in runs if run.status == status]
    if (app := call.query.get("app_id")) is not None:
        runs = [run for run in runs if run.app.id == int(app)]
    if call.query.get("filter", "latest") == "latest":
        newest: dict[tuple[int, str], CheckRun] = {}
        for run in runs:
            newest.setdefault((run.app.id, run.name), run)
        runs = list(newest.values())
    page, headers = call.page(runs)
    document = {
        "total_count": len(runs),
        "check_runs": [call.documents.check_run(run) for run in page],
    }
    return Answer(document=document, headers=headers)


def _sha(call: Call) -> str:
    """Return the commit of a {ref}: a SHA, a branch or `heads/<branch>`."""
    ref = call.parameters["ref"]
    return call.repository.head(ref.removeprefix("heads/")) or call.commit(ref)


def _app(call: Call) -> App:
    token = call.caller.token
    assert token is not None
    assert token.app is not None
    return token.app


def _run(call: Call) -> CheckRun:
    run = call.store.checks.get(int(call.parameters["check_run_id"]))
    if run is None or run.repository != call.repository.full_name:
        raise not_found()
    return run


_PLAIN = ("name", "external_id", "details_url", "status", "started_at", "completed_at", "actions")


def _apply(call: Call, run: CheckRun) -> None:
    """Change the run as a write asks, and write the transition down."""
    for field in _PLAIN:
        if field in call.body:
            setattr(run, field, call.body[field])
    if "conclusion" in call.body:
        run.conclusion = call.body["conclusion"]
        run.status = "completed"
    if run.status == "completed":
        run.completed_at = call.body.get("completed_at") or call.store.clock.now()
    else:  # a run that is taken up again has no end any more
        run.conclusion = run.completed_at = None
    output: JsonObject = call.body.get("output", {})
    for field in ("title", "summary", "text"):
        if field in output:
            setattr(run, field, output[field])
    run.annotations.extend(output.get("annotations", []))  # appended on every update
    call.store.record_check(run)


_RUNS = "/repos/{owner}/{repo}/check-runs"

ROUTES = [
    Route(method="POST", pattern=_RUNS, permission=WRITE, handler=create),
    Route(method="GET", pattern=f"{_RUNS}/{{check_run_id}}", permission=READ, handler=get),
    Route(method="PATCH", pattern=f"{_RUNS}/{{check_run_id}}", permission=WRITE, handler=update),
    Route(
        method="GET",
        pattern="/repos/{owner}/{repo}/commits/{ref}/check-runs",
        permission=READ,
        handler=list_for_ref,
    ),
]
