"""Pushes while nobody listens: they are found after the next start, by delivery or by branch."""

from collections.abc import Iterator

import pytest

from tests.e2e import apps
from tests.e2e.github_world import GitHubWorld, as_app


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitHubWorld]:
    with as_app(tmp_path_factory.mktemp("app")) as world:
        yield world


def test_what_was_pushed_while_the_bot_was_down_is_deployed_after_its_start(
    world: GitHubWorld,
) -> None:
    delivered = world.gh.add_repository("octo/delivered")
    forgotten = world.gh.add_repository("octo/forgotten")
    first = world.push(forgotten)
    world.checked(forgotten, first)
    world.installation.stop()

    lost = delivered.commit(apps.greets("lost"))
    payload = world.gh.push_payload(delivered, "main", None, lost)
    url, secret = world.installation.address["webhook_url"], world.secret
    assert world.gh.try_to_deliver(url, "push", payload, secret) is None
    untold = forgotten.commit(apps.changed_greeting("untold"))
    world.installation.start()
    world.gh.store.app_hook_url = world.installation.address["webhook_url"]

    assert world.checked(delivered, lost).conclusion == "success"
    run = world.checked(forgotten, untold)
    assert world.get(world.url_in(run)).body == b"untold\n"
