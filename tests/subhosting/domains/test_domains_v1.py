"""Custom domains of v1: registered, proved, attached, deleted and back again."""

import pytest

from tests.subhosting.domains.world import World
from tests.subhosting.server import Json

HELLO = 'Deno.serve(() => new Response("one"));'
OTHER = 'Deno.serve(() => new Response("two"));'


def deployed(world: World, source: str = HELLO) -> Json:
    project = world.server.new_project()
    return world.server.deployed(project["id"], {"main.ts": source}, domains=[])


def test_a_new_domain_says_what_to_publish(world: World, name: str) -> None:
    made = world.new_domain(name)

    assert made["dnsRecords"] == [
        {"type": "A", "name": name, "content": "192.0.2.1"},
        {"type": "AAAA", "name": name, "content": "2001:db8::1"},
        {
            "type": "CNAME",
            "name": f"_acme-challenge.{name}",
            "content": f"{made['token']}._acme.localhost.",
        },
    ]
    assert (made["isValidated"], made["certificates"]) == (False, [])
    assert made["provisioningStatus"] == {"code": "pending"}
    assert "projectId" not in made
    assert world.v1("GET", f"/domains/{made['id']}").json == made


def test_only_a_proved_domain_leads_to_a_deployment(world: World, name: str) -> None:
    live = deployed(world)
    path = f"/deployments/{live['id']}/domains/{name}"
    unknown = world.v1("PUT", path)
    domain = world.new_domain(name)
    unproved = world.v1("PUT", path)
    refused = world.v1("POST", f"/domains/{domain['id']}/verify")
    world.prove(domain)
    world.v1("POST", f"/domains/{domain['id']}/verify")

    attached = world.v1("PUT", path)

    assert (unknown.status, unknown.json["code"]) == (400, "domainNotAllowed")
    assert "not verified yet" in unproved.json["message"]
    assert (refused.status, refused.json["code"]) == (400, "domainNotVerified")
    assert f"_acme-challenge.{name}" in refused.json["message"]
    assert (attached.status, attached.json) == (200, {"domain": name})
    assert world.server.get(name).text == "one"
    shown = world.v1("GET", f"/domains/{domain['id']}").json
    assert (shown["deploymentId"], shown["projectId"]) == (live["id"], live["projectId"])
    assert world.v1("DELETE", path).status == 200
    assert world.server.get(name).status == 404


def test_a_create_may_list_custom_domains(world: World, name: str) -> None:
    world.verified(f"*.{name}")
    project = world.server.new_project()
    listed = [f"{{project.name}}-{{deployment.id}}.{name}", f"www.{name}"]

    live = world.server.deployed(project["id"], {"main.ts": HELLO}, domains=listed)

    assert world.server.get(f"www.{name}").text == "one"
    assert world.server.get(f"{project['name']}-{live['id']}.{name}").text == "one"


def test_deployctl_is_told_which_custom_domains_lead_to_a_project(world: World, name: str) -> None:
    world.verified(f"*.{name}")
    live = deployed(world)
    path = f"/api/projects/{live['projectId']}/domains"
    before = world.server.call("GET", path).json

    world.v1("PUT", f"/deployments/{live['id']}/domains/www.{name}")

    after = world.server.call("GET", path).json
    assert (before, after) == ([], [{"domain": f"www.{name}", "isValidated": True}])


@pytest.mark.parametrize(("label", "status"), [("www.", 200), ("", 400), ("a.b.", 400)])
def test_a_wildcard_covers_one_label(world: World, name: str, label: str, status: int) -> None:
    world.verified(f"*.{name}")
    live = deployed(world)

    attached = world.v1("PUT", f"/deployments/{live['id']}/domains/{label}{name}")

    assert attached.status == status, attached


def test_putting_moves_a_domain(world: World, name: str) -> None:
    world.verified(name)
    one, two = deployed(world), deployed(world, OTHER)
    world.v1("PUT", f"/deployments/{one['id']}/domains/{name}")

    world.v1("PUT", f"/deployments/{two['id']}/domains/{name}")

    assert world.server.get(name).text == "two"
    assert world.v1("GET", f"/deployments/{one['id']}").json["domains"] == []


def test_the_deprecated_patch_proves_and_attaches_and_null_detaches(
    world: World, name: str
) -> None:
    domain = world.new_domain(name)
    live = deployed(world)
    path = f"/domains/{domain['id']}"
    early = world.v1("PATCH", path, {"deploymentId": live["id"]})
    world.prove(domain)

    attached = world.v1("PATCH", path, {"deploymentId": live["id"]})
    answered = world.server.get(name).text
    detached = world.v1("PATCH", path, {"deploymentId": None})

    assert (early.status, early.json["code"]) == (400, "domainNotVerified")
    assert (attached.status, attached.body, answered) == (200, b"", "one")
    assert detached.status == 200
    assert world.server.get(name).status == 404
    assert world.v1("PATCH", path, {"deploymentId": "nowhere00000"}).status == 404


def test_a_deleted_domain_s_hosts_come_back_when_it_is_proved_again(
    world: World, name: str
) -> None:
    domain = world.verified(name)
    live = deployed(world)
    world.v1("PUT", f"/deployments/{live['id']}/domains/{name}")

    deleted = world.v1("DELETE", f"/domains/{domain['id']}")
    gone = world.server.get(name).status
    again = world.new_domain(name)
    still_gone = world.server.get(name).status
    world.prove(again)
    world.v1("POST", f"/domains/{again['id']}/verify")

    assert (deleted.status, deleted.body, gone, still_gone) == (200, b"", 404, 404)
    assert again["token"] != domain["token"]
    assert world.server.get(name).text == "one"


@pytest.mark.parametrize(
    "domain",
    [
        "",
        "localhost",
        "x.localhost",
        "single",
        "a..example",
        "-a.example",
        "127.0.0.1",
        "k\u00e4se.example",
        "a b.example",
        "a.example/x",
        "*.*.example",
        f"{'x' * 64}.example",
        "x." * 130 + "example",
        "a\0.example",
    ],
)
def test_what_is_no_domain_is_refused_by_field(world: World, domain: str) -> None:
    path = f"/organizations/{world.server.organization}/domains"
    answer = world.v1("POST", path, {"domain": domain})

    assert answer.status == 400, answer
    assert answer.json["message"].startswith("domain: ")


def test_a_domain_is_registered_once_for_what_it_covers(world: World, name: str) -> None:
    world.new_domain(name)
    world.new_domain(f"*.{name}")
    path = f"/organizations/{world.server.organization}/domains"

    again = world.v1("POST", path, {"domain": name.upper()})
    both = world.v2("POST", "/domains", {"domain": name, "kind": "base_and_wildcard"})

    assert (again.status, again.json["code"]) == (400, "domainTaken")
    assert both.status == 400


def test_domains_are_listed_by_page_and_name(world: World, name: str) -> None:
    made = [world.new_domain(f"{label}.{name}") for label in "cab"]
    path = f"/organizations/{world.server.organization}/domains?q={name}&sort=domain"

    first = world.v1("GET", f"{path}&limit=2")
    last = world.v1("GET", f"{path}&order=desc&limit=1")

    assert [each["domain"] for each in first.json] == [f"a.{name}", f"b.{name}"]
    assert 'rel="next"' in first.headers["link"]
    assert [each["id"] for each in last.json] == [made[0]["id"]]


def test_nobody_else_s_domain_is_there(world: World) -> None:
    nobody = "00000000-0000-4000-8000-000000000000"

    assert world.v1("GET", f"/domains/{nobody}").json["code"] == "domainNotFound"
    assert world.v1("GET", f"/organizations/{nobody}/domains").status == 404
    assert world.v1("DELETE", f"/domains/{nobody}").status == 404
