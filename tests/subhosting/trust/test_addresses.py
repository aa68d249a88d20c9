"""No private, loopback or link-local address is contacted on a stranger's word."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from typing import cast

import httpx
import pytest
from typing_extensions import override

from bot.kernel.addresses import address_problem
from bot.subhosting.trust.addresses import (
    AddressPolicy,
    AddressRefused,
    AllowList,
)
from bot.subhosting.trust.pinned import PinnedTransport, guarded_client
from tests.fakes.subhosting.names import FakeHosts

PUBLIC = "93.184.215.14"
LOOPBACK = AllowList.of(["127.0.0.0/8"])


class Site(ThreadingHTTPServer):
    """Answers 200, or a redirect for /away; remembers the Host headers."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.hosts: list[str] = []
        self.location = ""


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        site = cast("Site", self.server)
        site.hosts.append(self.headers["Host"])
        self.send_response(302 if self.path == "/away" else 200)
        if self.path == "/away":
            self.send_header("Location", site.location)
        self.send_header("Content-Length", "0")
        self.end_headers()

    @override
    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def running_site() -> Iterator[Site]:
    with Site() as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        yield site
        site.shutdown()


def policy(*entries: str, **answers: list[list[str]]) -> AddressPolicy:
    hosts = FakeHosts({name.replace("_", "."): list(given) for name, given in answers.items()})
    return AddressPolicy(resolver=hosts, allowed=AllowList.of(entries))


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",  # noqa: S104 - refused, not bound
        "10.0.0.1",
        "100.64.0.1",
        "100.100.100.200",
        "127.0.0.1",
        "127.255.255.254",
        "168.63.129.16",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.192",
        "192.168.1.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "2001::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%lo",
        "2600::1%lo",
        "fec0::1",
        "ff02::1",
    ],
)
def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    assert address_problem(ip_address(address)) is not None
    with pytest.raises(AddressRefused):
        policy(a_test=[[address]]).checked("a.test")
    with pytest.raises(AddressRefused):
        policy().checked(address)


@pytest.mark.parametrize(
    "address", [PUBLIC, "172.32.0.1", "100.128.0.1", "2606:4700::1111", "64:ff9b::808:808"]
)
def test_a_public_address_is_fine(address: str) -> None:
    assert policy(a_test=[[address]]).checked("a.test") == (ip_address(address),)


def test_a_v4_address_in_v6_form_becomes_v4() -> None:
    found = policy(a_test=[[f"::ffff:{PUBLIC}"]]).checked("a.test")

    assert found == (ip_address(PUBLIC),)


@pytest.mark.parametrize(
    "host",
    [
        "2130706433",
        "127.1",
        "0177.0.0.1",
        "0x7f.0.0.1",
        "0x7f000001",
        "127.0.0.1.",
        "1.2.3.4.5",
        "fe80::1%eth0",
        "fe80::1%25eth0",
        "",
        "b\u00fccher.test",
    ],
)
def test_an_unusual_form_is_refused_before_anybody_is_asked(host: str) -> None:
    hosts = FakeHosts({host: [[PUBLIC]]})

    with pytest.raises(AddressRefused):
        AddressPolicy(resolver=hosts).checked(host)

    assert hosts.asked == []


def test_one_private_address_among_public_ones_refuses_the_host() -> None:
    with pytest.raises(AddressRefused, match="not on the public Internet"):
        policy(a_test=[[PUBLIC, "10.0.0.1"]]).checked("a.test")


def test_a_host_without_address_is_refused_in_the_same_words() -> None:
    with pytest.raises(AddressRefused) as nowhere:
        policy().checked("a.test")
    with pytest.raises(AddressRefused) as inside:
        policy(a_test=[["10.0.0.1"]]).checked("a.test")

    assert nowhere.value.message == inside.value.message
    assert nowhere.value.problem != inside.value.problem


def test_the_operator_can_open_hosts_and_networks() -> None:
    opened = AllowList.of(["minio.internal", "10.1.0.0/16", "fd00:1::/64", "192.168.7.7"])
    hosts = {
        "minio.internal": [["172.16.0.9"]],
        "a.test": [["10.1.2.3", "fd00:1::5", "192.168.7.7"]],
        "b.test": [["10.2.0.1"]],
    }
    allowed = AddressPolicy(resolver=FakeHosts(hosts), allowed=opened)

    assert len(allowed.checked("minio.internal")) == 1
    assert len(allowed.checked("a.test")) == 3
    with pytest.raises(AddressRefused):
        allowed.checked("b.test")


def test_a_mistyped_network_is_an_error_for_the_operator() -> None:
    with pytest.raises(ValueError, match="host bits"):
        AllowList.of(["10.0.0.1/8"])


def test_the_connection_goes_to_the_checked_address_under_the_host_s_name() -> None:
    with running_site() as site:
        # The second answer is never asked for.
        hosts = FakeHosts({"a.test": [["127.0.0.1"], ["10.0.0.1"]]})
        with guarded_client(AddressPolicy(resolver=hosts, allowed=LOOPBACK)) as client:
            answer = client.get(f"http://a.test:{site.server_port}/")

        assert answer.status_code == 200
        assert site.hosts == [f"a.test:{site.server_port}"]
        assert hosts.asked == ["a.test"]


def test_a_name_that_turns_inwards_for_the_second_request_is_refused() -> None:
    with running_site() as site:
        hosts = FakeHosts({"a.test": [["127.0.0.1"], ["10.0.0.1"]]})
        with guarded_client(AddressPolicy(resolver=hosts, allowed=LOOPBACK)) as client:
            client.get(f"http://a.test:{site.server_port}/")
            with pytest.raises(AddressRefused):
                client.get(f"http://a.test:{site.server_port}/")

        assert len(site.hosts) == 1


def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    with running_site() as site, guarded_client(AddressPolicy(allowed=LOOPBACK)) as client:
        site.location = "http://169.254.169.254/latest/meta-data/"

        assert client.get(f"http://127.0.0.1:{site.server_port}/away").status_code == 302


def test_even_a_client_that_follows_redirects_cannot_follow_one_inwards() -> None:
    with running_site() as site:
        site.location = "http://169.254.169.254/latest/meta-data/"
        transport = PinnedTransport(AddressPolicy(allowed=LOOPBACK))
        with (
            httpx.Client(transport=transport, follow_redirects=True) as client,
            pytest.raises(AddressRefused),
        ):
            client.get(f"http://127.0.0.1:{site.server_port}/away")


def test_tls_is_made_for_the_name_and_not_for_the_address() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200)

    transport = PinnedTransport(policy(a_test=[[PUBLIC]]), connecting=httpx.MockTransport(answer))
    with httpx.Client(transport=transport) as client:
        client.get("https://a.test/x")

    (request,) = seen
    assert request.url == f"https://{PUBLIC}/x"
    assert request.headers["Host"] == "a.test"
    assert request.extensions["sni_hostname"] == "a.test"


def test_the_next_address_is_tried_when_one_does_not_answer() -> None:
    tried: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        tried.append(request.url.host)
        if request.url.host == "2606:4700::1111":
            raise httpx.ConnectError("away")
        return httpx.Response(200)

    transport = PinnedTransport(
        policy(a_test=[["2606:4700::1111", PUBLIC]]), connecting=httpx.MockTransport(answer)
    )
    with httpx.Client(transport=transport) as client:
        assert client.get("https://a.test/").status_code == 200

    assert tried == ["2606:4700::1111", PUBLIC]
