"""The step that gives production its own domain, on every target."""

from dataclasses import replace
from functools import partial

from bot.adapters.engine.memory import MemoryJournal
from bot.core.decide.names import line_app, line_label, slug_candidates
from bot.core.model.briefs import Brief
from bot.core.model.config import THE_ONLY_APP, Production
from bot.core.model.ids import AppSlug, CommitSha, DeliveryGuid, DeliveryKey, HookId, HostLabel
from bot.core.model.lines import PRODUCTION
from bot.core.model.outcomes import Annotation, Severity
from bot.core.model.preview import Transfer
from bot.pipeline.attempt import Attempt
from bot.pipeline.narrator import Narrator
from bot.pipeline.steps.attach import attach_domain
from bot.pipeline.steps.upload import Uploaded
from bot.ports.store import PreviewWanted
from bot.ports.target import Attached, Built
from bot.ports.targets import Targets
from tests.contract.target.conftest import Bench
from tests.fakes.apps import OCTO_HELLO, SAYS_ENV, hello
from tests.pipeline.bot_in_memory import BotInMemory

APP = hello(main=SAYS_ENV)
SLUG = slug_candidates(OCTO_HELLO, THE_ONLY_APP)[0]
OLD, NEW = CommitSha("a" * 40), CommitSha("b" * 40)
NOTHING_SENT = Transfer(files_total=0, files_sent=0, bytes_sent=0)


def labelled(slug: AppSlug) -> HostLabel:
    return line_label(slug, OCTO_HELLO, PRODUCTION)


class Road:
    """Production on the target under test: each commit is made there, and given the domain."""

    def __init__(self, bench: Bench, name: str) -> None:
        # The real server keeps its domains, so no two tests have the same host.
        self.host = f"{name}.{bench.target.name.replace('/', '-')}.example.org"
        self.bench = bench
        self.bot = BotInMemory()
        self.services = replace(self.bot.services(), targets=Targets(usual=bench.target))

    def made(self, head: CommitSha) -> tuple[Attempt, Uploaded]:
        """Plan an attempt of production, and make what it puts live."""
        key = DeliveryKey(hook=HookId("1"), guid=DeliveryGuid(head))
        wanted = PreviewWanted(
            repository=OCTO_HELLO,
            line=PRODUCTION,
            app=THE_ONLY_APP,
            slug_candidates=(SLUG,),
            label_of=labelled,
        )
        brief = Brief(production=Production(domain=self.host))
        planned = self.services.store.plan(key, head, wanted, brief).deployment
        order = replace(
            APP.order(planned.id, known=APP.manifest.blobs()),
            project=SLUG,
            branch_app=line_app(SLUG, OCTO_HELLO, PRODUCTION),
        )
        created = self.bench.target.create(order, APP.read).id
        assert isinstance(self.bench.settled(created), Built)
        attempt = Attempt(
            key=planned.id,
            services=self.services,
            journal=MemoryJournal(self.bot.clock),
            narrator=Narrator(planned.id, self.services),
        )
        return attempt, Uploaded(id=created, transfer=NOTHING_SENT, warnings=())

    def publish(self, uploaded: Uploaded) -> None:
        """Let the owner do what the platform asks for."""
        app = line_app(SLUG, OCTO_HELLO, PRODUCTION)
        seen = self.bench.target.attach(app, uploaded.id, self.host, OLD)
        assert not isinstance(seen, Attached)
        self.bench.publish(self.host, seen)

    def leads_to(self, uploaded: Uploaded, head: CommitSha) -> Attached:
        """Return what the target says when it is asked for the domain once more."""
        app = line_app(SLUG, OCTO_HELLO, PRODUCTION)
        seen = self.bench.target.attach(app, uploaded.id, self.host, head)
        assert isinstance(seen, Attached)
        return seen


def is_warning(host: str, note: Annotation) -> bool:
    beginning = f"{host} does not lead here until its DNS has: "
    return note.severity is Severity.WARNING and note.message.startswith(beginning)


def test_an_unproven_domain_is_a_warning_with_the_records_until_they_are_there(
    bench: Bench,
) -> None:
    road = Road(bench, "first")
    attempt, uploaded = road.made(OLD)
    attach = partial(attach_domain, attempt, uploaded)

    [note] = attach()
    again = attach()
    road.publish(uploaded)

    assert is_warning(road.host, note)
    assert f"_acme-challenge.{road.host}" in note.message
    assert again == (note,)
    # A host without a certificate is attached all the same, which the platforms tell apart.
    assert [each for each in attach() if "does not lead here" in each.message] == []
    assert road.leads_to(uploaded, OLD).url


def test_the_domain_follows_production_and_goes_back_with_it(bench: Bench) -> None:
    road = Road(bench, "moves")
    old, older = road.made(OLD)
    attach_domain(old, older)
    road.publish(older)
    attach_domain(old, older)
    new, newer = road.made(NEW)

    forth = attach_domain(new, newer)
    back = attach_domain(old, older)

    assert [each for each in (*forth, *back) if "does not lead here" in each.message] == []
    url = road.leads_to(older, OLD).url
    assert isinstance(bench.visit(older.id, url), dict)
