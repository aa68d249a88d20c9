"""What follows from pushes and from branches."""

import uuid

import httpx

from tests.e2e.stories.world import APP, BREAKS, HANGS, PAGE, Story, page
from tests.fakes.github.documents import examples


def test_a_push_to_a_branch(gh: Story) -> None:
    """Its check ends in success, with a URL that was proved to serve this commit."""
    sha = gh.push(APP | {"index.html": None}, "feature")

    run = gh.wait_for_check(sha)
    answer = gh.get("feature")
    assert gh.url("feature") in (run.summary or "")
    assert (answer.body, answer.headers["x-preview-sha"]) == (b"an app", sha)


def test_a_second_push(gh: Story) -> None:
    """The same URL serves the newer commit; only the files that changed are sent."""
    gh.wait_for_check(gh.push({"a.txt": "a", "b.txt": "b"}))

    sha = gh.push(page("again"))

    run = gh.wait_for_check(sha)
    assert "1 of 3 files" in (run.summary or "")
    assert gh.get("main").body == b"again\n"


def test_a_force_push(gh: Story) -> None:
    """The URL follows the branch to where it points now."""
    gh.wait_for_check(gh.push(page("gone"), "dev"))

    sha = gh.push(page("instead"), "dev", force=True)

    gh.wait_for_check(sha)
    assert gh.get("dev").body == b"instead\n"


def test_a_push_while_an_older_one_is_deployed(gh: Story) -> None:
    """The older attempt ends, *cancelled* by the newer commit's name; the newest wins."""
    older = gh.push(HANGS, "dev")
    gh.wait_until_running(older)

    newer = gh.push({"main.ts": None, **page("newer")}, "dev")

    assert gh.wait_for_check(older, "cancelled").title == f"Cancelled: superseded by {newer[:7]}"
    gh.wait_for_check(newer)
    assert gh.served("dev") == newer


def test_a_push_that_github_delivers_twice(gh: Story) -> None:
    """The second delivery is answered with what the first led to; nothing is done twice."""
    before, after = gh.first, gh.repository.commit(page("once"))
    payload = gh.world.gh.push_payload(gh.repository, "main", before, after)
    guid = str(uuid.uuid4())

    gh.tell("push", payload, guid=guid)
    run = gh.wait_for_check(after)
    again = gh.tell("push", payload, guid=guid)

    assert again.status_code == httpx.codes.OK
    assert again.json()["reason"] == "deploy"
    assert gh.world.gh.checks(gh.repository, after) == [run]


def test_a_delivery_about_a_commit_that_is_not_the_head_any_more(gh: Story) -> None:
    """It is recorded as *stale-push* and starts nothing."""
    older = gh.repository.commit(page("older"))
    gh.wait_for_check(gh.push(page("newer")))
    guid = str(uuid.uuid4())

    payload = gh.world.gh.push_payload(gh.repository, "main", gh.first, older)
    gh.tell("push", payload, guid=guid)

    assert gh.wait_for_decision(guid) == "stale-push"
    assert gh.world.gh.checks(gh.repository, older) == []


def test_a_commit_that_does_not_run(gh: Story) -> None:
    """Its check fails with the error at its line; what was live before still is."""
    live = gh.push()
    gh.wait_for_check(live)

    run = gh.wait_for_check(gh.push(BREAKS), "failure")

    assert [(note["path"], note["start_line"]) for note in run.annotations] == [("main.ts", 1)]
    assert [action["identifier"] for action in run.actions] == ["retry"]
    assert gh.served("main") == live


def test_a_folder_of_plain_files(gh: Story) -> None:
    """Its files are served as they are."""
    gh.wait_for_check(gh.push(PAGE | {"style.css": "body {}\n"}))

    answer = gh.world.get(gh.url("main"), "/style.css")
    assert (answer.status, answer.body) == (200, b"body {}\n")
    assert answer.headers["content-type"].startswith("text/css")


def test_a_branch_is_deleted(gh: Story) -> None:
    """Its URL serves nothing any more, and its GitHub Deployment is inactive."""
    gh.wait_for_check(gh.push(None, "dev"))
    gh.wait_for_deployment("dev", "success")

    gh.delete_branch("dev")

    gh.wait_until_gone("dev")
    gh.wait_for_deployment("dev", "inactive")


def test_a_deleted_branch_is_pushed_again(gh: Story) -> None:
    """It gets its preview again, at the same URL."""
    gh.wait_for_check(gh.push(None, "dev"))
    gh.delete_branch("dev")
    gh.wait_until_gone("dev")

    sha = gh.push(page("back"), "dev")

    gh.wait_for_check(sha)
    assert gh.served("dev") == sha


def test_a_tag_is_pushed(gh: Story) -> None:
    """It is recorded as *tag-push* and starts nothing."""
    payload = gh.world.gh.push_payload(gh.repository, "v1", None, gh.first, tag=True)

    answer = gh.tell("push", payload)

    assert answer.json()["reason"] == "tag-push"
    assert gh.world.gh.checks(gh.repository, gh.first) == []


def test_an_event_that_means_nothing_to_previews(gh: Story) -> None:
    """It is accepted and recorded as *event-not-handled*."""
    answer = gh.tell("deployment_status", examples()["deployment_status"][0])

    assert answer.status_code == httpx.codes.ACCEPTED
    assert answer.json()["reason"] == "event-not-handled"


def test_a_delivery_that_is_not_signed_with_the_secret(gh: Story) -> None:
    """It is refused with 401."""
    sha = gh.repository.commit(page("forged"))
    payload = gh.world.gh.push_payload(gh.repository, "main", gh.first, sha)
    url = gh.world.installation.address["webhook_url"]

    answer = gh.world.gh.deliver(url, "push", payload, "a guess")

    assert answer.status_code == httpx.codes.UNAUTHORIZED
    assert gh.world.gh.checks(gh.repository, sha) == []


def test_a_workflow_waits_for_the_preview(gh: Story) -> None:
    """With `dispatch` it gets `previewbot.ready` with the URL, or `previewbot.failed`."""
    sha = gh.push()

    ready = gh.wait_for_dispatch("previewbot.ready")
    broken = gh.push(BREAKS)
    failed = gh.wait_for_dispatch("previewbot.failed")

    assert (ready["sha"], ready["url"]) == (sha, gh.url("main"))
    assert failed["sha"] == broken
