"""What is left on the target when a line is gone."""

import pytest

from bot.adapters.engine.memory import MemoryJournal
from bot.core.decide.names import project_of
from bot.core.model.decisions import BuryPreviews, Decision, Intent, Reason, StartDeployment
from bot.core.model.ids import AppName, AppSlug, BlobSha, Branch, CommitSha, PullNumber
from bot.core.model.lines import BranchLine, Line, PullLine
from bot.pipeline.perform import perform
from tests.pipeline.bot_in_memory import REPOSITORY, BotInMemory


@pytest.mark.parametrize(
    ("line", "stays"), [(BranchLine(Branch("main")), True), (PullLine(PullNumber(7)), False)]
)
def test_a_forks_project_goes_with_its_preview_and_a_branchs_stays(
    line: Line,
    stays: bool,  # noqa: FBT001
) -> None:
    bot = BotInMemory()
    project = project_of(AppSlug("hello"), REPOSITORY, line)
    start = StartDeployment(
        repository=REPOSITORY, line=line, app=AppName(""), head=CommitSha("a" * 40)
    )
    perform_one(bot, start)
    bot.target.blobs[project] = {BlobSha("b" * 40): b""}

    perform_one(bot, BuryPreviews(repository=REPOSITORY, line=line, because="it is gone"))

    assert (project in bot.target.blobs) == stays


def perform_one(bot: BotInMemory, intent: Intent) -> None:
    key = bot.deliver(bot.push("elsewhere"))
    decision = Decision(reason=Reason.DEPLOY, detail="", intents=(intent,))
    perform(decision, key, bot.services(), MemoryJournal(bot.clock))
