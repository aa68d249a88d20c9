import pytest

from bot.core.decide.github_app import events, manifest, permissions
from bot.core.model.surfaces import DEFAULT_SURFACES, Surface
from tests.fakes.github.manifests import problems

PUBLIC = "https://previewbot.example.com"


def rights(*surfaces: Surface, removes_environments: bool = False) -> dict[str, str]:
    asked = permissions(surfaces, removes_environments=removes_environments)
    return {permission.name: permission.level for permission in asked}


def test_as_it_comes_the_app_asks_for_no_right_to_change_code_or_settings() -> None:
    assert rights(*DEFAULT_SURFACES) == {
        "metadata": "read",
        "contents": "read",
        "pull_requests": "write",
        "issues": "read",
        "checks": "write",
        "deployments": "write",
    }


def test_what_is_switched_off_is_not_asked_for() -> None:
    assert rights() == {
        "metadata": "read",
        "contents": "read",
        "pull_requests": "write",
        "issues": "read",
    }


def test_what_is_switched_on_is_asked_for_with_the_greater_level() -> None:
    assert rights(Surface.DISPATCH)["contents"] == "write"
    assert rights(Surface.DEPLOYMENT, removes_environments=True)["administration"] == "write"
    assert "administration" not in rights(Surface.CHECK, removes_environments=True)


@pytest.mark.parametrize("surfaces", [(), tuple(Surface), tuple(DEFAULT_SURFACES)])
def test_github_takes_the_manifest(surfaces: tuple[Surface, ...]) -> None:
    asked = permissions(surfaces, removes_environments=True)

    made = manifest(f"{PUBLIC}/", f"{PUBLIC}/webhooks/github", asked)

    assert problems(made) == []
    assert made["redirect_url"] == f"{PUBLIC}/setup/callback"
    assert made["hook_attributes"] == {"url": f"{PUBLIC}/webhooks/github", "active": True}
    assert made["public"] is False


def test_every_right_says_what_it_is_for() -> None:
    asked = permissions(tuple(Surface), removes_environments=True)

    assert all(permission.why for permission in asked)


def test_a_long_host_makes_a_name_that_github_takes() -> None:
    made = manifest("https://previews.of.a-very-long-company-name.example.com", "x", ())

    assert made["name"] == "previewbot previews.of.a-very-long"


def test_without_checks_there_are_no_events_of_them() -> None:
    asked = permissions((Surface.DEPLOYMENT,), removes_environments=False)

    assert "check_run" not in events(asked)
    assert "push" in events(asked)
