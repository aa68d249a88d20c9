"""Answers that are lost, late, or none of the API's."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from bot.core.model.errors import TargetRefused, TargetUnavailable
from bot.core.model.ids import TargetDeploymentId
from bot.ports.target import Building
from tests.data import hostile
from tests.fakes.apps import hello
from tests.fakes.subhosting.refused import Json
from tests.fakes.subhosting.server import Answer, Request
from tests.fakes.target import HANGS
from tests.integration.targets.conftest import Bench

Fault = Callable[[Request], Answer | None]


def always(status: int, code: str = "trouble", times: int = 3) -> list[Fault]:
    return [lambda _: (status, {"code": code, "message": "no"})] * times


def test_a_lost_answer_does_not_deploy_twice_with_a_key(embedded: Bench) -> None:
    app = hello()
    embedded.target.create(app.order("d00000000001"), app.read)
    embedded.server.lost_answers = 1

    made = embedded.target.create(app.order("d00000000002", known=app.manifest.blobs()), app.read)

    assert list(embedded.server.platform.deployments) == ["d00000000001", made.id]
    assert len(embedded.creates()) == 3


def test_a_lost_answer_is_found_again_by_description(plain: Bench) -> None:
    app = hello()
    plain.target.create(app.order("d00000000001"), app.read)
    plain.server.platform.settle()
    order = app.order("d00000000002", known=app.manifest.blobs())
    plain.server.faults = [pass_on, lose_next(plain)]
    with pytest.raises(TargetUnavailable):
        plain.target.create(order, app.read)
    plain.clock.on_sleep = plain.server.platform.settle  # it is still pending: wait for it

    made = plain.target.create(order, app.read)

    assert list(plain.server.platform.deployments) == ["d00000000001", made.id]
    assert plain.clock.slept == [timedelta(seconds=1)]


def pass_on(_: Request) -> None:
    """Be no fault."""


def lose_next(bench: Bench) -> Fault:
    def lose(_: Request) -> None:
        bench.server.lost_answers = 1

    return lose


def test_a_build_that_never_ends_is_not_waited_for_for_ever(plain: Bench) -> None:
    first, second = hello(main=HANGS), hello()
    plain.target.create(first.order("d00000000001"), first.read)

    made = plain.target.create(second.order("d00000000002"), second.read)

    assert made.id == "d00000000002"
    assert sum(plain.clock.slept, timedelta()) == timedelta(seconds=30)


def test_of_two_with_one_description_the_first_stays(plain: Bench) -> None:
    app = hello()
    project = plain.server.platform.make_project({"name": "hello"})
    twin: Json = {
        "entryPointUrl": "main.ts",
        "envVars": {},
        "assets": {"main.ts": {"kind": "file", "content": "", "encoding": "utf-8"}},
        "description": "previewbot deployment d00000000001",
    }
    first = plain.server.platform.make_deployment(project, twin, None)
    plain.server.platform.make_deployment(project, twin, None)
    plain.server.platform.settle()

    made = plain.target.create(app.order(), app.read)

    assert made.id == first.id
    assert list(plain.server.platform.deployments) == [first.id]


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_trouble_of_the_servers_is_tried_three_times(embedded: Bench, status: int) -> None:
    embedded.server.faults = always(status)

    with pytest.raises(TargetUnavailable, match=f"{status} trouble: no"):
        embedded.target.observe(TargetDeploymentId("x"))

    assert len(embedded.server.requests) == 3
    assert embedded.clock.slept == [timedelta(milliseconds=100), timedelta(milliseconds=500)]


def test_trouble_that_passes_is_not_noticed(embedded: Bench) -> None:
    app = hello()
    made = embedded.target.create(app.order(), app.read)
    embedded.server.faults = always(502, times=1)

    assert isinstance(embedded.target.observe(made.id), Building)


def test_a_create_without_a_key_is_never_repeated_by_itself(plain: Bench) -> None:
    app = hello()
    plain.server.faults = [pass_on, pass_on, pass_on, *always(502)]

    with pytest.raises(TargetUnavailable):
        plain.target.create(app.order(), app.read)

    assert len(plain.creates()) == 1


@pytest.mark.parametrize(("status", "code"), [(401, "invalidToken"), (403, "x"), (404, "y")])
def test_a_refusal_keeps_the_platforms_words(embedded: Bench, status: int, code: str) -> None:
    embedded.server.faults = always(status, code)

    with pytest.raises(TargetRefused) as caught:
        embedded.target.observe(TargetDeploymentId("x"))

    assert (caught.value.status, caught.value.code, caught.value.message) == (status, code, "no")
    assert len(embedded.server.requests) == 1


@pytest.mark.parametrize("document", [None, [], {}, {"status": "odd"}, "x"])
def test_an_answer_that_is_no_v1_is_refused(embedded: Bench, document: object) -> None:
    embedded.server.faults = [lambda _: (200, document)]

    with pytest.raises(TargetRefused, match="is the URL right"):
        embedded.target.observe(TargetDeploymentId("x"))


@pytest.mark.parametrize("text", hostile.HOSTILE)
def test_hostile_words_of_a_platform_come_out_clean(embedded: Bench, text: str) -> None:
    embedded.server.faults = [lambda _: (400, {"code": text, "message": text})]

    with pytest.raises(TargetRefused) as caught:
        embedded.target.observe(TargetDeploymentId("x"))

    assert len(str(caught.value)) < 800
    assert str(caught.value).isprintable() or "\u200d" in str(caught.value)
