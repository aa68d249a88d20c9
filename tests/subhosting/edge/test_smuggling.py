"""No request is read in two ways, whatever it looks like."""

import pytest

from tests.subhosting.edge.smuggling import ACCEPTED, REFUSED, attempt, victim
from tests.subhosting.server import RunningSubhosting


@pytest.mark.parametrize("request_", REFUSED.values(), ids=REFUSED.keys())
def test_what_could_be_read_in_two_ways_is_refused(
    impatient: RunningSubhosting, echo: str, request_: bytes
) -> None:
    with impatient.connect() as connection:
        made = attempt(connection, request_, echo)

    assert len(made.statuses) <= 1
    assert made.closed
    assert all(400 <= status < 506 for status in made.statuses), made.received
    assert b"/hidden" not in impatient.get(echo, "/seen").body
    with impatient.connect() as connection:
        victim(connection, echo)


@pytest.mark.parametrize("request_", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_what_is_odd_but_clear_is_one_request(
    impatient: RunningSubhosting, echo: str, request_: bytes
) -> None:
    with impatient.connect() as connection:
        made = attempt(connection, request_, echo)

    assert made.statuses == [200]
    assert b" /first " in made.received
    with impatient.connect() as connection:
        victim(connection, echo)
