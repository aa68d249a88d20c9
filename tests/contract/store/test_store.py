"""One suite for every store: what a record is, who wins a clash, what a repeat does."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.adapters.storage import connect
from bot.adapters.storage.store import SqlStore
from bot.core.model.briefs import PLAIN, Brief
from bot.core.model.config import Production, Recipe
from bot.core.model.errors import RecordNotFound
from bot.core.model.ids import (
    AppName,
    AppSlug,
    BlobSha,
    Branch,
    CommitSha,
    DeliveryGuid,
    DeliveryKey,
    DeploymentId,
    Generation,
    HookId,
    HostLabel,
    PreviewId,
    PullNumber,
    RepoName,
    Repository,
    RepositoryId,
    TargetDeploymentId,
)
from bot.core.model.lines import BranchLine, PullLine
from bot.core.model.outcomes import Annotation, LogLine, Severity
from bot.core.model.preview import (
    Deployment,
    DeploymentState,
    Preview,
    Seen,
    Stage,
    StageRecord,
    Transfer,
)
from bot.core.model.selection import Selection
from bot.core.model.surfaces import Surface
from bot.ports.store import Plan, PreviewWanted, Store
from tests.fakes.clock import NOON, FakeClock
from tests.fakes.ids import FakeIds
from tests.fakes.store import fake_store

REPOSITORY = Repository(
    id=RepositoryId(7), name=RepoName("octo/site"), default_branch=Branch("main")
)
MAIN = BranchLine(Branch("main"))
ONLY_APP = AppName("")
OLD, MIDDLE, NEW = CommitSha("1" * 40), CommitSha("2" * 40), CommitSha("3" * 40)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(params=["sql", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path, clock: FakeClock) -> Iterator[Store]:
    if request.param == "memory":
        yield fake_store(clock)
        return
    url = f"sqlite:///{tmp_path}/bot.db"
    connect.prepare(url)
    engines = connect.engines(url)
    yield SqlStore(engines, clock, FakeIds())
    engines.dispose()


def delivery(guid: str) -> DeliveryKey:
    return DeliveryKey(hook=HookId("1"), guid=DeliveryGuid(guid))


def wanted(branch: str = "main", repository: Repository = REPOSITORY) -> PreviewWanted:
    short, long = repository.name.split("/")[1], repository.name.replace("/", "-")
    return PreviewWanted(
        repository=repository,
        line=BranchLine(Branch(branch)),
        app=ONLY_APP,
        slug_candidates=(AppSlug(short), AppSlug(long)),
        label_of=lambda slug: HostLabel(f"{slug}--{branch.lower()}"),
    )


def planned(store: Store, guid: str, head: CommitSha, branch: str = "main") -> Deployment:
    return store.plan(delivery(guid), head, wanted(branch)).deployment


def test_before_the_first_attempt_there_is_nothing(store: Store) -> None:
    assert store.preview(REPOSITORY.id, MAIN, ONLY_APP) is None
    assert store.newest(REPOSITORY.id, MAIN, ONLY_APP) is None
    assert store.recent(10) == []


def test_the_first_attempt_makes_its_preview(store: Store) -> None:
    plan = store.plan(delivery("a"), OLD, wanted())

    preview = plan.deployment.preview
    assert plan.fresh
    assert plan.deployment == Deployment(
        id=plan.deployment.id,
        preview=Preview(
            id=preview.id,
            repository=REPOSITORY,
            line=MAIN,
            app=ONLY_APP,
            slug=AppSlug("site"),
            label=HostLabel("site--main"),
            generation=Generation(1),
        ),
        generation=Generation(1),
        head=OLD,
        state=DeploymentState.QUEUED,
        created_at=NOON,
    )
    assert store.preview(REPOSITORY.id, MAIN, ONLY_APP) == preview


def test_the_same_delivery_gives_the_same_attempt_again(store: Store) -> None:
    first = store.plan(delivery("a"), OLD, wanted())

    again = store.plan(delivery("a"), OLD, wanted())

    assert again == Plan(deployment=first.deployment, fresh=False)
    assert store.recent(10) == [first.deployment]


def test_the_attempts_of_a_delivery_are_found_again(store: Store) -> None:
    first, second = planned(store, "a", OLD, "x"), planned(store, "a", OLD, "y")
    planned(store, "b", NEW, "z")

    assert store.planned_by(delivery("a")) == [first, second]
    assert store.planned_by(delivery("nowhere")) == []


def test_a_newer_attempt_supersedes_the_unfinished_older_ones(store: Store) -> None:
    queued, running = planned(store, "a", OLD), planned(store, "b", MIDDLE)
    store.save(running.moved_to(DeploymentState.DEPLOYING))

    newest = planned(store, "c", NEW)

    assert store.deployment(queued.id).superseded_by == NEW
    assert store.deployment(running.id).superseded_by == NEW
    assert store.newest(REPOSITORY.id, MAIN, ONLY_APP) == newest
    assert newest.superseded_by is None
    assert newest.generation == 3


def test_an_attempt_that_is_over_is_not_superseded(store: Store) -> None:
    live = planned(store, "a", OLD)
    store.save(live.moved_to(DeploymentState.DEPLOYING).moved_to(DeploymentState.LIVE))

    planned(store, "b", NEW)

    assert store.deployment(live.id).superseded_by is None


def test_saving_keeps_what_came_in_between(store: Store) -> None:
    stale = planned(store, "a", OLD)
    planned(store, "b", NEW)

    store.save(stale.moved_to(DeploymentState.DEPLOYING))

    stored = store.deployment(stale.id)
    assert stored.superseded_by == NEW
    assert stored.preview.generation == 2
    assert stored.state is DeploymentState.DEPLOYING


def test_everything_that_is_saved_comes_back(store: Store, clock: FakeClock) -> None:
    deployment = replace(
        planned(store, "a", OLD),
        state=DeploymentState.LIVE,
        target="deploy-v2/https://*.acme.deno.net",
        target_id=TargetDeploymentId("t"),
        url="http://site--main.localhost",
        deployment_url="http://site-d-1.localhost",
        transfer=Transfer(files_total=10, files_sent=0, bytes_sent=0),
        title="Live",
        finished_at=clock.now() + timedelta(microseconds=1),
    )

    store.save(deployment)

    assert store.deployment(deployment.id) == deployment


def test_a_fork_s_pull_request_is_a_preview_beside_any_branch(store: Store) -> None:
    fork = replace(
        wanted(), line=PullLine(PullNumber(7)), label_of=lambda _: HostLabel("site--pr-7")
    )
    branch = planned(store, "a", OLD)
    pull = store.plan(delivery("a"), OLD, fork).deployment

    assert branch.preview.id != pull.preview.id
    assert pull.preview.line == PullLine(PullNumber(7))
    assert store.newest(REPOSITORY.id, PullLine(PullNumber(7)), ONLY_APP) == pull


def test_branches_differ_by_letter_case_alone(store: Store) -> None:
    lower, upper = planned(store, "a", OLD, "fix"), planned(store, "b", OLD, "Fix")

    assert lower.preview.id != upper.preview.id
    assert (lower.generation, upper.generation) == (1, 1)


def test_a_label_stays_with_its_first_owner(store: Store) -> None:
    owner, loser = planned(store, "a", OLD, "fix"), planned(store, "b", OLD, "Fix")
    again = planned(store, "c", NEW, "Fix")

    assert owner.preview.label == "site--fix"
    assert loser.preview.label is None
    assert again.preview.label is None
    assert store.deployment(owner.id).preview.label == "site--fix"


def test_branches_of_an_app_share_its_slug(store: Store) -> None:
    assert planned(store, "a", OLD).preview.slug == planned(store, "b", OLD, "x").preview.slug


def test_a_taken_slug_sends_the_next_app_to_its_second_choice(store: Store) -> None:
    planned(store, "a", OLD)
    other = Repository(
        id=RepositoryId(8), name=RepoName("hub/site"), default_branch=Branch("main")
    )

    plan = store.plan(delivery("b"), OLD, wanted(repository=other))

    assert plan.deployment.preview.slug == "hub-site"
    assert plan.deployment.preview.label == "hub-site--main"


def test_no_free_slug_is_an_error_and_leaves_nothing(store: Store) -> None:
    planned(store, "a", OLD)
    other = Repository(
        id=RepositoryId(8), name=RepoName("hub/site"), default_branch=Branch("main")
    )
    hopeless = replace(wanted(repository=other), slug_candidates=(AppSlug("site"),))

    with pytest.raises(RecordNotFound, match="site"):
        store.plan(delivery("b"), OLD, hopeless)

    assert store.preview(other.id, MAIN, ONLY_APP) is None


def test_a_renamed_repository_keeps_its_preview(store: Store) -> None:
    first = planned(store, "a", OLD)
    renamed = replace(REPOSITORY, name=RepoName("octo/page"), installation=5)

    second = store.plan(delivery("b"), NEW, wanted(repository=renamed)).deployment

    assert second.preview.id == first.preview.id
    assert second.preview.repository == renamed
    assert second.preview.slug == "site"


def test_a_buried_preview_is_seen_by_its_attempts_and_comes_back(store: Store) -> None:
    first = planned(store, "a", OLD)
    elsewhere = planned(store, "b", OLD, "other")

    store.bury(REPOSITORY.id, MAIN, "the branch is gone")

    assert store.deployment(first.id).preview.buried
    assert store.deployment(first.id).preview.buried_because == "the branch is gone"
    assert not store.deployment(elsewhere.id).preview.buried
    again = planned(store, "c", NEW).preview
    assert (again.buried, again.buried_because) == (False, "")
    assert store.deployment(first.id).superseded_by == NEW


def test_what_was_removed_though_its_branch_goes_on_says_so(store: Store) -> None:
    first = planned(store, "a", OLD)

    store.bury(REPOSITORY.id, MAIN, "nobody visited it", removed=True)

    assert store.deployment(first.id).preview.removed
    assert not planned(store, "b", OLD).preview.removed


def test_every_standing_preview_has_its_newest_attempt(store: Store) -> None:
    planned(store, "a", OLD)
    newer, other = planned(store, "b", NEW), planned(store, "c", OLD, "other")
    planned(store, "d", OLD, "gone")
    store.bury(REPOSITORY.id, BranchLine(Branch("gone")), "the branch is gone")

    assert [one.id for one in store.newest_standing()] == [newer.id, other.id]


def test_a_repository_that_moved_is_known_by_its_new_name(store: Store) -> None:
    first = planned(store, "a", OLD)
    renamed = replace(REPOSITORY, name=RepoName("hub/page"), installation=9)

    store.rename(renamed)

    assert store.deployment(first.id).preview.repository == renamed


def test_the_attempts_on_a_branch_come_oldest_first(store: Store) -> None:
    keys = [planned(store, guid, head).id for guid, head in [("a", OLD), ("b", NEW)]]
    planned(store, "c", OLD, "other")

    assert [one.id for one in store.attempts_on(REPOSITORY.id, MAIN)] == keys
    assert store.attempts_on(RepositoryId(8), MAIN) == []


def test_an_attempt_may_wait_and_a_newer_one_tells_which_it_dropped(store: Store) -> None:
    first = store.plan(delivery("a"), OLD, wanted(), waits=True)
    second = store.plan(delivery("b"), NEW, wanted(), waits=True)
    again = store.plan(delivery("b"), NEW, wanted(), waits=True)

    assert first.deployment.state is DeploymentState.WAITING
    assert first.dropped == ()
    assert [one.id for one in second.dropped] == [first.deployment.id]
    assert second.dropped[0].superseded_by == NEW
    assert again.dropped == second.dropped


def test_an_attempt_that_ended_is_not_dropped(store: Store) -> None:
    first = store.plan(delivery("a"), OLD, wanted(), waits=True).deployment
    store.save(first.moved_to(DeploymentState.SUPERSEDED))

    assert store.plan(delivery("b"), NEW, wanted()).dropped == ()


def test_recent_attempts_come_newest_first_over_all_previews(store: Store) -> None:
    pairs = [("a", "x"), ("b", "y"), ("c", "x")]
    keys = [planned(store, guid, OLD, branch).id for guid, branch in pairs]

    assert [one.id for one in store.recent(2)] == [keys[2], keys[1]]


def test_stages_come_in_the_order_of_the_road(store: Store, clock: FakeClock) -> None:
    key = planned(store, "a", OLD).id
    second = timedelta(seconds=1)
    store.stage_started(key, Stage.UPLOAD)
    clock.move(second)
    store.stage_started(key, Stage.ACQUIRE)
    store.stage_started(key, Stage.UPLOAD)
    store.stage_finished(key, Stage.UPLOAD, "3 of 10 files")
    store.stage_finished(key, Stage.BUILD, "not needed")

    assert store.stages(key) == [
        StageRecord(stage=Stage.ACQUIRE, started_at=NOON + second),
        StageRecord(
            stage=Stage.UPLOAD,
            started_at=NOON,
            finished_at=NOON + second,
            detail="3 of 10 files",
        ),
        StageRecord(
            stage=Stage.BUILD,
            started_at=NOON + second,
            finished_at=NOON + second,
            detail="not needed",
        ),
    ]


def test_a_log_is_replaced_as_a_whole(store: Store) -> None:
    key = planned(store, "a", OLD).id
    store.save_log(key, [LogLine(level="info", message=str(n)) for n in range(12)])
    lines = [LogLine(level="error", message="<b>@everyone\x1b[31m\n")]

    store.save_log(key, lines)

    assert store.log(key) == lines


def test_an_attempt_without_a_log_has_an_empty_one(store: Store) -> None:
    assert store.log(planned(store, "a", OLD).id) == []


def test_what_does_not_exist_is_not_found(store: Store) -> None:
    nowhere = DeploymentId("nowhere")

    with pytest.raises(RecordNotFound, match="nowhere"):
        store.deployment(nowhere)
    with pytest.raises(RecordNotFound, match="nowhere"):
        store.save(replace(planned(store, "a", OLD), id=nowhere))


def blobs(*numbers: int) -> set[BlobSha]:
    return {BlobSha(f"{number:040x}") for number in numbers}


def test_blobs_are_remembered_per_target_and_project(store: Store) -> None:
    site, page = AppSlug("site"), AppSlug("page")
    store.remember_blobs("embedded", site, blobs(1, 2))
    store.remember_blobs("embedded", site, blobs(2, 3))
    store.remember_blobs("embedded", page, blobs(4))

    store.forget_blobs("embedded", site, blobs(1, 9))

    assert store.known_blobs("embedded", site) == blobs(2, 3)
    assert store.known_blobs("embedded", page) == blobs(4)
    assert store.known_blobs("subhosting-v1", site) == set()


def test_hundreds_of_pushes_later_no_blob_is_lost(store: Store) -> None:
    site = AppSlug("site")
    for number in range(150):
        store.remember_blobs("embedded", site, blobs(number))

    assert store.known_blobs("embedded", site) == blobs(*range(150))


def test_everything_can_be_forgotten(store: Store) -> None:
    site = AppSlug("site")
    store.remember_blobs("embedded", site, blobs(1))

    store.forget_blobs("embedded", site, blobs(1))

    assert store.known_blobs("embedded", site) == set()


def test_what_is_known_of_visitors_is_replaced(store: Store, clock: FakeClock) -> None:
    preview, other = planned(store, "a", OLD).preview.id, PreviewId("another")
    first = Seen(last_at=None, until=clock.now())
    later = Seen(last_at=clock.now(), until=clock.now() + timedelta(hours=6))

    before = store.seen(preview)
    for known in (first, later, later):
        store.note_seen(preview, known)
        assert store.seen(preview) == known

    assert before is store.seen(other) is None


def test_four_plans_at_once_lose_no_generation(store: Store) -> None:
    with ThreadPoolExecutor(4) as pool:
        plans = list(pool.map(lambda guid: planned(store, guid, NEW), "abcd"))

    assert sorted(plan.generation for plan in plans) == [1, 2, 3, 4]
    assert len({plan.preview.id for plan in plans}) == 1
    newest = store.newest(REPOSITORY.id, MAIN, ONLY_APP)
    assert newest is not None
    assert newest.generation == 4


BRIEF = Brief(
    recipe=Recipe(root="web", include=("a",), install="", spa=True),
    selection=Selection(root="web", exclude=("*.md",), lfs=True),
    deno_json_builds=True,
    production=Production(domain="app.example.com"),
    target="deno",
    surfaces=frozenset({Surface.CHECK}),
    remarks=(Annotation(path="a", line=1, message="m", severity=Severity.NOTICE, column=3),),
    anew=True,
)


@pytest.mark.parametrize("brief", [PLAIN, BRIEF, Brief(deploys=False)])
def test_what_an_attempt_was_told_is_kept(store: Store, brief: Brief) -> None:
    planned = store.plan(delivery("a"), OLD, wanted(), brief).deployment
    store.plan(delivery("a"), OLD, wanted(), PLAIN)

    assert store.brief(planned.id) == brief


def test_an_unknown_attempt_was_told_nothing(store: Store) -> None:
    with pytest.raises(RecordNotFound):
        store.brief(DeploymentId("none"))


def test_an_attempt_that_is_not_to_deploy_supersedes_none(store: Store) -> None:
    running = planned(store, "a", OLD)

    skipped = store.plan(delivery("b"), NEW, wanted(), Brief(deploys=False)).deployment

    assert store.deployment(running.id).superseded_by is None
    assert store.newest(REPOSITORY.id, MAIN, ONLY_APP) == skipped


def test_the_newest_live_attempt_is_found_behind_newer_ones(store: Store) -> None:
    assert store.newest_live(REPOSITORY.id, MAIN, ONLY_APP) is None
    for guid, head in (("a", OLD), ("b", MIDDLE)):
        live = planned(store, guid, head).moved_to(DeploymentState.DEPLOYING)
        store.save(live.moved_to(DeploymentState.LIVE))
    failed = planned(store, "c", NEW)
    store.save(failed.moved_to(DeploymentState.FAILED))

    found = store.newest_live(REPOSITORY.id, MAIN, ONLY_APP)

    assert found is not None
    assert found.head == MIDDLE
