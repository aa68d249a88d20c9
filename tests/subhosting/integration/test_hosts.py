"""Which host answers with what: bindings, revisions, headers."""

import json
from urllib.parse import quote

import pytest

from tests.subhosting.server import Json, RunningSubhosting


def saying(words: str) -> dict[str, object]:
    return {"main.ts": f"Deno.serve(() => new Response({json.dumps(words)}));"}


ECHO = """Deno.serve((request, connection) => Response.json({
    url: request.url,
    method: request.method,
    headers: Object.fromEntries(request.headers),
    client: connection.remoteAddr,
}, { headers: { "x-preview-sha": "spoofed", "x-robots-tag": "all", "x-own": "kept" } }));"""


def test_a_host_moves_from_one_deployment_to_the_other(
    server: RunningSubhosting, project: Json
) -> None:
    first = server.deployed(project["id"], saying("first"))
    second = server.deployed(project["id"], saying("second"))
    template, host = quote("{project.name}.localhost"), f"{project['name']}.localhost"

    one = server.call("PUT", f"/v1/deployments/{first['id']}/domains/{template}")
    answer_one = server.get(host).text
    two = server.call("PUT", f"/v1/deployments/{second['id']}/domains/{host}")
    answer_two = server.get(host).text

    assert one.json == two.json == {"domain": host}
    assert (answer_one, answer_two) == ("first", "second")
    domains = [
        server.call("GET", f"/v1/deployments/{each['id']}").json["domains"]
        for each in (first, second)
    ]
    assert host not in domains[0]
    assert host in domains[1]


def test_only_its_deployment_gives_a_host_away(server: RunningSubhosting, project: Json) -> None:
    live = server.deployed(project["id"], saying("live"))
    other = server.deployed(project["id"], saying("other"))
    host = live["domains"][0]

    refused = server.call("DELETE", f"/v1/deployments/{other['id']}/domains/{host}")
    still = server.get(host).status
    done = server.call("DELETE", f"/v1/deployments/{live['id']}/domains/{host}")

    assert (refused.status, refused.json["code"]) == (404, "domainNotFound")
    assert still == 200
    assert (done.status, done.body) == (200, b"")
    assert server.get(host).status == 404


def test_a_host_is_never_moved_to_what_does_not_serve(
    server: RunningSubhosting, project: Json
) -> None:
    failed = server.deployed(project["id"], {"main.ts": "Deno.exit(1)"})
    answer = server.call("PUT", f"/v1/deployments/{failed['id']}/domains/x.localhost")

    assert (answer.status, answer.json["code"]) == (400, "deploymentNotReady")


@pytest.mark.parametrize("domain", ["example.com", "a.b.localhost", "localhost", "-x.localhost"])
def test_a_host_outside_the_wildcard_is_refused(
    server: RunningSubhosting, project: Json, domain: str
) -> None:
    live = server.deployed(project["id"], saying("live"))
    answer = server.call("PUT", f"/v1/deployments/{live['id']}/domains/{domain}")

    assert (answer.status, answer.json["code"]) == (400, "domainNotAllowed")


def test_the_router_says_the_revision_whatever_the_app_says(
    server: RunningSubhosting, project: Json
) -> None:
    live = server.deployed(project["id"], {"main.ts": ECHO})
    host = f"{project['name']}.localhost"
    path = f"/v1/deployments/{live['id']}/domains/{host}"

    server.call("PUT", path, {"revision": "c0ffee"})
    with_revision = server.get(host).headers
    server.call("PUT", path)
    without = server.get(host).headers

    assert with_revision["x-preview-sha"] == "c0ffee"
    assert (with_revision["x-robots-tag"], with_revision["x-own"]) == ("noindex", "kept")
    assert "x-preview-sha" not in without
    refused = server.call("PUT", path, {"revision": "a\r\nx-evil: 1"})
    assert (refused.status, refused.json["code"]) == (400, "invalidRevision")


def test_the_app_sees_the_public_address_and_the_real_client(
    server: RunningSubhosting, project: Json
) -> None:
    host = server.deployed(project["id"], {"main.ts": ECHO})["domains"][0]

    seen = server.get(
        host,
        "/a%20b?c=d",
        **{
            "x-deno-client-address": "6.6.6.6:6",
            "X-Forwarded-For": "6.6.6.6",
            "Forwarded": "for=6.6.6.6",
            "x-preview-sha": "mine",
            "x-kept": "kept",
        },
    ).json

    assert seen["url"] == f"http://{server.authority(host)}/a%20b?c=d"
    assert seen["client"]["hostname"] == "127.0.0.1"
    assert seen["headers"]["x-kept"] == "kept"
    assert "6.6.6.6" not in json.dumps(seen)
    assert "x-preview-sha" not in seen["headers"]


def test_an_unknown_host_is_a_plain_404(server: RunningSubhosting) -> None:
    answer = server.get("nobody--here.localhost")

    assert answer.status == 404
    assert "No preview is bound to nobody--here.localhost" in answer.text


def test_a_deleted_deployment_answers_no_more(server: RunningSubhosting, project: Json) -> None:
    live = server.deployed(project["id"], saying("live"))

    deleted = server.call("DELETE", f"/v1/deployments/{live['id']}")

    assert (deleted.status, deleted.body) == (200, b"")
    assert server.get(live["domains"][0]).status == 404
    gone = server.call("GET", f"/v1/deployments/{live['id']}")
    assert (gone.status, gone.json["code"]) == (404, "deploymentNotFound")


def test_a_request_timeout_is_a_504(server: RunningSubhosting, project: Json) -> None:
    slow = "Deno.serve(() => new Promise(() => {}));"
    live = server.deployed(project["id"], {"main.ts": slow}, requestTimeout=200)

    answer = server.get(live["domains"][0])

    assert live["requestTimeout"] == 200
    assert answer.status == 504
