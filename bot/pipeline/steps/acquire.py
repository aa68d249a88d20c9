"""Get the pushed commit."""

from bot.core.model.errors import CommitGone
from bot.core.model.outcomes import Failed
from bot.core.model.preview import Stage
from bot.pipeline.attempt import Attempt, Ended
from bot.pipeline.heads import head_now, overtaken
from bot.pipeline.patience import patiently


def acquire(attempt: Attempt) -> Ended | None:
    """Fetch the commit; return how the attempt ends if there is nothing to fetch."""
    services = attempt.services
    deployment = attempt.now()
    repository = deployment.preview.repository
    with attempt.stage(Stage.ACQUIRE) as note:
        try:
            patiently(attempt.journal, lambda: services.source.fetch(repository, deployment.head))
        except CommitGone as error:
            note.text = str(error)
            return _without_commit(attempt, error)
    return None


def _without_commit(attempt: Attempt, error: CommitGone) -> Ended:
    """Say what took the commit's place, if the branch moved on; else that it is gone."""
    deployment = attempt.now()
    preview = deployment.preview
    head = patiently(
        attempt.journal,
        lambda: head_now(preview.repository, preview.line, attempt.services),
    )
    if head != deployment.head:
        return overtaken(preview.line, head)
    return Failed(title="The commit no longer exists", explanation=str(error))
