import pytest

from bot.core.model.errors import ConfigurationProblem, IllegalTransition
from tests.integration.web.conftest import Site


def test_a_live_process_says_so_without_a_token() -> None:
    response = Site(admin_token="token").client.get("/healthz")

    assert (response.status_code, response.get_json()) == (200, {"status": "ok"})


def test_a_ready_process_says_so(site: Site) -> None:
    response = site.client.get("/readyz")

    assert response.status_code == 200
    assert response.get_json() == {"status": "ready", "problems": {}}


def test_a_process_that_is_not_ready_names_its_problems(site: Site) -> None:
    site.problems["worker"] = "no heartbeat for 12 s"

    response = site.client.get("/readyz")

    assert response.status_code == 503
    assert response.get_json()["problems"] == {"worker": "no heartbeat for 12 s"}


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (ConfigurationProblem("X", "is missing"), 503, "notConfigured"),
        (IllegalTransition("live", "queued"), 500, "internalError"),
        (ZeroDivisionError("secret detail"), 500, "internalError"),
    ],
)
def test_our_own_failures_are_answered_by_the_table(
    site: Site, error: Exception, status: int, code: str
) -> None:
    site.testing = False
    site.failure = error

    response = site.client.get("/readyz")

    assert (response.status_code, response.get_json()["code"]) == (status, code)
    assert "secret detail" not in response.get_data(as_text=True)


def test_in_tests_our_own_failures_are_raised(site: Site) -> None:
    site.failure = ZeroDivisionError()

    with pytest.raises(ZeroDivisionError):
        site.client.get("/readyz")
