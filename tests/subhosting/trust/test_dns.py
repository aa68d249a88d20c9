"""Domain ownership: the rule on a fake, and dnspython on a name server of our own."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from typing import cast

import dns.message
import dns.rcode
import dns.rrset
import pytest
from typing_extensions import override

from bot.subhosting.trust.dns import (
    DnsPythonResolver,
    DnsRecord,
    DnsUnavailable,
    NotYet,
    RecordKind,
    Verified,
    expected_records,
    verify,
)
from tests.fakes.subhosting.names import FakeDns

TOKEN = "t0ken"
BASE = "deno.test"
NAME = "_acme-challenge.shop.example"


def test_the_records_to_make_are_deno_s_three() -> None:
    addresses = [ip_address("192.0.2.1"), ip_address("2001:db8::1")]

    assert expected_records("shop.example", TOKEN, base=BASE, addresses=addresses) == (
        DnsRecord(kind=RecordKind.A, name="shop.example", content="192.0.2.1"),
        DnsRecord(kind=RecordKind.AAAA, name="shop.example", content="2001:db8::1"),
        DnsRecord(kind=RecordKind.CNAME, name=NAME, content="t0ken._acme.deno.test."),
    )


@pytest.mark.parametrize("domain", ["shop.example", "*.shop.example", "shop.example."])
@pytest.mark.parametrize("target", ["t0ken._acme.deno.test.", "T0KEN._acme.Deno.test"])
def test_the_cname_proves_ownership(domain: str, target: str) -> None:
    names = FakeDns()
    names.add(NAME, RecordKind.CNAME, target)

    assert verify(domain, TOKEN, names, base=BASE) == Verified()


def test_a_txt_record_with_the_token_proves_ownership() -> None:
    names = FakeDns()
    names.add(NAME, RecordKind.TXT, "somebody-else's")
    names.add(NAME, RecordKind.TXT, TOKEN)

    assert verify("shop.example", TOKEN, names, base=BASE) == Verified()


def test_without_a_record_the_reason_names_it() -> None:
    assert verify("shop.example", TOKEN, FakeDns(), base=BASE) == NotYet(
        f"{NAME} has neither a CNAME to t0ken._acme.deno.test. nor a TXT record t0ken."
    )


def test_another_customer_s_token_proves_nothing() -> None:
    names = FakeDns()
    names.add(NAME, RecordKind.CNAME, "other._acme.deno.test.")
    # Behind a CNAME a TXT record is somebody else's.
    names.add(NAME, RecordKind.TXT, TOKEN)

    assert verify("shop.example", TOKEN, names, base=BASE) == NotYet(
        f"{NAME} is a CNAME to other._acme.deno.test.; it must be to t0ken._acme.deno.test."
    )


def test_a_part_of_the_token_proves_nothing() -> None:
    names = FakeDns()
    names.add(NAME, RecordKind.TXT, f"x{TOKEN}")

    assert isinstance(verify("shop.example", TOKEN, names, base=BASE), NotYet)


def test_silence_is_not_a_no() -> None:
    found = verify("shop.example", TOKEN, FakeDns(away=True), base=BASE)

    assert found == NotYet(f"DNS did not answer for {NAME}; try again.")


class NameServer(socketserver.ThreadingUDPServer):
    """Answers from lines of a zone file; `broken.*` is a failure, the rest does not exist."""

    daemon_threads = True
    zone = (
        'txt.test. 1 IN TXT "t0" "ken"',
        "alias.test. 1 IN CNAME txt.test.",
        "a.test. 1 IN A 192.0.2.1",
    )


class _Answer(socketserver.BaseRequestHandler):
    @override
    def handle(self) -> None:
        query = dns.message.from_wire(self.request[0])
        answer = dns.message.make_response(query)
        (question,) = query.question
        name = question.name.to_text()
        answer.set_rcode(dns.rcode.SERVFAIL if name.startswith("broken") else dns.rcode.NXDOMAIN)
        for line in cast("NameServer", self.server).zone:
            owner, ttl, family, kind, content = line.split(" ", 4)
            follows = name == "alias.test." and owner == "txt.test."
            if owner == name or follows:
                answer.set_rcode(dns.rcode.NOERROR)
                if kind in {question.rdtype.name, "CNAME"}:
                    record = dns.rrset.from_text(owner, int(ttl), family, kind, content)
                    answer.answer.append(record)
        answer.answer.sort(key=lambda found: found.rdtype.name)
        self.request[1].sendto(answer.to_wire(), self.client_address)


@contextmanager
def name_server() -> Iterator[DnsPythonResolver]:
    with NameServer(("127.0.0.1", 0), _Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield DnsPythonResolver(["127.0.0.1"], port=server.server_address[1])
        server.shutdown()


def test_dnspython_reads_exactly_the_asked_name() -> None:
    with name_server() as names:
        assert list(names.records("txt.test", RecordKind.TXT)) == ["t0ken"]
        assert list(names.records("a.test", RecordKind.A)) == ["192.0.2.1"]
        assert list(names.records("alias.test", RecordKind.CNAME)) == ["txt.test."]
        assert list(names.records("alias.test", RecordKind.TXT)) == []
        assert list(names.records("txt.test", RecordKind.A)) == []
        assert list(names.records("nowhere.test", RecordKind.TXT)) == []


@pytest.mark.parametrize("name", ["broken.test", "a..b", f"{'x' * 64}.test", "x." * 200])
def test_dnspython_s_failures_are_ours(name: str) -> None:
    with name_server() as names, pytest.raises(DnsUnavailable):
        names.records(name, RecordKind.TXT)
