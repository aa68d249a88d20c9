"""What strangers send, through the real receiver and git: refused or shown, never obeyed."""

import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from hashlib import shake_256
from pathlib import Path

import pytest

from bot.core.decide.names import branch_label
from bot.core.model.checks import Check, Conclusion
from bot.core.model.ids import Branch
from bot.core.model.outcomes import Severity
from bot.core.model.preview import Deployment, DeploymentState
from bot.kernel.processes import built_environment
from tests.e2e import apps
from tests.e2e.local_world import LocalWorld, local_world, new_branch
from tests.fakes.github.repository import Entry

NEVER_LISTENS = "never-listens"

BROKEN_APPS: dict[str, Mapping[str, str]] = {
    "crashes": {
        "main.ts": 'import "./lib/start.ts";\nDeno.serve(() => new Response("never"));\n',
        "lib/start.ts": '// one\n// two\nthrow new Error("no good");\n',
    },
    "syntax-error": {"main.ts": "// one\nconst = 1;\n"},
    "runs-to-its-end": {"main.ts": 'console.log("done");\n'},
    NEVER_LISTENS: {"main.ts": "setInterval(() => {}, 1000);\n"},
}

BIG = shake_256(b"thirty megabytes that no packer makes smaller").digest(30 * 1024 * 1024)
NEWLINE_PATH = "static/two\nlines.txt"
COMMIT_ELSEWHERE = "5" * 40

# Names that git takes, though nobody should.
ODD_BRANCHES = ("--upload-pack=touch-x", "a;b", "a-b", "pr-7", "b" * 250, "feature/🚀")
# Names that git refuses, so that only a payload can hold them.
IMPOSSIBLE_BRANCHES = ("--upload-pack=touch x", "../../x", "a..b", "x.lock", "e" * 900)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalWorld]:
    with local_world(tmp_path_factory.mktemp("bad")) as world:
        yield world


@pytest.fixture(scope="module")
def good(world: LocalWorld) -> Mapping[str, Deployment]:
    """Return a live preview on every branch that will break; the slowest breaks at once."""
    shas = {branch: world.commit(branch, apps.greets("good")) for branch in BROKEN_APPS}
    world.push(*shas)
    live = {branch: world.ended(branch, sha) for branch, sha in shas.items()}
    for branch, files in BROKEN_APPS.items():
        world.commit(branch, files)
    world.push(*BROKEN_APPS)
    return live


@pytest.fixture(scope="module")
def odd_tree(world: LocalWorld) -> Deployment:
    files = {
        "main.ts": apps.FILE_SERVER,
        NEWLINE_PATH: "served all the same\n",
        "static/empty.txt": b"",
        "static/big.bin": BIG,
        "vendor/library": Entry(kind="submodule", content=COMMIT_ELSEWHERE),
    }
    return world.pushed("odd-tree", files)


@pytest.fixture
def guid() -> str:
    return str(uuid.uuid4())


# --- the receiver --------------------------------------------------------------------------


@pytest.mark.parametrize("signature", ["", f"sha256={'0' * 64}", "sha1=abc", "nonsense"])
def test_a_missing_or_wrong_signature_is_refused(
    world: LocalWorld, guid: str, signature: str
) -> None:
    payload = world.payload("main", *new_branch("1" * 40))

    answer = world.deliver(payload, x_github_delivery=guid, x_hub_signature_256=signature)

    assert answer.status_code == 401
    with world.installation.reader() as reader:
        assert reader.deliveries(guid) == []


@pytest.mark.parametrize("body", [b"{not json", b"", b"[1]", b"payload=%7B%7D", b"\xff\xfe"])
def test_a_signed_body_that_is_no_json_object_is_refused(world: LocalWorld, body: bytes) -> None:
    assert world.deliver(body).status_code == 400


def test_a_body_over_the_cap_is_refused(world: LocalWorld) -> None:
    answer = world.deliver(b'"' + b"x" * 26 * 1024 * 1024 + b'"')

    assert answer.status_code == 413
    assert world.get(world.installation.address["webhook_url"], "/healthz").status == 200


def test_an_unknown_event_is_stored_with_the_reason_why_nothing_follows(
    world: LocalWorld, guid: str
) -> None:
    answer = world.deliver({"action": "starred"}, x_github_delivery=guid, x_github_event="star")

    assert answer.status_code == 202
    assert answer.json()["reason"] == "event-not-handled"
    explained = world.command("explain", guid)
    assert "decision  event-not-handled" in explained
    assert "nothing follows from a star event" in explained


def test_the_same_guid_twice_is_one_deployment(world: LocalWorld, guid: str) -> None:
    sha = world.commit("twice")
    world.push_quietly("twice")
    payload = world.payload("twice", *new_branch(sha))
    world.deliver(payload, x_github_delivery=guid)
    deployment = world.ended("twice", sha)

    again = world.deliver(payload, x_github_delivery=guid)

    assert again.status_code == 200
    assert again.json() == {
        "delivery": guid,
        "status": "repeated",
        "reason": "deploy",
        "detail": f"{sha[:7]} is the head of twice",
        "deployments": [deployment.id],
    }
    assert world.attempts("twice") == [deployment]


def test_another_delivery_of_a_commit_that_is_live_deploys_nothing(
    world: LocalWorld, guid: str
) -> None:
    live = world.pushed("told-again")

    world.deliver(world.payload("told-again", *new_branch(live.head)), x_github_delivery=guid)

    assert world.decided(guid) == "already-handled"
    assert [attempt.id for attempt in world.attempts("told-again")] == [live.id]


def test_an_old_body_under_a_fresh_guid_deploys_nothing(world: LocalWorld, guid: str) -> None:
    old = world.pushed("replayed")
    new = world.pushed("replayed", apps.changed_greeting("newer"))

    answer = world.deliver(
        world.payload("replayed", *new_branch(old.head)), x_github_delivery=guid
    )

    assert answer.status_code == 202
    assert world.decided(guid) == "stale-push"
    assert [attempt.id for attempt in world.attempts("replayed")] == [new.id, old.id]
    assert world.get(new.url).body == b"newer\n"


def test_a_commit_that_exists_nowhere_is_a_stale_push(world: LocalWorld, guid: str) -> None:
    world.deliver(world.payload("nowhere", *new_branch("9" * 40)), x_github_delivery=guid)

    assert world.decided(guid) == "stale-push"
    assert world.attempts("nowhere") == []


# --- branch names --------------------------------------------------------------------------


def test_odd_branches_come_up_each_at_a_url_of_its_own(world: LocalWorld) -> None:
    shas = {
        branch: world.commit(branch, apps.greets(f"number {number}"))
        for number, branch in enumerate(ODD_BRANCHES)
    }

    world.push(*ODD_BRANCHES)

    live = [world.ended(branch, sha) for branch, sha in shas.items()]
    assert [one.state for one in live] == [DeploymentState.LIVE] * len(ODD_BRANCHES)
    assert len({one.url for one in live}) == len(ODD_BRANCHES)
    assert [world.get(one.url).body for one in live] == [
        f"number {number}\n".encode() for number in range(len(ODD_BRANCHES))
    ]
    for one in live:
        label = branch_label(one.preview.slug, world.local.repository, Branch(one.preview.name))
        assert one.preview.label == label
        assert len(label) <= 63


@pytest.mark.parametrize("branch", IMPOSSIBLE_BRANCHES)
def test_a_branch_that_git_refuses_ends_in_a_reason_and_leaves_nothing(
    world: LocalWorld, guid: str, branch: str
) -> None:
    around = world.installation.data_dir.parent
    before = sorted(path.name for path in around.iterdir())

    answer = world.deliver(world.payload(branch, *new_branch("1" * 40)), x_github_delivery=guid)

    assert answer.status_code == 202
    assert world.decided(guid) == "stale-push"
    assert world.attempts(branch) == []
    assert sorted(path.name for path in around.iterdir()) == before
    assert [path for path in around.rglob("*") if path.name in {"x", "x.git"}] == []
    assert not Path("x").exists()


@pytest.mark.parametrize("ref", ["", "refs/heads/", "refs/heads/a\nb", "refs/heads/" + "l" * 1100])
def test_a_ref_that_cannot_be_one_is_not_understood(
    world: LocalWorld, guid: str, ref: str
) -> None:
    payload = world.payload("main", *new_branch("1" * 40)) | {"ref": ref}

    answer = world.deliver(payload, x_github_delivery=guid)

    assert answer.json()["reason"] == "payload-not-understood"


# --- settings ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    ["ext::sh -c touch% x", "ssh://-oProxyCommand=x/", "https://user:pass@example.com"],
)
@pytest.mark.parametrize("command", ["up", "worker"])
def test_a_repository_address_that_runs_something_stops_the_start(
    tmp_path: Path, command: str, address: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bot", command],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env=built_environment(
            PREVIEWBOT_DATA_DIR=str(tmp_path / "data"),
            PREVIEWBOT_GIT_URL=address,
            PREVIEWBOT_PORT="0",
            PREVIEWBOT_PREVIEW_PORT="0",
        ),
    )

    assert done.returncode == 1
    assert "PREVIEWBOT_GIT_URL" in done.stderr
    assert list(tmp_path.rglob("x")) == []


# --- trees ---------------------------------------------------------------------------------


def test_a_link_to_a_file_of_the_machine_fails_the_check_and_is_named(world: LocalWorld) -> None:
    files = {**apps.greets("never"), "keys/leak": Entry(kind="symlink", content="/etc/passwd")}

    deployment = world.pushed("link", files)

    check = world.check(deployment.id)
    [note] = check.annotations
    assert check.conclusion is Conclusion.FAILURE
    assert (note.path, note.severity) == ("keys/leak", Severity.FAILURE)
    assert "/etc/passwd" in note.message
    assert deployment.target_id is None


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("/static/two%0Alines.txt", b"served all the same\n"),
        ("/static/empty.txt", b""),
        ("/static/big.bin", BIG),
    ],
    ids=["newline in its path", "0 bytes", "30 MB"],
)
def test_an_odd_file_is_served_as_it_was_committed(
    world: LocalWorld, odd_tree: Deployment, path: str, content: bytes
) -> None:
    answer = world.get(odd_tree.url, path)

    assert odd_tree.state is DeploymentState.LIVE
    assert answer.status == 200
    assert len(answer.body) == len(content)
    assert answer.body == content


def test_a_submodule_is_left_out_with_a_warning(world: LocalWorld, odd_tree: Deployment) -> None:
    check = world.check(odd_tree.id)

    [note] = check.annotations
    assert check.conclusion is Conclusion.SUCCESS
    assert (note.path, note.severity) == ("vendor/library", Severity.WARNING)
    assert "submodule" in note.message


# --- apps ----------------------------------------------------------------------------------


def failed(world: LocalWorld, branch: str) -> Check:
    """Return the check of the branch's broken commit."""
    sha = world.clone.head(branch)
    assert sha is not None
    check = world.check(world.ended(branch, sha).id)
    assert check.conclusion is Conclusion.FAILURE
    return check


@pytest.mark.parametrize("branch", BROKEN_APPS)
def test_a_broken_app_leaves_the_url_to_the_commit_before(
    world: LocalWorld, good: Mapping[str, Deployment], branch: str
) -> None:
    failed(world, branch)

    answer = world.get(good[branch].url)
    assert (answer.status, answer.body) == (200, b"good\n")
    assert answer.headers["x-preview-sha"] == good[branch].head


@pytest.mark.parametrize(
    ("branch", "path", "line", "words"),
    [
        ("crashes", "lib/start.ts", 3, "no good"),
        ("syntax-error", "main.ts", 2, "Unexpected token"),
    ],
)
@pytest.mark.usefixtures("good")
def test_the_annotation_names_file_and_line(
    world: LocalWorld, branch: str, path: str, line: int, words: str
) -> None:
    [note] = failed(world, branch).annotations

    assert (note.path, note.line) == (path, line)
    assert words in note.message


@pytest.mark.parametrize(
    ("branch", "words"),
    [
        ("runs-to-its-end", "ran to its end"),
        (NEVER_LISTENS, "did not answer HTTP within 10 s"),
    ],
)
@pytest.mark.usefixtures("good")
def test_an_app_that_does_not_serve_is_told_so(world: LocalWorld, branch: str, words: str) -> None:
    assert words in failed(world, branch).summary
