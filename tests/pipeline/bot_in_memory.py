"""The whole bot in one process and in memory, spoken to in sentences."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta

from bot.adapters.config.reader import FileConfigReader
from bot.adapters.engine.memory import MemoryJournal
from bot.adapters.storage.memory import MemoryStore
from bot.adapters.storage.memory_pulls import MemoryPulls
from bot.adapters.storage.memory_shelves import MemoryPostings
from bot.adapters.storage.memory_variables import MemoryVariables
from bot.core.decide.names import branch_label, slug_candidates
from bot.core.model.checks import Check
from bot.core.model.config import Lifetimes
from bot.core.model.decisions import Ignored
from bot.core.model.errors import BotError
from bot.core.model.events import (
    BranchDeleted,
    BranchPushed,
    CheckActionRequested,
    CheckRerequested,
    CommentWritten,
    Event,
    PullRequestClosed,
    PullRequestConvertedToDraft,
    PullRequestLabeled,
    PullRequestMarkedReady,
    PullRequestOpened,
    PullRequestReopened,
    PullRequestSynchronized,
)
from bot.core.model.ids import (
    AppName,
    AppSlug,
    Branch,
    CommentId,
    CommitSha,
    DeliveryGuid,
    DeliveryKey,
    DeploymentId,
    HookId,
    HostLabel,
    Login,
    PreviewId,
    PullNumber,
    RepoName,
    Repository,
    RepositoryId,
)
from bot.core.model.preview import Deployment
from bot.core.model.pulls import PullRequest, PullState
from bot.core.model.surfaces import Showing
from bot.pipeline.deploy import deploy
from bot.pipeline.intake import take_in
from bot.pipeline.put_off import FailedIntake, put_off
from bot.ports.inbox import Received
from bot.ports.journal import Journal
from bot.ports.services import Services
from bot.ports.source import KnownManifest
from bot.ports.target import Base
from bot.ports.targets import Targets
from tests.fakes.clock import FakeClock
from tests.fakes.forge import FakeForge
from tests.fakes.ids import FakeIds
from tests.fakes.inbox import FakeInbox
from tests.fakes.source import FakeSource, Files
from tests.fakes.target import FakeTarget

REPOSITORY = Repository(
    id=RepositoryId(7), name=RepoName("octo/hello"), default_branch=Branch("main")
)
FORK = Repository(id=RepositoryId(8), name=RepoName("eve/hello"), default_branch=Branch("main"))
APP: Files = {"main.ts": b"Deno.serve(() => new Response('hello'))\n", "deno.json": b"{}\n"}

# No test of the pipeline does two things at the same time; the announcements need one thread.
BESIDE = ThreadPoolExecutor(1)


@dataclass
class BotInMemory:
    """Push to it, deliver what GitHub would send, let it work, and look at what stands."""

    clock: FakeClock = field(default_factory=FakeClock)
    source: FakeSource = field(default_factory=FakeSource)
    target: FakeTarget = field(default_factory=FakeTarget)
    named: dict[str, FakeTarget] = field(default_factory=dict)
    forge: FakeForge = field(default_factory=FakeForge)
    inbox: FakeInbox = field(default_factory=FakeInbox)
    ids: FakeIds = field(default_factory=FakeIds)
    entrypoint: str | None = None
    runtime: str = "deno 2"
    build_timeout: timedelta = timedelta(minutes=5)
    showing: Showing = field(default_factory=Showing)
    lifetimes: Lifetimes = field(default_factory=Lifetimes)
    comments_written: int = 0
    pulls: MemoryPulls = field(default_factory=MemoryPulls)

    def __post_init__(self) -> None:
        self.store = MemoryStore(self.clock, self.ids)
        for target in (self.target, *self.named.values()):
            target.clock = self.clock
        self.postings = MemoryPostings()
        self.manifests: dict[PreviewId, KnownManifest] = {}
        self.bases: dict[tuple[str, AppSlug], Base] = {}
        self.variables = MemoryVariables(self.clock, self.ids)
        self.done_intakes: set[tuple[DeliveryKey, int]] = set()
        self.done_deployments: set[str] = set()

    def services(self) -> Services:
        return Services(
            forge=self.forge,
            source=self.source,
            configs=FileConfigReader(self.named),
            targets=Targets(usual=self.target, named=self.named),
            store=self.store,
            pulls=self.pulls,
            variables=self.variables,
            clock=self.clock,
            page_url=lambda key: f"https://bot.test/deployments/{key}",
            build_timeout=self.build_timeout,
            beside=BESIDE,
            postings=self.postings,
            showing=self.showing,
            manifests=self.manifests,
            bases=self.bases,
            lifetimes=self.lifetimes,
            entrypoint=self.entrypoint,
            runtime=self.runtime,
        )

    def push(
        self,
        branch: str = "main",
        files: Files = APP,
        *,
        message: str = "Change",
        on: CommitSha | None = None,
    ) -> BranchPushed:
        """Let somebody push a commit, a new branch `on` another one; nobody has told the bot."""
        before = self.source.head(REPOSITORY, Branch(branch))
        after = self.source.commit(REPOSITORY, branch, files, message=message, parent=on)
        return pushed(branch, before, after)

    def force_push(self, branch: str, back_to: CommitSha) -> BranchPushed:
        before = self.source.head(REPOSITORY, Branch(branch))
        self.source.force(REPOSITORY, branch, back_to)
        return pushed(branch, before, back_to)

    def delete_branch(self, branch: str) -> BranchDeleted:
        before = self.source.head(REPOSITORY, Branch(branch))
        self.source.delete(REPOSITORY, branch)
        return BranchDeleted(repository=REPOSITORY, branch=Branch(branch), before=before)

    def open_pull(
        self, branch: str = "dev", *, number: int = 1, author: str = "ada", fork: bool = False
    ) -> PullRequestOpened:
        """Let somebody open a pull request from a branch that has commits."""
        home = FORK if fork else REPOSITORY
        head = self.source.head(home, Branch(branch))
        assert head is not None
        pull = PullRequest(
            number=PullNumber(number),
            state=PullState.OPEN,
            author=Login(author),
            author_is_bot=False,
            head=head,
            head_branch=Branch(branch),
            head_repository=home.id,
            base_branch=Branch("main"),
        )
        return PullRequestOpened(repository=REPOSITORY, pull=self._known(pull))

    def push_to_fork(self, branch: str = "dev", files: Files = APP) -> CommitSha:
        """Let a stranger push to a fork; open pull requests follow."""
        head = self.source.commit(FORK, branch, files)
        for pull in list(self.forge.pulls.values()):
            if (pull.head_repository, pull.head_branch) == (FORK.id, branch) and pull.is_open:
                self._known(replace(pull, head=head))
        return head

    def synchronized(self, number: int = 1) -> PullRequestSynchronized:
        """Return what GitHub tells after a push to a pull request's branch."""
        return PullRequestSynchronized(repository=REPOSITORY, pull=self.pull(number))

    def close_pull(self, number: int = 1, *, merged: bool = False) -> PullRequestClosed:
        state = PullState.MERGED if merged else PullState.CLOSED
        pull = self._known(replace(self.pull(number), state=state))
        return PullRequestClosed(repository=REPOSITORY, pull=pull)

    def reopen_pull(self, number: int = 1) -> PullRequestReopened:
        pull = self._known(replace(self.pull(number), state=PullState.OPEN))
        return PullRequestReopened(repository=REPOSITORY, pull=pull)

    def label_pull(self, label: str, number: int = 1) -> PullRequestLabeled:
        pull = self._known(replace(self.pull(number), labels=(*self.pull(number).labels, label)))
        return PullRequestLabeled(repository=REPOSITORY, pull=pull, label=label)

    def mark_draft(self, number: int = 1) -> PullRequestConvertedToDraft:
        pull = self._known(replace(self.pull(number), draft=True))
        return PullRequestConvertedToDraft(repository=REPOSITORY, pull=pull)

    def mark_ready(self, number: int = 1) -> PullRequestMarkedReady:
        pull = self._known(replace(self.pull(number), draft=False))
        return PullRequestMarkedReady(repository=REPOSITORY, pull=pull)

    def comment(self, author: str, text: str, number: int = 1) -> CommentWritten:
        """Let somebody write a comment on a pull request."""
        self.comments_written += 1
        return CommentWritten(
            repository=REPOSITORY,
            pull=PullNumber(number),
            comment=CommentId(self.comments_written),
            author=Login(author),
            text=text,
        )

    def press(self, sender: str, button: str, attempt: Deployment) -> CheckActionRequested:
        """Let somebody press a button on the check of an attempt."""
        return CheckActionRequested(
            repository=REPOSITORY,
            head=attempt.head,
            external_id=attempt.id,
            action=button,
            sender=Login(sender),
        )

    def rerun(self, sender: str, attempt: Deployment) -> CheckRerequested:
        return CheckRerequested(
            repository=REPOSITORY,
            head=attempt.head,
            external_id=attempt.id,
            sender=Login(sender),
        )

    def reactions(self, comment: CommentWritten) -> list[str]:
        """Return what of ours stands under a comment."""
        return [str(reaction) for reaction in self.forge.reactions.get(comment.comment, [])]

    def replies(self) -> list[str]:
        """Return what was replied to commands, without the invisible first line."""
        bodies = [comment.body for comment in self.forge.comments.values()]
        return [
            body.partition("\n")[2]
            for body in bodies
            if body.startswith("<!-- previewbot answers")
        ]

    def pull(self, number: int = 1) -> PullRequest:
        """Return a pull request as the forge has it."""
        return self.forge.pulls[REPOSITORY.id, PullNumber(number)]

    def _known(self, pull: PullRequest) -> PullRequest:
        self.forge.pulls[REPOSITORY.id, pull.number] = pull
        return pull

    def deliver(self, event: Event, guid: str | None = None) -> DeliveryKey:
        """Bring a delivery to the inbox; the intake has not run yet."""
        key = DeliveryKey(hook=HookId("1"), guid=DeliveryGuid(guid or self.ids.new()))
        self.inbox.put(
            Received(
                key=key,
                event_name="push",
                body=b"{}",
                verdict=event,
                received_at=self.clock.now(),
            )
        )
        return key

    def decide_all(self) -> None:
        """Run the intakes that wait, in order."""
        for key, tries in [(key, 0) for key in self.inbox.intakes] + self.inbox.repeats:
            if (key, tries) not in self.done_intakes:
                self.done_intakes.add((key, tries))
                self.run_intake(key, MemoryJournal(self.clock), tries)

    def run_intake(self, key: DeliveryKey, journal: Journal, tries: int = 0) -> None:
        """Decide about a delivery as the worker does, after `tries` that failed."""
        received = self.inbox.received[key]
        assert not isinstance(received.verdict, Ignored)
        try:
            take_in(received.verdict, key, self.services(), self.inbox, journal)
        except BotError as error:
            failed = FailedIntake(
                event=received.verdict,
                delivery=key,
                received_at=received.received_at,
                tries=tries + 1,
                error=error,
            )
            put_off(failed, self.services(), self.inbox, journal)

    def deploy_all(self) -> None:
        """Run the deployments that wait, in order."""
        for queued in self.inbox.deployments:
            if queued.deployment not in self.done_deployments:
                self.done_deployments.add(queued.deployment)
                self.run_deployment(queued.deployment, MemoryJournal(self.clock))

    def run_deployment(self, key: str, journal: Journal) -> None:
        deploy(DeploymentId(key), self.services(), journal)

    def react_to(self, event: Event, guid: str | None = None) -> DeliveryKey:
        """Deliver, decide and deploy."""
        key = self.deliver(event, guid)
        self.decide_all()
        self.deploy_all()
        return key

    def deployments(self) -> list[Deployment]:
        """Return all attempts, oldest first."""
        return self.store.recent(1000)[::-1]

    def the_check(self) -> Check:
        """Return the only check there is, as it stands."""
        (check,) = self.forge.latest().values()
        return check

    def reason(self, key: DeliveryKey) -> str | None:
        return self.inbox.records[key].reason

    def served_at(self, branch: str) -> CommitSha | None:
        """Return the commit that the branch's stable URL serves."""
        return self._served(stable_label(branch))

    def served_for(self, number: int = 1) -> CommitSha | None:
        """Return the commit that the pull request's stable URL serves."""
        return self._served(HostLabel(f"hello--pr-{number}"))

    def _served(self, label: HostLabel) -> CommitSha | None:
        bound = self.target.bindings.get(label)
        return None if bound is None else bound.revision


def pushed(branch: str, before: CommitSha | None, after: CommitSha) -> BranchPushed:
    return BranchPushed(repository=REPOSITORY, branch=Branch(branch), before=before, after=after)


def stable_label(branch: str) -> HostLabel:
    slug = slug_candidates(REPOSITORY, AppName(""))[0]
    return branch_label(slug, REPOSITORY, Branch(branch))
