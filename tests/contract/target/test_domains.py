"""What every target promises about hosts of people's own domains."""

from bot.core.model.ids import AppSlug, CommitSha, TargetDeploymentId
from bot.ports.target import Attached, Attachment, Built, Unproven
from tests.contract.target.conftest import Bench
from tests.fakes.apps import SAYS_ENV, hello

APP = hello(main=SAYS_ENV)
MAIN = AppSlug("hello--main")
OLD, NEW = CommitSha("a" * 40), CommitSha("b" * 40)


def built(bench: Bench, key: str) -> TargetDeploymentId:
    made = bench.target.create(APP.order(key, known=APP.manifest.blobs()), APP.read).id
    assert isinstance(bench.settled(made), Built)
    return made


def host_of(bench: Bench, name: str) -> str:
    """Return a host that no other test has: the real server keeps its domains."""
    return f"{name}.{bench.target.name.replace('/', '-')}.example.com"


def attached(bench: Bench, made: TargetDeploymentId, host: str, revision: CommitSha) -> Attachment:
    """Attach, and do what the owner is told to do if there is something."""
    seen = bench.target.attach(MAIN, made, host, revision)
    if isinstance(seen, Unproven):
        bench.publish(host, seen)
        seen = bench.target.attach(MAIN, made, host, revision)
    return seen


def test_an_unproven_host_comes_with_what_its_owner_has_to_publish(bench: Bench) -> None:
    made, host = built(bench, "d00000000001"), host_of(bench, "unproven")

    first = bench.target.attach(MAIN, made, host, OLD)
    again = bench.target.attach(MAIN, made, host, OLD)

    assert isinstance(first, Unproven)
    assert again == first
    assert first.records
    assert any(each.name == f"_acme-challenge.{host}" for each in first.records[0])


def test_a_proven_host_leads_to_the_deployment(bench: Bench) -> None:
    made, host = built(bench, "d00000000001"), host_of(bench, "proven")

    seen = attached(bench, made, host, OLD)

    assert isinstance(seen, Attached)
    assert seen.url.removeprefix("https://").removeprefix("http://").startswith(host)
    assert bench.target.attach(MAIN, made, host, OLD) == seen
    assert isinstance(bench.visit(made, seen.url), dict)


def test_a_host_can_be_led_back_to_an_earlier_deployment(bench: Bench) -> None:
    older, newer = built(bench, "d00000000001"), built(bench, "d00000000002")
    host = host_of(bench, "back")
    assert isinstance(attached(bench, older, host, OLD), Attached)
    assert isinstance(attached(bench, newer, host, NEW), Attached)

    assert isinstance(attached(bench, older, host, OLD), Attached)


def test_taking_a_host_away_is_harmless_when_repeated(bench: Bench) -> None:
    made, host = built(bench, "d00000000001"), host_of(bench, "away")
    assert isinstance(attached(bench, made, host, OLD), Attached)

    bench.target.detach(made, host)
    bench.target.detach(made, host)

    assert isinstance(bench.target.attach(MAIN, made, host, OLD), Attached)
