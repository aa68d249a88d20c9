"""Custom domains of v2, over the same store as v1's."""

import pytest

from tests.subhosting.domains.world import World

HELLO = 'Deno.serve(() => new Response("one"));'


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("base_only", ["@"]),
        ("wildcard_only", ["*"]),
        ("base_and_wildcard", ["@", "*"]),
    ],
)
def test_the_records_are_alternatives(
    world: World, name: str, kind: str, names: list[str]
) -> None:
    made = world.v2("POST", "/domains", {"domain": name, "kind": kind})

    assert made.status == 200, made
    token = made.json["verification_token"]
    leading = [
        {"name": each, "base": name, "type": record, "value": value}
        for each in names
        for record, value in (("A", "192.0.2.1"), ("AAAA", "2001:db8::1"))
    ]
    proof = {"name": "_acme-challenge", "base": name}
    assert made.json["dns_records"] == [
        [*leading, {**proof, "type": "CNAME", "value": f"{token}._acme.localhost."}],
        [*leading, {**proof, "type": "TXT", "value": token}],
    ]
    assert (made.json["kind"], made.json["is_validated"]) == (kind, False)


def test_a_txt_record_proves_it_too_and_v1_sees_it(world: World, name: str) -> None:
    made = world.v2("POST", "/domains", {"domain": name, "kind": "wildcard_only"}).json
    unproved = world.v2("POST", f"/domains/{name}/verify")
    world.names.records[f"_acme-challenge.{name}", "TXT"] = made["verification_token"]

    verified = world.v2("POST", f"/domains/{made['id']}/verify")

    assert (unproved.status, unproved.json["code"]) == (400, "DOMAIN_NOT_VERIFIED")
    assert unproved.json["error"]["code"] == "DOMAIN_NOT_VERIFIED"
    assert (verified.status, verified.json["is_validated"]) == (200, True)
    seen = world.v1("GET", f"/domains/{made['id']}").json
    assert (seen["domain"], seen["isValidated"]) == (f"*.{name}", True)


def test_deleting_takes_the_bindings_for_good(world: World, name: str) -> None:
    domain = world.verified(name)
    project = world.server.new_project()
    live = world.server.deployed(project["id"], {"main.ts": HELLO}, domains=[name])
    before = world.server.get(name).text

    deleted = world.v2("DELETE", f"/domains/{name}")
    world.verified(name)

    assert (before, deleted.status, deleted.body) == ("one", 204, b"")
    assert world.v2("GET", f"/domains/{domain['id']}").status == 404
    assert world.server.get(name).status == 404
    assert world.v1("GET", f"/deployments/{live['id']}").json["domains"] == []


def test_a_host_that_another_domain_covers_stays(world: World, name: str) -> None:
    world.verified(f"*.{name}")
    host = f"www.{name}"
    world.verified(host)
    project = world.server.new_project()
    world.server.deployed(project["id"], {"main.ts": HELLO}, domains=[host])

    world.v2("DELETE", f"/domains/{host}")

    assert world.server.get(host).text == "one"


def test_the_list_goes_on_by_cursor_and_searches(world: World, name: str) -> None:
    made = [world.new_domain(f"{label}.{name}")["id"] for label in "abc"]

    first = world.v2("GET", f"/domains?search={name}&limit=2")
    link = first.headers["link"]
    path = link.partition("<")[2].partition(">")[0].partition("/v2")[2]
    second = world.v2("GET", path)

    assert link.endswith('>; rel="next"')
    assert [each["id"] for each in (*first.json, *second.json)] == made[::-1]
    assert "link" not in second.headers


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "domain: "),
        ({"domain": "*.x.example"}, "domain: "),
        ({"domain": "x.example", "kind": "all"}, "kind: "),
        ({"domain": "localhost"}, "domain: "),
    ],
)
def test_a_bad_request_names_the_field(world: World, body: object, field: str) -> None:
    answer = world.v2("POST", "/domains", body)

    assert answer.status == 400
    assert answer.json["error"]["message"].startswith(field)


def test_a_v2_deploy_may_name_a_verified_domain(world: World, name: str) -> None:
    world.verified(f"*.{name}")
    slug = world.server.new_project()["name"]
    body = {
        "assets": {"main.ts": {"kind": "file", "content": HELLO}},
        "production": False,
        "preview": {"domains": [f"{{deno.revision.id}}.{name}"]},
        "config": {"runtime": {"type": "dynamic", "entrypoint": "main.ts"}},
    }

    made = world.v2("POST", f"/apps/{slug}/deploy", body)

    assert made.status == 202, made
    world.server.build_log(made.json["id"])
    assert world.server.get(f"{made.json['id']}.{name}").text == "one"
