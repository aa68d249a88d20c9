"""Every operation that PyPI `subhosting` 0.1.0a2 offers, against a live server."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from tests.conformance.certificates import certificate
from tests.conformance.sdk import RefusedError, Sdk
from tests.conformance.world import BROKEN, SHOWS_ENV, V1World
from tests.subhosting.domains.world import pair

Check = Callable[[V1World], None]

TABLE: dict[str, Check] = {}


def operation(name: str) -> Callable[[Check], Check]:
    """Enter what must be seen of one operation."""

    def entered(check: Check) -> Check:
        TABLE[name] = check
        return check

    return entered


def ids(listed: list[Any]) -> list[str]:
    return [each["id"] for each in listed]


@operation("organizations.get")
def organizations_get(v1: V1World) -> None:
    assert v1.call("organizations.get", v1.organization)["id"] == v1.organization


@operation("organizations.analytics.get")
def organizations_analytics_get(v1: V1World) -> None:
    got = v1.call(
        "organizations.analytics.get", v1.organization, since=v1.now(hours=-1), until=v1.now()
    )

    assert got["fields"][0] == {"name": "time", "type": "time"}


@operation("organizations.projects.create")
def organizations_projects_create(v1: V1World) -> None:
    made = v1.project(description="of the SDK")

    assert made["name"]
    assert made["description"] == "of the SDK"


@operation("organizations.projects.list")
def organizations_projects_list(v1: V1World) -> None:
    word = v1.unique("listed")
    made = [v1.project(name=f"{word}-{letter}") for letter in "ba"]

    found = v1.call(
        "organizations.projects.list", v1.organization, q=word, sort="name", order="asc"
    )

    assert ids(found) == [made[1]["id"], made[0]["id"]]


@operation("organizations.databases.create")
def organizations_databases_create(v1: V1World) -> None:
    made = v1.call("organizations.databases.create", v1.organization, description="a store")

    assert made["description"] == "a store"
    assert made["organizationId"] == v1.organization


@operation("organizations.databases.list")
def organizations_databases_list(v1: V1World) -> None:
    made = v1.database()

    assert ids(v1.call("organizations.databases.list", v1.organization, q=made["id"])) == [
        made["id"]
    ]


@operation("databases.update")
def databases_update(v1: V1World) -> None:
    changed = v1.call("databases.update", v1.database()["id"], description="changed")

    assert changed["description"] == "changed"


@operation("organizations.domains.create")
def organizations_domains_create(v1: V1World) -> None:
    made = v1.domain()

    assert made["isValidated"] is False
    assert made["dnsRecords"]


@operation("organizations.domains.list")
def organizations_domains_list(v1: V1World) -> None:
    made = v1.domain()

    found = v1.call("organizations.domains.list", v1.organization, q=made["domain"])

    assert ids(found) == [made["id"]]


@operation("domains.get")
def domains_get(v1: V1World) -> None:
    made = v1.domain()

    assert v1.call("domains.get", made["id"])["domain"] == made["domain"]


@operation("domains.delete")
def domains_delete(v1: V1World) -> None:
    made = v1.domain()

    v1.call("domains.delete", made["id"])

    with pytest.raises(RefusedError) as refused:
        v1.call("domains.get", made["id"])
    assert refused.value.status == 404


@operation("domains.verify")
def domains_verify(v1: V1World) -> None:
    unpublished = v1.domain()

    with pytest.raises(RefusedError) as refused:
        v1.call("domains.verify", unpublished["id"])

    assert refused.value.status == 400
    assert v1.verified_domain()["isValidated"] is True


@operation("domains.update")
def domains_update(v1: V1World) -> None:
    domain = v1.verified_domain()
    deployment = v1.deployed(v1.project()["id"])

    v1.call("domains.update", domain["id"], deployment_id=deployment["id"])

    assert v1.text_at(domain["domain"]) == "hello"
    assert v1.call("domains.get", domain["id"])["deploymentId"] == deployment["id"]
    v1.call("domains.update", domain["id"], deployment_id=None)
    assert v1.call("domains.get", domain["id"]).get("deploymentId") is None


@operation("domains.certificates.create")
def domains_certificates_create(v1: V1World) -> None:
    domain = v1.verified_domain()
    pem = certificate(domain["domain"])

    v1.call(
        "domains.certificates.create",
        domain["id"],
        certificate_chain=pem.chain,
        private_key=pem.key,
    )

    shown = v1.call("domains.get", domain["id"])["certificates"]
    assert [each["cipher"] for each in shown] == ["ec"]


@operation("domains.certificates.provision")
def domains_certificates_provision(v1: V1World) -> None:
    domain = v1.verified_domain()
    v1.tls.pairs[domain["domain"]] = pair(domain["domain"])

    v1.call("domains.certificates.provision", domain["id"])

    shown = v1.call("domains.get", domain["id"])
    assert shown["provisioningStatus"]["code"] == "success"
    assert [each["cipher"] for each in shown["certificates"]] == ["ec"]


@operation("projects.get")
def projects_get(v1: V1World) -> None:
    made = v1.project()

    assert v1.call("projects.get", made["id"]) == made


@operation("projects.update")
def projects_update(v1: V1World) -> None:
    made = v1.project()
    name = v1.unique("renamed")

    changed = v1.call("projects.update", made["id"], name=name, description="new")

    assert (changed["name"], changed["description"]) == (name, "new")


@operation("projects.delete")
def projects_delete(v1: V1World) -> None:
    made = v1.project()

    v1.call("projects.delete", made["id"])

    with pytest.raises(RefusedError) as refused:
        v1.call("projects.get", made["id"])
    assert refused.value.facts["body"]["code"] == "projectNotFound"


@operation("projects.analytics.get")
def projects_analytics_get(v1: V1World) -> None:
    project = v1.project()
    deployment = v1.deployed(project["id"])
    v1.text_at(deployment["domains"][0])

    def requests() -> int:
        got = v1.call(
            "projects.analytics.get",
            project["id"],
            since=v1.now(hours=-1),
            until=v1.now(minutes=15),
        )
        count = [each["name"] for each in got["fields"]].index("requestCount")
        return sum(row[count] for row in got["values"])

    assert v1.eventually(requests) == 1


@operation("projects.deployments.create")
def projects_deployments_create(v1: V1World) -> None:
    made = v1.created(v1.project()["id"], description="from the SDK")

    assert made["status"] == "pending"
    done = v1.built(made["id"])
    assert (done["status"], done["description"]) == ("success", "from the SDK")
    assert v1.text_at(done["domains"][0]) == "hello"


@operation("projects.deployments.list")
def projects_deployments_list(v1: V1World) -> None:
    project = v1.project()["id"]
    made = [v1.created(project)["id"] for _ in range(3)]

    pages = [
        v1.call("projects.deployments.list", project, limit=2, page=page, order="desc")
        for page in (1, 2)
    ]

    assert [ids(page) for page in pages] == [[made[2], made[1]], [made[0]]]


@operation("deployments.get")
def deployments_get(v1: V1World) -> None:
    made = v1.created(v1.project()["id"], BROKEN)

    assert v1.built(made["id"])["status"] == "failed"


@operation("deployments.delete")
def deployments_delete(v1: V1World) -> None:
    done = v1.deployed(v1.project()["id"])

    v1.call("deployments.delete", done["id"])

    with pytest.raises(RefusedError) as refused:
        v1.call("deployments.get", done["id"])
    assert refused.value.facts["body"]["code"] == "deploymentNotFound"


@operation("deployments.redeploy")
def deployments_redeploy(v1: V1World) -> None:
    project = v1.project()["id"]
    old = {"A": "alice", "B": "bob", "C": "charlie"}
    first = v1.deployed(project, SHOWS_ENV, env_vars=old)

    changes = {"A": "alice2", "B": None, "D": "david"}
    made = v1.call("deployments.redeploy", first["id"], env_vars=changes, description="again")

    done = v1.built(made["id"])
    shown = v1.server.get(done["domains"][0].partition(":")[0]).json
    assert {name: shown.get(name) for name in "ABCD"} == {
        "A": "alice2",
        "B": None,
        "C": "charlie",
        "D": "david",
    }
    assert done["description"] == "again"


@operation("deployments.build_logs.get")
def deployments_build_logs_get(v1: V1World) -> None:
    made = v1.created(v1.project()["id"])

    lines = v1.call("deployments.build_logs.get", made["id"])

    assert {"level", "message"} == set(lines[0])
    assert v1.call("deployments.get", made["id"])["status"] == "success"


@operation("deployments.app_logs.get")
def deployments_app_logs_get(v1: V1World) -> None:
    done = v1.deployed(v1.project()["id"])
    v1.text_at(done["domains"][0])

    def lines() -> list[Any]:
        found: list[Any] = v1.call(
            "deployments.app_logs.get", done["id"], since=v1.now(hours=-1), q="started"
        )
        return found

    found = v1.eventually(lines)[0]

    assert found["message"].strip() == "I have started"
    assert dt.datetime.fromisoformat(found["time"]) < dt.datetime.now(dt.UTC)


@pytest.mark.parametrize("name", TABLE)
def test_operation(v1: V1World, name: str) -> None:
    TABLE[name](v1)

    assert v1.broken_promises() == []


def test_the_table_has_every_operation_of_the_sdk(sdk_v1: Sdk) -> None:
    assert sorted(sdk_v1.offers()) == sorted(TABLE)


def test_what_is_missing_is_the_error_class_that_users_catch(v1: V1World) -> None:
    with pytest.raises(RefusedError) as refused:
        v1.call("projects.get", v1.organization)

    assert refused.value.facts["type"] == "NotFoundError"
