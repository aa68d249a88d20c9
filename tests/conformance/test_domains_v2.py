"""A domain of v2 from its registration to its certificates: no SDK offers these operations, and
schemathesis has neither a zone to publish in nor a key to sign with."""

import json
from collections.abc import Callable

from tests.conformance.certificates import certificate
from tests.conformance.nameserver import Nameserver
from tests.conformance.recording import Proxy, Record
from tests.subhosting.domains.world import TlsProxy, pair
from tests.subhosting.server import Answer, RunningSubhosting, request, wait_until

DOMAIN = "shop.second.example.com"


def test_a_domain_gets_both_kinds_of_certificate(
    server: RunningSubhosting,
    through: Callable[[str], Proxy],
    record: Record,
    zone: Nameserver,
    tls: TlsProxy,
) -> None:
    start = len(record.since(0))
    port = through("plain HTTP").server_port
    headers = {"Authorization": f"Bearer {server.token}", "Content-Type": "application/json"}

    def call(method: str, path: str, body: object = None) -> Answer:
        content = None if body is None else json.dumps(body).encode()
        return request(port, method, f"/v2{path}", headers=headers, body=content)

    made = call("POST", "/domains", {"domain": DOMAIN, "kind": "base_only"})
    domain = f"/domains/{made.json['id']}"
    for each in made.json["dns_records"][0]:
        name = each["base"] if each["name"] == "@" else f"{each['name']}.{each['base']}"
        zone.publish(name, each["type"], each["value"])
    verified = call("POST", f"{domain}/verify")
    pem = certificate(DOMAIN)
    uploaded = call(
        "POST", f"{domain}/certificates", {"private_key": pem.key, "certificate": pem.chain}
    )
    tls.pairs[DOMAIN] = pair(DOMAIN)
    asked = call("POST", f"{domain}/certificates/provision")

    answers = (made, verified, uploaded, asked)
    assert [each.status for each in answers] == [200, 200, 200, 202], answers
    assert verified.json["is_validated"] is True
    wait_until(
        lambda: "automatic" in call("GET", f"{domain}/certificates").text,
        "the proxy to show a certificate",
    )
    assert [text for each in record.since(start) for text in each.violations] == []
