import pytest

from bot.core.decide.admission import Refusal, refusal
from bot.core.model.config import Mode, Rules
from bot.core.model.decisions import Reason
from bot.core.model.ids import Branch
from bot.core.model.occasions import Occasion, PullFacts, Trigger

PUSHED = Occasion(trigger=Trigger.PUSH, branch=Branch("feature/x"))
TO_MAIN = Occasion(trigger=Trigger.PUSH, branch=Branch("main"), is_default_branch=True)
ASKED = Occasion(trigger=Trigger.PERSON, branch=Branch("feature/x"))


def pull(*labels: str, draft: bool = False, by_bot: bool = False) -> Occasion:
    facts = PullFacts(labels=labels, draft=draft, by_bot=by_bot)
    return Occasion(trigger=Trigger.PULL, branch=Branch("feature/x"), pull=facts)


def said(message: str) -> Occasion:
    return Occasion(trigger=Trigger.PUSH, branch=Branch("feature/x"), message=message)


@pytest.mark.parametrize(
    ("rules", "occasion"),
    [
        (Rules(), PUSHED),
        (Rules(), pull("anything", draft=True, by_bot=True)),
        (Rules(branches=("feature/**",)), PUSHED),
        (Rules(branches=("!dependabot/**",)), PUSHED),
        (Rules(skip_labels=("wip",)), pull("ready")),
        (Rules(drafts=False), pull()),
        (Rules(bots=False), pull()),
        (Rules(mode=Mode.LABEL), pull("preview")),
        (Rules(mode=Mode.LABEL, label="show"), pull("show")),
        (Rules(mode=Mode.LABEL), TO_MAIN),
        (Rules(mode=Mode.COMMAND), TO_MAIN),
        (Rules(), said("Skip ci where it can be skipped")),
    ],
)
def test_what_no_rule_refuses_is_deployed(rules: Rules, occasion: Occasion) -> None:
    assert refusal(rules, occasion) is None


@pytest.mark.parametrize(
    ("rules", "occasion", "reason", "detail"),
    [
        (Rules(locked="moving house"), PUSHED, Reason.LOCKED, "the app is locked: moving house"),
        (
            Rules(branches=("main",)),
            PUSHED,
            Reason.BRANCH_NOT_WANTED,
            "the branch is feature/x, and none of `branches` fits it",
        ),
        (
            Rules(branches=("**", "!feature/*")),
            PUSHED,
            Reason.BRANCH_NOT_WANTED,
            "the branch is feature/x, and `branches` takes it out by !feature/*",
        ),
        (
            Rules(skip_labels=("wip",)),
            pull("a", "wip"),
            Reason.SKIP_LABEL,
            "the pull request has the label wip, which is one of `skip-labels`",
        ),
        (
            Rules(drafts=False),
            pull(draft=True),
            Reason.DRAFT,
            "the pull request is a draft, and `drafts` is false",
        ),
        (
            Rules(bots=False),
            pull(by_bot=True),
            Reason.BOT,
            "the pull request is a bot's, and `bots` is false",
        ),
        (
            Rules(mode=Mode.LABEL),
            pull("other"),
            Reason.LABEL_MISSING,
            "`mode` is label, and no pull request of it has the label preview",
        ),
        (
            Rules(mode=Mode.LABEL),
            PUSHED,
            Reason.LABEL_MISSING,
            "`mode` is label, and no pull request of it has the label preview",
        ),
        (
            Rules(mode=Mode.COMMAND),
            pull(),
            Reason.COMMAND_MISSING,
            "`mode` is command: comment `/preview deploy` on the pull request",
        ),
        (
            Rules(mode=Mode.MANUAL),
            TO_MAIN,
            Reason.MANUAL,
            "`mode` is manual: deploy with `/preview deploy` or `previewbot deploy`",
        ),
    ],
)
def test_the_rule_that_refuses_is_named(
    rules: Rules, occasion: Occasion, reason: Reason, detail: str
) -> None:
    assert refusal(rules, occasion) == Refusal(reason=reason, detail=detail)


@pytest.mark.parametrize(
    "marker", ["[skip ci]", "[skip deploy]", "[skip preview]", "[Skip CI]", "[skip-ci]"]
)
def test_a_marker_in_the_message_skips(marker: str) -> None:
    found = refusal(Rules(), said(f"Fix a word\n\n{marker}\n"))

    assert found == Refusal(reason=Reason.SKIP_MARKER, detail=f"the commit message has {marker}")


def test_a_change_outside_the_paths_is_not_worth_it() -> None:
    rules = Rules(paths=("apps/web", "!**/*.md"))

    assert refusal(rules, PUSHED, ["apps/web/main.ts", "README.md"]) is None
    assert refusal(rules, PUSHED, ["docs/a", "docs/b", "apps/web/x.md", "docs/c"]) == Refusal(
        reason=Reason.PATHS_UNCHANGED,
        detail="none of `paths` fits what has changed: apps/web/x.md, docs/a, docs/b and 1 more",
    )
    assert refusal(rules, PUSHED, []) == Refusal(
        reason=Reason.PATHS_UNCHANGED, detail="none of `paths` fits what has changed: nothing"
    )


def test_where_nothing_can_be_compared_every_path_has_changed() -> None:
    assert refusal(Rules(paths=("apps/web",)), PUSHED, None) is None


def test_a_person_who_asks_is_stopped_by_a_lock_only() -> None:
    strict = Rules(mode=Mode.MANUAL, branches=("main",), paths=("x",))

    assert refusal(strict, ASKED, ["y"]) is None
    locked = refusal(Rules(locked="moving house"), ASKED)
    assert locked is not None
    assert locked.reason is Reason.LOCKED


def test_of_several_rules_the_first_in_their_order_is_told() -> None:
    rules = Rules(mode=Mode.MANUAL, branches=("main",), drafts=False)

    found = refusal(rules, pull(draft=True), [])

    assert found is not None
    assert found.reason is Reason.BRANCH_NOT_WANTED
