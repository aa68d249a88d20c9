import pytest

from bot.core.model.events import BranchPushed
from bot.web.receiver import MAX_BODY_BYTES
from bot.webhooks.signature import signature
from tests.data import hostile
from tests.integration.web.conftest import PUSH, SECRET, Site


def test_a_signed_push_is_stored_and_accepted(site: Site) -> None:
    response = site.deliver()

    (received,) = site.inbox.received.values()
    assert response.status_code == 202
    assert response.get_json() == {
        "delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
        "status": "accepted",
    }
    assert isinstance(received.verdict, BranchPushed)
    assert received.received_at == site.clock.now()
    assert site.inbox.intakes == [received.key]


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "sha256=",
        "sha256=" + "0" * 64,
        signature(b"another secret", b"x"),
        "sha1=7d38cdd689735b008b3c702edd92eea23791c5f6",
        "sha256=é",
    ],
)
def test_a_missing_or_wrong_signature_is_401(site: Site, header: str | None) -> None:
    response = site.deliver(headers={"X-Hub-Signature-256": header})

    assert response.status_code == 401
    assert "X-Hub-Signature-256" in response.get_json()["message"]
    assert site.inbox.received == {}


def test_a_body_that_was_changed_on_the_way_is_401(site: Site) -> None:
    signed = signature(SECRET.encode(), b"{}")

    assert site.deliver(b"{ }", headers={"X-Hub-Signature-256": signed}).status_code == 401


def test_an_empty_or_absent_secret_verifies_nothing(site: Site) -> None:
    for secrets in ((), ("",)):
        site.secrets = {"octo/hello": secrets}
        signed = signature(b"", b"{}")

        assert site.deliver(headers={"X-Hub-Signature-256": signed}).status_code == 401


def test_the_secret_must_be_of_the_payloads_repository(site: Site) -> None:
    site.secrets = {"octo/hello": ("theirs",), "octo/other": (SECRET,)}

    assert site.deliver().status_code == 401
    assert site.deliver(secret="theirs").status_code == 202


def test_an_old_secret_is_good_beside_the_new_one(site: Site) -> None:
    site.secrets = {"octo/hello": ("new", SECRET)}

    assert site.deliver().status_code == 202


@pytest.mark.parametrize("name", ["X-GitHub-Event", "X-GitHub-Delivery"])
@pytest.mark.parametrize("value", [None, "", "../../x", "a b", "x" * 300])
def test_a_header_that_is_missing_or_odd_is_400_and_named(
    site: Site, name: str, value: str | None
) -> None:
    response = site.deliver(headers={name: value})

    assert response.status_code == 400
    assert name in response.get_json()["message"]
    assert site.inbox.received == {}


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"1", b"null", b'"x"', b"\xff\xfe", b"[" * 5000, b'{"a":"\\ud800"}']
)
def test_a_body_that_is_no_json_object_is_400(site: Site, body: bytes) -> None:
    response = site.deliver(body)

    assert response.status_code == 400
    assert "JSON" in response.get_json()["message"]


def test_a_form_is_415_and_says_what_to_change(site: Site) -> None:
    response = site.deliver(
        b"payload=%7B%7D", headers={"Content-Type": "application/x-www-form-urlencoded"}
    )

    assert response.status_code == 415
    assert "application/json" in response.get_json()["message"]


@pytest.mark.parametrize("excess_bytes", [1, 1_000_000])
def test_a_body_over_the_cap_is_413_by_its_length(site: Site, excess_bytes: int) -> None:
    response = site.deliver(b" " * (MAX_BODY_BYTES + excess_bytes))

    assert response.status_code == 413


def test_a_body_over_the_cap_is_413_while_reading(site: Site) -> None:
    class Endless:
        read_bytes = 0

        def read(self, size: int = -1) -> bytes:
            assert size > 0
            self.read_bytes += size
            return b" " * size

        def readable(self) -> bool:
            return True

    endless = Endless()

    response = site.client.post(
        "/webhooks/github",
        environ_overrides={"wsgi.input": endless, "wsgi.input_terminated": True},
    )

    assert response.status_code == 413
    assert endless.read_bytes < MAX_BODY_BYTES + 200_000


def test_a_body_that_breaks_off_is_400(site: Site) -> None:
    class Broken:
        def read(self, _size: int = -1) -> bytes:
            msg = "Invalid chunk size"
            raise OSError(msg)

        def readable(self) -> bool:
            return True

    response = site.client.post(
        "/webhooks/github",
        environ_overrides={"wsgi.input": Broken(), "wsgi.input_terminated": True},
    )

    assert response.status_code == 400


def test_an_event_that_is_not_handled_is_stored_with_its_reason(site: Site) -> None:
    response = site.deliver(headers={"X-GitHub-Event": "star"})

    (record,) = site.inbox.records.values()
    assert response.status_code == 202
    assert response.get_json()["status"] == "ignored"
    assert response.get_json()["reason"] == record.reason == "event-not-handled"
    assert site.inbox.intakes == []


def test_the_same_guid_again_gives_the_first_outcome(site: Site) -> None:
    site.deliver()

    response = site.deliver()

    assert response.status_code == 200
    assert response.get_json() == {
        "delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
        "status": "repeated",
        "reason": None,
        "detail": None,
        "deployments": [],
    }
    assert len(site.inbox.intakes) == 1


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_other_methods_are_405(site: Site, method: str) -> None:
    response = site.client.open("/webhooks/github", method=method)

    assert response.status_code == 405
    assert "POST" in response.headers["Allow"]


@pytest.mark.parametrize("text", hostile.HOSTILE)
def test_hostile_names_never_give_a_500(site: Site, text: str) -> None:
    clean = text.encode(errors="replace").decode()
    for changed in ({"ref": clean}, {"after": clean}, {"repository": clean}, {"ref": None}):
        assert site.deliver({**PUSH, **changed}).status_code in {200, 202}


def test_the_receiver_needs_no_admin_token() -> None:
    assert Site(admin_token="token").deliver().status_code == 202
