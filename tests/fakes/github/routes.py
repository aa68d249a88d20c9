"""The REST API: from a request to a route, through every check, to an answer."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from tests.fakes.github import (
    access,
    apps,
    checks,
    comments,
    deployments,
    dispatches,
    hooks,
    manifests,
    pull_requests,
    schema,
    statuses,
)
from tests.fakes.github.call import Answer, Call, Route
from tests.fakes.github.documents import Documents
from tests.fakes.github.entities import RecordedRequest
from tests.fakes.github.misbehaviour import Misbehaviour, Trouble
from tests.fakes.github.refusals import Invalid, Refusal, not_found
from tests.fakes.github.store import Store

ROUTES = [
    *apps.ROUTES,
    *checks.ROUTES,
    *deployments.ROUTES,
    *dispatches.ROUTES,
    *hooks.ROUTES,
    *manifests.ROUTES,
    *statuses.ROUTES,
    *pull_requests.ROUTES,
    *comments.ROUTES,
]

NO_CONTENT = 204

# Path parameters that hold slashes.
_LONG = {"ref", "path", "basehead", "environment_name"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A request to the API as it came over the wire; `path` is without the API prefix."""

    method: str
    path: str
    query: Mapping[str, str]
    authorization: str | None
    body: bytes


class Api:
    """Answers requests, remembering every one."""

    def __init__(self, store: Store, documents: Documents, misbehaviour: Misbehaviour) -> None:
        self.store = store
        self.documents = documents
        self.misbehaviour = misbehaviour

    def handle(self, incoming: Incoming) -> Answer | None:
        """Answer one request; None means that the line is to be cut."""
        caller = "somebody"
        trouble = self.misbehaviour.take(incoming.method, incoming.path)
        try:
            who = access.identify(incoming.authorization, self.store)
            caller = who.name
            if trouble is None or trouble.stored:
                answer: Answer | None = self._answer(incoming, who)
            else:
                answer = None
        except Refusal as refusal:
            answer = Answer(
                status=refusal.status, document=refusal.document(), headers=refusal.headers
            )
        if trouble is not None:
            answer = _troubled(trouble)
        self._record(incoming, caller, answer)
        return answer

    def _answer(self, incoming: Incoming, caller: access.Caller) -> Answer:
        route, parameters = self._route(incoming)
        problem = schema.request_problem(
            route.method, route.pattern, parameters, incoming.query, incoming.body
        )
        if problem is not None:
            self._violation(incoming, problem)
        call = Call(
            store=self.store,
            documents=self.documents,
            caller=caller,
            parameters=parameters,
            query=incoming.query,
            body=json.loads(incoming.body or b"{}") if problem is None else {},
            found=self.store.repository(f"{parameters['owner']}/{parameters['repo']}")
            if "owner" in parameters
            else None,
            address=f"{self.documents.api_url}{incoming.path}",
        )
        if route.permission is not None and call.found is not None:
            access.require(caller, call.found, *route.permission, self.store)
        if problem is not None:
            raise Invalid(problem)
        answer = self._obeyed(incoming, route, call)
        self._check_own(incoming, route, call, answer)
        return answer

    def _obeyed(self, incoming: Incoming, route: Route, call: Call) -> Answer:
        try:
            return route.handler(call)
        except Invalid as refusal:  # a limit that the description does not hold
            self._violation(incoming, refusal.message)
            raise

    def _check_own(self, incoming: Incoming, route: Route, call: Call, answer: Answer) -> None:
        """A fake that strays from the description would let the bot stray with it."""
        if answer.status == NO_CONTENT:
            return  # there is nothing to look at
        body = json.dumps(answer.document).encode()
        problem = schema.answer_problem(
            route.method, route.pattern, call.parameters, answer.status, body
        )
        if problem is not None:
            self._violation(incoming, f"the fake's own answer is wrong: {problem}")

    def _route(self, incoming: Incoming) -> tuple[Route, dict[str, str]]:
        for route in ROUTES:
            match = _regex(route.pattern).fullmatch(incoming.path)
            if route.method == incoming.method and match is not None:
                return route, match.groupdict()
        self._violation(incoming, "the fake has no such endpoint")
        raise not_found()

    def _violation(self, incoming: Incoming, problem: str) -> None:
        with self.store.changing():
            self.store.violations.append(f"{incoming.method} {incoming.path}: {problem}")

    def _record(self, incoming: Incoming, caller: str, answer: Answer | None) -> None:
        with self.store.changing():
            self.store.requests.append(
                RecordedRequest(
                    method=incoming.method,
                    path=incoming.path,
                    query=incoming.query,
                    body=_json_or_text(incoming.body),
                    caller=caller,
                    status=None if answer is None else answer.status,
                )
            )


def _troubled(trouble: Trouble) -> Answer | None:
    if trouble.status is None:
        return None
    return Answer(
        status=trouble.status, document={"message": trouble.message}, headers=trouble.headers
    )


def _json_or_text(body: bytes) -> Any:  # noqa: ANN401 - JSON is anything
    try:
        return json.loads(body) if body else None
    except ValueError:
        return body.decode(errors="replace")


@cache
def _regex(pattern: str) -> re.Pattern[str]:
    def group(match: re.Match[str]) -> str:
        name = match[1]
        return f"(?P<{name}>{'.+' if name in _LONG else '[^/]+'})"

    return re.compile(re.sub(r"\{(\w+)\}", group, pattern))
