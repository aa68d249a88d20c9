"""A push payload shaped like GitHub's, signed, in; a check with the URL, out. Nothing between."""

import socket
from collections.abc import Iterator

import pytest

from bot.bootstrap.reader import Reader
from bot.core.model.preview import Deployment, DeploymentState
from tests.e2e import apps
from tests.e2e.github_world import GitHubWorld, as_app, with_personal_token


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitHubWorld]:
    with as_app(tmp_path_factory.mktemp("app")) as world:
        yield world


@pytest.fixture
def elsewhere() -> Iterator[socket.socket]:
    """Return a server that nobody should call."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        yield server


def test_a_push_becomes_a_preview_and_one_check_run_with_its_url(world: GitHubWorld) -> None:
    repository = world.gh.add_repository("octo/road")

    sha = world.push(repository)

    run = world.checked(repository, sha)
    [only] = world.gh.checks(repository, sha)
    history = [t for t in world.gh.check_history if t.repository == "octo/road"]
    assert only is run
    states = [(t.check, t.status, t.conclusion) for t in history]
    # A stage that lasts is told of, so on a busy machine there may be more than one.
    assert list(dict.fromkeys(states)) == [
        (run.id, "queued", None),
        (run.id, "in_progress", None),
        (run.id, "completed", "success"),
    ]
    page = f"{world.installation.address['dashboard_url']}deployments/{run.external_id}"
    assert run.details_url == page
    answer = world.get(world.url_in(run))
    assert (answer.status, answer.body) == (200, b"hello\n")
    assert answer.headers["x-preview-sha"] == sha
    assert world.get(page, f"/deployments/{run.external_id}").status == 200


def test_a_live_preview_is_a_github_deployment_until_its_branch_goes(world: GitHubWorld) -> None:
    repository = world.gh.add_repository("octo/shown")
    world.checked(repository, world.push(repository))
    sha = world.push(repository, branch="feature")
    run = world.checked(repository, sha)

    def newest_state(ref: str) -> str | None:
        found = [d for d in world.gh.deployments(repository) if d.ref == ref and d.statuses]
        return found[-1].statuses[-1].state if found else None

    def stands(ref: str, state: str) -> None:
        world.gh.wait_for(
            lambda: newest_state(ref) == state or None, f"{ref} to be {state}", timeout=40
        )

    stands("feature", "success")
    [shown] = [d for d in world.gh.deployments(repository) if d.ref == "feature"]
    assert shown.payload == {"previewbot": run.external_id, "sha": sha, "app": "shown"}
    assert shown.statuses[-1].environment_url == world.url_in(run)
    repository.delete_branch("feature")
    world.deliver(world.gh.push_payload(repository, "feature", sha, None))

    stands("feature", "inactive")
    stands("main", "success")


def test_a_second_push_sends_only_the_file_that_changed(world: GitHubWorld) -> None:
    repository = world.gh.add_repository("octo/twice")
    first = world.checked(repository, world.push(repository))

    sha = world.push(repository, apps.changed_greeting("hello again"))

    second = world.checked(repository, sha)
    assert world.url_in(second) == world.url_in(first)
    assert "1 of 5 files" in (second.summary or "")
    answer = world.get(world.url_in(second))
    assert (answer.body, answer.headers["x-preview-sha"]) == (b"hello again\n", sha)


def test_a_repository_that_the_app_was_given_later_gets_its_check(world: GitHubWorld) -> None:
    older = world.gh.add_repository("octo/older")
    world.checked(older, world.push(older))
    later = world.gh.add_repository("octo/later")

    sha = world.push(later)

    run = world.checked(later, sha)
    assert run.conclusion == "success"
    assert next(t.status for t in world.gh.check_history if t.check == run.id) == "queued"


def test_a_private_repository_is_read_with_a_token_that_no_process_shows(
    world: GitHubWorld,
) -> None:
    repository = world.gh.add_repository("octo/private", private=True)

    run = world.checked(repository, world.push(repository))

    tokens = [token for token in world.gh.store.tokens if token.startswith("ghs_")]
    seen = world.git.seen()
    assert run.conclusion == "success"
    assert tokens
    assert "--filter=blob:none" in seen  # git did fetch it
    assert [token for token in tokens if token in seen] == []


def test_a_check_whose_creation_was_answered_with_502_is_there_once(world: GitHubWorld) -> None:
    repository = world.gh.add_repository("octo/unlucky")
    world.checked(repository, world.push(repository))
    world.gh.fail_next("POST", r"/octo/unlucky/check-runs", status=502, stored=True)

    sha = world.push(repository, apps.changed_greeting("unlucky"))

    run = world.checked(repository, sha)
    created = [
        request.status
        for request in world.gh.requests
        if request.method == "POST" and (request.body or {}).get("head_sha") == sha
    ]
    assert created == [502]
    assert world.gh.checks(repository, sha) == [run]
    assert run.conclusion == "success"


def test_a_commit_that_is_forced_away_before_its_fetch_gives_way(world: GitHubWorld) -> None:
    repository = world.gh.add_repository("octo/forced")
    with world.git.gate():
        gone = world.push(repository)
        with world.git.held_at_fetch():
            instead = repository.commit(apps.greets("instead"), orphan=True)
            repository.forget_unreachable()
            assert not repository.has_commit(gone)

    def ended(reader: Reader) -> Deployment | None:
        name = repository.full_name
        attempts = [each for each in reader.store.recent(50) if each.head == gone]
        ours = (each for each in attempts if each.preview.repository.name == name)
        return next((each for each in ours if each.is_over), None)

    # No check can stand on it: the forge does not know it any more either.
    given_up = world.installation.look_until(ended, "the end of what is gone")
    world.deliver(world.gh.push_payload(repository, "main", gone, instead))
    run = world.checked(repository, instead)

    assert given_up.state is DeploymentState.SUPERSEDED
    assert run.conclusion == "success"
    assert world.get(world.url_in(run)).body == b"instead\n"


def test_addresses_in_a_payload_are_never_called(
    world: GitHubWorld, elsewhere: socket.socket
) -> None:
    repository = world.gh.add_repository("octo/lured")
    sha = repository.commit(apps.greets("the right one"))
    payload = world.gh.push_payload(repository, "main", None, sha)
    host = f"127.0.0.1:{elsewhere.getsockname()[1]}"
    payload["repository"] |= {
        "clone_url": f"http://{host}/octo/lured.git",
        "git_url": f"git://{host}/octo/lured.git",
        "ssh_url": f"ssh://git@{host}/octo/lured.git",
        "url": f"http://{host}/octo/lured",
        "statuses_url": f"http://{host}/statuses/{{sha}}",
    }

    world.deliver(payload)

    run = world.checked(repository, sha)
    assert world.get(world.url_in(run)).body == b"the right one\n"
    with pytest.raises(BlockingIOError):
        elsewhere.accept()


def test_a_personal_token_writes_commit_statuses(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("token")
    with with_personal_token(folder, "octo/person") as world:
        repository = world.gh.store.repository("octo/person")

        sha = world.push(repository)

        status = world.gh.wait_for_status(repository, sha, state="success", timeout=40)
        states = [written.state for written in world.gh.statuses(repository, sha)]
        # One for waiting, one or, on a busy machine, more for its stages.
        assert states[:2] == ["pending", "pending"]
        assert list(dict.fromkeys(states)) == ["pending", "success"]
        assert world.gh.checks(repository, sha) == []
        assert (status.context, status.creator) == ("preview/person", "ada")
        assert status.target_url is not None
        assert status.target_url.startswith(world.installation.address["dashboard_url"])
        [token] = [value for value in world.gh.store.tokens if value.startswith("ghp_")]
        assert token not in world.git.seen()


def test_a_status_that_github_refused_to_end_is_ended_after_the_next_start(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("refused")
    with with_personal_token(folder, "octo/refused") as world:
        repository = world.gh.store.repository("octo/refused")
        # That it waits and that it is at work are taken, and nothing after that.
        world.gh.fail_next("POST", "/statuses/", status=403, times=1000, after=2)
        sha = world.push(repository)
        world.installation.look_until(_live, "a live attempt")
        assert [status.state for status in world.gh.statuses(repository, sha)] == ["pending"] * 2
        world.gh.misbehaviour.end()

        world.installation.stop()
        world.installation.start()

        ended = world.gh.wait_for_status(repository, sha, state="success", timeout=40)
        assert ended.context == "preview/refused"


def _live(reader: Reader) -> Deployment | None:
    newest = next(iter(reader.store.recent(1)), None)
    return newest if newest and newest.state is DeploymentState.LIVE else None
