"""What to do about an event whose facts the forge will not tell us: waiting would not help."""

from bot.core.decide.answering import declined
from bot.core.model.commands import Said
from bot.core.model.decisions import Answer, Decision, Reason
from bot.core.model.events import CommentWritten, Event


def refused(event: Event, problem: str) -> Decision:
    """Return the decision to do nothing; whoever commanded something is told why.

    `problem` is the refusal in plain text, with the right that is missing.
    """
    told: tuple[Answer, ...] = ()
    if isinstance(event, CommentWritten):
        told = (declined(event, Said(text=f"previewbot may not do that here: {problem}")),)
    return Decision(reason=Reason.FORGE_REFUSED, detail=problem, intents=told)
