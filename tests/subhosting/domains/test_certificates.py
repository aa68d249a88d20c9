"""Certificates: uploaded, asked for by the proxy, and obtained by it."""

import json

import pytest

from tests.subhosting.domains.world import SECRET, World, pair
from tests.subhosting.server import Answer, request, wait_until


def ask(world: World, path: str) -> Answer:
    return request(world.server.api_port, "GET", f"/internal/tls/{path}", headers={})


def test_an_uploaded_certificate_is_the_proxy_s_and_nobody_sees_its_key(
    world: World, name: str
) -> None:
    domain = world.verified(name)
    given = pair(name)
    path = f"/domains/{domain['id']}/certificates"

    uploaded = world.v1("POST", path, {"privateKey": given.key, "certificateChain": given.chain})

    assert (uploaded.status, uploaded.body) == (200, b"")
    shown = world.v1("GET", f"/domains/{domain['id']}").json
    assert shown["provisioningStatus"] == {"code": "manual"}
    assert [each["cipher"] for each in shown["certificates"]] == ["ec"]
    assert "PRIVATE KEY" not in json.dumps(shown)
    stored = world.server.data_dir.joinpath("subhosting.db").read_bytes()
    assert b"PRIVATE KEY" not in stored
    handed = ask(world, f"certificate/{SECRET}?server_name={name}")
    assert handed.text == f"{given.chain.strip()}\n{given.key.strip()}\n"
    assert ask(world, f"certificate/wrong?server_name={name}").status == 404
    assert ask(world, f"certificate/{SECRET}?server_name=other.example").status == 204


def test_v2_shows_an_upload_in_its_own_words(world: World, name: str) -> None:
    world.verified(name)
    given = pair(name, rsa_bits=2048)
    body = {"certificate": given.chain, "private_key": given.key}

    uploaded = world.v2("POST", f"/domains/{name}/certificates", body)

    (certificate,) = world.v2("GET", f"/domains/{name}/certificates").json["certificates"]
    assert uploaded.status == 200
    assert uploaded.json["certificates"] == [certificate]
    assert certificate["kind"] == "manual"
    assert certificate["private_key_algorithm"] == "rsa-2048"
    assert certificate["subject_alt_names"] == [name]


def test_a_certificate_for_another_name_is_refused_by_field(world: World, name: str) -> None:
    domain = world.verified(name)
    good, other = pair(name), pair("other.example")
    v1 = f"/domains/{domain['id']}/certificates"

    wrong_name = world.v1("POST", v1, {"privateKey": other.key, "certificateChain": other.chain})
    wrong_key = world.v1("POST", v1, {"privateKey": other.key, "certificateChain": good.chain})
    no_pem = world.v2(
        "POST", f"/domains/{name}/certificates", {"private_key": "x", "certificate": good.chain}
    )

    assert (wrong_name.status, wrong_name.json["code"]) == (400, "invalidCertificate")
    assert wrong_name.json["message"].startswith("certificateChain: ")
    assert wrong_key.json["message"].startswith("privateKey: ")
    assert no_pem.json["message"].startswith("private_key: ")
    assert other.key not in wrong_key.text


@pytest.mark.parametrize(
    "path", ["certificates", "certificates/provision"], ids=["upload", "provision"]
)
def test_an_unproved_domain_gets_no_certificate(world: World, name: str, path: str) -> None:
    domain = world.new_domain(name)
    given = pair(name)
    body = {"privateKey": given.key, "certificateChain": given.chain}

    answer = world.v1("POST", f"/domains/{domain['id']}/{path}", body)

    assert (answer.status, answer.json["code"]) == (400, "domainNotVerified")


def test_provisioning_waits_for_what_the_proxy_obtains(world: World, name: str) -> None:
    domain = world.new_domain(name)
    world.prove(domain)
    world.proxy.pairs[name] = pair(name)

    answer = world.v1("POST", f"/domains/{domain['id']}/certificates/provision")

    assert (answer.status, answer.body) == (200, b""), answer
    assert world.proxy.asked[name] == 200
    shown = world.v1("GET", f"/domains/{domain['id']}").json
    assert shown["isValidated"] is True
    assert shown["provisioningStatus"] == {"code": "success"}
    assert [each["cipher"] for each in shown["certificates"]] == ["ec"]


def test_a_proxy_without_a_certificate_is_a_failure_with_a_reason(world: World, name: str) -> None:
    domain = world.verified(name)

    answer = world.v1("POST", f"/domains/{domain['id']}/certificates/provision")

    shown = world.v1("GET", f"/domains/{domain['id']}").json["provisioningStatus"]
    assert (answer.status, answer.json["code"]) == (400, "provisioningFailed")
    assert shown["code"] == "failed"
    assert name in shown["message"]


def test_another_s_certificate_at_the_proxy_is_a_failure(world: World, name: str) -> None:
    domain = world.verified(name)
    world.proxy.pairs[name] = pair("other.example")

    answer = world.v1("POST", f"/domains/{domain['id']}/certificates/provision")

    assert "for other.example, not for" in answer.json["message"]


def test_v2_provisions_in_the_background(world: World, name: str) -> None:
    world.verified(name)
    world.proxy.pairs[name] = pair(name)

    accepted = world.v2("POST", f"/domains/{name}/certificates/provision")

    assert (accepted.status, accepted.json) == (202, {"accepted": True})
    path = f"/domains/{name}/certificates"

    def status() -> str:
        return str(world.v2("GET", path).json["provisioning_status"]["code"])

    wait_until(lambda: status() == "success", "the proxy's certificate")
    (certificate,) = world.v2("GET", path).json["certificates"]
    assert certificate["kind"] == "automatic"
    assert certificate["private_key_algorithm"] == "ec-p256"


def test_a_wildcard_is_not_provisioned(world: World, name: str) -> None:
    domain = world.verified(f"*.{name}")

    answer = world.v1("POST", f"/domains/{domain['id']}/certificates/provision")

    assert (answer.status, answer.json["code"]) == (400, "wildcardNotProvisioned")


def test_the_proxy_may_serve_what_leads_somewhere(world: World, name: str) -> None:
    world.new_domain(f"unproved.{name}")
    world.verified(name)
    world.verified(f"*.{name}")
    project = world.server.new_project()
    live = world.server.deployed(
        project["id"], {"main.ts": 'Deno.serve(() => new Response("x"));'}, domains=None
    )
    world.v1("PUT", f"/deployments/{live['id']}/domains/www.{name}")

    answers = {
        host: ask(world, f"ask?domain={host}").status
        for host in (
            live["domains"][0],
            name,
            f"www.{name}",
            f"unbound.{name}",
            f"unproved.{name}",
            "nobody.localhost",
            "",
        )
    }

    assert answers == {
        live["domains"][0]: 200,
        name: 200,
        f"www.{name}": 200,
        f"unbound.{name}": 404,
        f"unproved.{name}": 404,
        "nobody.localhost": 404,
        "": 404,
    }
