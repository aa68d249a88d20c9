import pytest

from bot.core.model.ids import DeliveryGuid, DeliveryKey, HookId
from bot.webhooks.delivery import Delivery, Malformed, read

HEADERS = {
    "X-GitHub-Delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
    "X-GitHub-Event": "push",
    "X-GitHub-Hook-ID": "292430182",
}


def test_a_delivery_is_its_key_its_name_and_its_json() -> None:
    assert read(HEADERS, b'{"ref":"refs/heads/main"}') == Delivery(
        key=DeliveryKey(
            hook=HookId("292430182"), guid=DeliveryGuid("72d3162e-cc78-11e3-81ab-4c9367dc0958")
        ),
        event_name="push",
        body=b'{"ref":"refs/heads/main"}',
        payload={"ref": "refs/heads/main"},
    )


def test_header_names_are_read_in_any_letter_case() -> None:
    lower = {name.lower(): value for name, value in HEADERS.items()}

    assert read(lower, b"{}") == read(HEADERS, b"{}")


def test_a_delivery_by_hand_needs_no_hook() -> None:
    by_hand = {name: value for name, value in HEADERS.items() if name != "X-GitHub-Hook-ID"}

    delivery = read(by_hand, b"{}")

    assert isinstance(delivery, Delivery)
    assert delivery.key.hook == "unknown"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-GitHub-Delivery", ""),
        ("X-GitHub-Delivery", "../../etc/passwd"),
        ("X-GitHub-Delivery", "a" * 65),
        ("X-GitHub-Delivery", "72d3162e\n"),
        ("X-GitHub-Event", ""),
        ("X-GitHub-Event", "<script>"),
        ("X-GitHub-Hook-ID", "1 OR 1=1"),
    ],
)
def test_a_header_of_another_shape_makes_no_delivery(name: str, value: str) -> None:
    found = read(HEADERS | {name: value}, b"{}")

    assert found == Malformed(problem=f"the header {name} is missing or not as GitHub sends it")


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"a":NaN}', b'{"a":"\\ud800"}'])
def test_a_body_that_is_not_json_makes_no_delivery(body: bytes) -> None:
    assert read(HEADERS, body) == Malformed(problem="the body is not JSON")


def test_json_nested_without_end_makes_no_delivery() -> None:
    assert read(HEADERS, b"[" * 100_000) == Malformed(problem="the body is not JSON")


def test_a_form_is_told_how_to_become_json() -> None:
    assert read(HEADERS, b"payload=%7B%7D") == Malformed(
        problem='the body is a form; set the webhook\'s content type to "application/json"'
    )
