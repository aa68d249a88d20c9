"""Production's own domain: what keeps it away is said, and never keeps production away."""

import pytest

from bot.adapters.engine.memory import MemoryJournal
from bot.core.model.checks import Check, Conclusion
from bot.core.model.errors import TargetRefused
from bot.core.model.lines import PRODUCTION
from bot.core.model.outcomes import Annotation, Severity
from bot.core.model.preview import Deployment
from bot.ports.target import Attachment, DnsRecord, Unproven
from tests.fakes.journal import Killed, MortalJournal
from tests.fakes.source import Files
from tests.pipeline.bot_in_memory import APP, BotInMemory

HOST = "app.example.com"
CONFIG = ".github/previewbot.yml"
PLAIN: Files = {**APP, CONFIG: b"production: true\n"}
WITH_DOMAIN: Files = {
    **APP,
    CONFIG: f"production: true\nproduction-domain: {HOST}\n".encode(),
}


@pytest.fixture
def bot() -> BotInMemory:
    """Return the bot, with a domain whose owner has proved it."""
    bot = BotInMemory()
    bot.target.published.add(HOST)
    return bot


def production(bot: BotInMemory) -> Deployment:
    return [each for each in bot.deployments() if each.preview.line == PRODUCTION][-1]


def check(bot: BotInMemory) -> Check:
    return bot.forge.latest()[production(bot).id]


def warning(message: str) -> Annotation:
    return Annotation(path=CONFIG, line=1, message=message, severity=Severity.WARNING)


def test_a_domain_that_is_proved_leads_to_production_without_a_word(bot: BotInMemory) -> None:
    push = bot.push("main", WITH_DOMAIN)

    bot.react_to(push)

    assert bot.target.domains[HOST].revision == push.after
    assert check(bot).annotations == ()


def test_without_a_domain_nothing_is_attached(bot: BotInMemory) -> None:
    bot.react_to(bot.push("main", PLAIN))

    assert bot.target.domains == {}


def test_the_preview_of_a_branch_never_gets_it(bot: BotInMemory) -> None:
    main = bot.push("main", WITH_DOMAIN)
    bot.react_to(main)

    bot.react_to(bot.push("dev", {**WITH_DOMAIN, "n": b"2"}))

    assert bot.target.domains[HOST].revision == main.after


def test_what_a_branch_says_of_the_domain_does_not_count(bot: BotInMemory) -> None:
    bot.react_to(bot.push("main", PLAIN))

    bot.react_to(bot.push("dev", WITH_DOMAIN))

    assert bot.target.domains == {}


def test_a_domain_without_a_certificate_is_attached_and_says_why(bot: BotInMemory) -> None:
    bot.target.uncertified[HOST] = "the authority could not look it up"
    push = bot.push("main", WITH_DOMAIN)

    bot.react_to(push)

    assert bot.target.domains[HOST].revision == push.after
    assert check(bot).annotations == (
        warning(
            f"{HOST} leads here, but has no certificate yet: the authority could not look it up"
        ),
    )


def test_a_domain_that_is_refused_is_a_warning_and_production_is_live(bot: BotInMemory) -> None:
    bot.target.domain_trouble = TargetRefused(
        "fake", status=409, code="domainTaken", message="it is somebody else's"
    )

    bot.react_to(bot.push("main", WITH_DOMAIN))

    assert check(bot).conclusion is Conclusion.SUCCESS
    assert check(bot).annotations == (
        warning(
            f"{HOST} does not lead here: fake refused (409 domainTaken): it is somebody else's"
        ),
    )


def away_when_attaching(bot: BotInMemory, calls: int) -> None:
    """Let the platform be away for so many calls when it is first asked for a domain."""
    attach = bot.target.attach

    def away(*arguments: object) -> Attachment:
        bot.target.attach = attach  # type: ignore[method-assign]
        bot.target.unavailable_calls = calls
        return attach(*arguments)  # type: ignore[arg-type]

    bot.target.attach = away  # type: ignore[assignment, method-assign]


def test_a_platform_that_is_away_for_a_moment_is_waited_for(bot: BotInMemory) -> None:
    away_when_attaching(bot, 3)
    push = bot.push("main", WITH_DOMAIN)

    bot.react_to(push)

    assert bot.target.domains[HOST].revision == push.after
    assert check(bot).annotations == ()


def test_one_that_stays_away_is_a_warning_and_production_is_live(bot: BotInMemory) -> None:
    away_when_attaching(bot, 8)

    bot.react_to(bot.push("main", WITH_DOMAIN))

    assert check(bot).conclusion is Conclusion.SUCCESS
    assert check(bot).annotations == (
        warning(f"{HOST} does not lead here: fake is unavailable: it was told to be away"),
    )


TXT = DnsRecord(name=f"_acme-challenge.{HOST}", kind="TXT", content="proof")
CNAME = DnsRecord(name=HOST, kind="CNAME", content="edge.example.net")


@pytest.mark.parametrize(
    ("ways", "words"),
    [
        (
            ((CNAME, TXT), (TXT,)),
            f"its DNS has: CNAME {HOST} edge.example.net; TXT _acme-challenge.{HOST} proof",
        ),
        (((), (TXT,)), f"its DNS has: TXT _acme-challenge.{HOST} proof"),
        ((), "the platform has proof of who owns it"),
        (((),), "the platform has proof of who owns it"),
    ],
)
def test_of_several_ways_to_prove_it_one_is_told_whole(
    bot: BotInMemory, ways: tuple[tuple[DnsRecord, ...], ...], words: str
) -> None:
    bot.target.attach = lambda *_: Unproven(records=ways)  # type: ignore[method-assign]

    bot.react_to(bot.push("main", WITH_DOMAIN))

    assert check(bot).annotations == (warning(f"{HOST} does not lead here until {words}"),)


def test_a_worker_killed_after_attaching_does_it_again_to_no_harm(bot: BotInMemory) -> None:
    push = bot.push("main", WITH_DOMAIN)
    bot.deliver(push)
    bot.decide_all()
    key = production(bot).id

    with pytest.raises(Killed):
        bot.run_deployment(key, MortalJournal("bind", bot.clock))
    bot.run_deployment(key, MemoryJournal(bot.clock))

    assert bot.target.domains[HOST].revision == push.after
    assert check(bot).conclusion is Conclusion.SUCCESS
