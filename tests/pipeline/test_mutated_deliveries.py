"""Whatever a signed delivery says: an answer, a decision, and a check that does not stay open.

The receiver itself, its parser, the table of deliveries and the whole pipeline run here, over
forge, source and target in memory. Anything that raises on the way ends the test.
"""

import json
from collections.abc import Iterator, Mapping, MutableMapping
from itertools import groupby
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from bot.core.model.checks import CheckStatus
from bot.core.model.decisions import Ignored
from bot.core.model.events import Event
from bot.core.model.ids import DeliveryGuid, DeliveryKey, HookId
from bot.core.model.preview import DeploymentState
from bot.webhooks.parse import HANDLED, parse
from bot.webhooks.signature import HEADER, signature
from tests.integration.web.conftest import SECRET, Site
from tests.pipeline.bot_in_memory import BotInMemory
from tests.pipeline.stored_inbox import StoredInbox
from tests.pipeline.world_of_events import World

Logged = list[MutableMapping[str, Any]]

TEMPLATES = World().templates()
HOOK = HookId("7")
INBOX = StoredInbox()
CLIENT = Site(inbox=INBOX).client

# Several deliveries one after the other, by their event.
MUTATIONS = {
    event: st.lists(
        st.one_of(
            [
                st.tuples(st.just(what), template.mutations)
                for what, template in TEMPLATES.items()
                if template.event == event
            ]
        ),
        min_size=6,
        max_size=8,
    )
    for event in HANDLED
}

# What goes wrong inside is a warning, or worse.
QUIET = {"debug", "info"}

# Of header values there is only what WSGI can carry.
LATIN = st.text(st.characters(max_codepoint=0xFF, exclude_characters="\r\n"), max_size=70)


class Bot:
    """The bot behind its receiver, in a world where something happened."""

    def __init__(self) -> None:
        INBOX.forget()
        self.world = World(BotInMemory(inbox=INBOX))
        self._sent = 0

    def deliver(self, event: str, body: bytes) -> tuple[int, str | None]:
        """Post a signed delivery and let all happen that follows; return status and reason."""
        self._sent += 1
        status, key = post(event, body, {"X-GitHub-Delivery": f"sent-{self._sent}"})
        self.world.bot.decide_all()
        self.world.bot.deploy_all()
        return status, INBOX.reason(key)

    def left_open(self) -> list[object]:
        """Return the checks that are not completed, and the attempts that nobody ends."""
        bot = self.world.bot
        checks = bot.forge.latest().values()
        return [
            *(check for check in checks if check.status is not CheckStatus.COMPLETED),
            *(
                attempt
                for attempt in bot.deployments()
                if not attempt.is_over and attempt.state is not DeploymentState.WAITING
            ),
        ]


def post(event: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, DeliveryKey]:
    """Post a signed delivery and return the status and the key of what may be stored."""
    given = {
        "Content-Type": "application/json",
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": "sent",
        "X-GitHub-Hook-ID": HOOK,
        HEADER: signature(SECRET.encode(), body),
        **headers,
    }
    answer = CLIENT.post("/webhooks/github", data=body, headers=given)
    key = DeliveryKey(
        hook=HookId(given["X-GitHub-Hook-ID"]), guid=DeliveryGuid(given["X-GitHub-Delivery"])
    )
    return answer.status_code, key


@pytest.fixture(scope="module", autouse=True)
def logged() -> Iterator[Logged]:
    """Return what was logged; printing it would take most of the time."""
    with capture_logs() as lines:
        yield lines


@pytest.mark.parametrize("event", sorted(HANDLED))
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_a_mutated_delivery_ends_in_a_decision_and_no_open_check(
    event: str, logged: Logged, data: st.DataObject
) -> None:
    logged.clear()
    bot = Bot()
    for what, mutation in data.draw(MUTATIONS[event]):
        body = json.dumps(mutation.of(TEMPLATES[what].payload)).encode()
        status, reason = bot.deliver(mutation.event, body)

        assert (status, bool(reason)) == (202, True)
        assert bot.left_open() == []
        assert [line for line in logged if line["log_level"] not in QUIET] == []


@pytest.mark.parametrize("event", sorted(HANDLED))
def test_every_part_that_is_read_may_be_anything(event: str, logged: Logged) -> None:
    logged.clear()
    template = next(each for each in TEMPLATES.values() if each.event == event)
    for _, mutations in groupby(template.each(), lambda mutation: mutation.changes[0].place):
        bot = Bot()
        met: set[Event] = set()
        for mutation in mutations:
            payload = mutation.of(template.payload)
            meant = parse(event, payload)
            if isinstance(meant, Ignored) or meant in met:
                continue  # nothing follows, or nothing new
            met.add(meant)

            assert bot.deliver(event, json.dumps(payload).encode())[1], mutation
            assert bot.left_open() == []
            assert [line for line in logged if line["log_level"] not in QUIET] == [], mutation


@settings(max_examples=150, deadline=None)
@given(
    start=st.binary(max_size=30),
    cut=st.integers(0, 3000),
    end=st.binary(max_size=30),
    headers=st.dictionaries(
        st.sampled_from(["X-GitHub-Event", "X-GitHub-Delivery", "X-GitHub-Hook-ID", HEADER]),
        LATIN,
        max_size=2,
    ),
)
def test_what_is_no_delivery_is_refused_and_anything_else_decided(
    start: bytes, cut: int, end: bytes, headers: dict[str, str]
) -> None:
    whole = json.dumps(TEMPLATES["push: to main"].payload).encode()

    INBOX.forget()

    status, key = post("push", start + whole[:cut] + end, headers)

    decided = INBOX.reason(key) is not None or key in INBOX.intakes
    assert (status, decided) in {(202, True), (400, False), (401, False)}


@pytest.mark.parametrize("what", TEMPLATES)
def test_what_is_mutated_is_understood(what: str) -> None:
    template = TEMPLATES[what]

    status, reason = Bot().deliver(template.event, json.dumps(template.payload).encode())

    assert status == 202
    assert reason != "payload-not-understood"
    assert len(template.read) >= 2
