"""What to do about an event whose facts the forge will not tell us: waiting would not help."""

from bot.core.decide.answering import answer
from bot.core.model.commands import Reaction, Said
from bot.core.model.decisions import Answer, Decision, Reason
from bot.core.model.events import CommentWritten, Event


def refused(event: Event, problem: str) -> Decision:
    """Return the decision to do nothing; whoever commanded something is told why.

    `problem` is the refusal in plain text, with the right that is missing.
    """
    told: tuple[Answer, ...] = ()
    if isinstance(event, CommentWritten):
        told = (
            answer(
                event.repository,
                pull=event.pull,
                comment=event.comment,
                command=event.text,
                line=None,
                reaction=Reaction.REFUSED,
                reply=Said(text=f"previewbot may not do that here: {problem}"),
            ),
        )
    return Decision(reason=Reason.FORGE_REFUSED, detail=problem, intents=told)
