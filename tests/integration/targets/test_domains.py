"""Domains on the wire: registered once, covered by wildcards, secured where that is asked for."""

from dataclasses import replace

import pytest

from bot.adapters.targets.previews import PreviewHosts
from bot.core.model.errors import TargetRefused
from bot.core.model.ids import AppSlug, CommitSha, TargetDeploymentId
from bot.ports.target import Attached, Built, Unproven
from tests.fakes.apps import hello
from tests.integration.targets.conftest import Bench
from tests.integration.targets.deno_bench import DenoBench

HOST = "www.example.com"
MAIN = AppSlug("hello--main")
HEAD = CommitSha("a" * 40)


def built(bench: Bench) -> TargetDeploymentId:
    made = bench.target.create(hello().order(), hello().read).id
    *_, last = bench.target.follow(made)
    assert isinstance(last, Built)
    return made


def by_https(bench: Bench) -> None:
    bench.target._hosts = PreviewHosts.parse("https://*.example.dev")


def test_v1_uses_a_wildcard_that_is_there(embedded: Bench) -> None:
    made, domains = built(embedded), embedded.server.platform.domains
    domains.register("*.example.com", "o").validated = True

    seen = embedded.target.attach(MAIN, made, HOST, HEAD)

    assert isinstance(seen, Attached)
    assert len(domains.all) == 1
    assert embedded.server.platform.deployments[made].domains[HOST] == HEAD


def test_v1_registers_a_domain_once(embedded: Bench) -> None:
    made, domains = built(embedded), embedded.server.platform.domains

    assert isinstance(embedded.target.attach(MAIN, made, HOST, HEAD), Unproven)
    assert isinstance(embedded.target.attach(MAIN, made, HOST, HEAD), Unproven)

    assert [each.name for each in domains.all.values()] == [HOST]


def test_v1_asks_for_a_certificate_where_visitors_come_by_https(embedded: Bench) -> None:
    made, domains = built(embedded), embedded.server.platform.domains
    domains.published.add(HOST)
    by_https(embedded)

    seen = embedded.target.attach(MAIN, made, HOST, HEAD)

    assert seen == Attached(url=f"https://{HOST}")
    assert [each.code for each in domains.all.values()] == ["success"]


def test_v1_tells_why_there_is_no_certificate(embedded: Bench) -> None:
    made, domains = built(embedded), embedded.server.platform.domains
    domains.published.add(HOST)
    domains.unsecurable.add(HOST)
    by_https(embedded)

    seen = embedded.target.attach(MAIN, made, HOST, HEAD)

    assert seen == Attached(url=f"https://{HOST}", problem="the authority says no")


def test_a_plain_v1_server_is_told_of_no_revision(plain: Bench) -> None:
    made = built(plain)
    plain.server.platform.domains.published.add(HOST)

    assert isinstance(plain.target.attach(MAIN, made, HOST, HEAD), Attached)
    assert plain.server.requests[-1].body == b""


def test_a_deployment_that_is_gone_gets_no_host(embedded: Bench) -> None:
    embedded.server.platform.domains.published.add(HOST)

    with pytest.raises(TargetRefused):
        embedded.target.attach(MAIN, TargetDeploymentId("d0000000gone"), HOST, HEAD)


@pytest.mark.parametrize("kind", ["wildcard_only", "base_and_wildcard"])
def test_v2_uses_a_domain_that_covers_the_host(bench: DenoBench, kind: str) -> None:
    made = bench.deployed(hello())
    bench.deno.domains.register("example.com", kind).validated = True

    seen = bench.target.attach(MAIN, made, HOST, HEAD)

    assert isinstance(seen, Attached)
    assert len(bench.deno.domains.all) == 1


def test_v2_registers_a_host_beside_a_domain_that_does_not_cover_it(bench: DenoBench) -> None:
    made = bench.deployed(hello())
    bench.deno.domains.register("example.com", "base_only").validated = True
    bench.deno.domains.published.add(HOST)

    assert isinstance(bench.target.attach(MAIN, made, HOST, HEAD), Attached)
    assert [each.name for each in bench.deno.domains.all.values()] == ["example.com", HOST]


def test_v2_has_later_revisions_let_go(bench: DenoBench) -> None:
    older = bench.deployed(hello(), "d00000000001")
    newer = bench.deployed(hello(), "d00000000002")
    bench.deno.domains.published.add(HOST)
    bench.target.attach(MAIN, newer, HOST, HEAD)

    assert isinstance(bench.target.attach(MAIN, older, HOST, HEAD), Attached)

    assert bench.deno.revisions[newer].own_hosts == set()
    assert bench.deno.revisions[older].own_hosts == {HOST}


def test_v2_obtains_a_certificate_meanwhile(bench: DenoBench) -> None:
    made = bench.deployed(hello())
    bench.deno.domains.published.add(HOST)
    bench.target._hosts = replace(bench.target._hosts, scheme="https", port=443)

    first = bench.target.attach(MAIN, made, HOST, HEAD)
    again = bench.target.attach(MAIN, made, HOST, HEAD)

    assert first == Attached(
        url=f"https://{HOST}", problem="the platform is obtaining its certificate"
    )
    assert again == Attached(url=f"https://{HOST}")
