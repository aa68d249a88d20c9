"""The answer to a request, whatever it is."""

from dataclasses import dataclass
from typing import Self

from bot.core.decide.grammar import PREFIX
from bot.core.model.commands import Reaction, Reply, Request, Said
from bot.core.model.decisions import Answer, Decision, Intent, Reason
from bot.core.model.events import CommentWritten
from bot.core.model.ids import CommentId, PullNumber, Repository
from bot.core.model.lines import Line, PullLine
from bot.core.model.snapshot import Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Answering:
    """Whom to answer, and where."""

    request: Request
    pull: PullNumber | None
    line: Line | None

    @classmethod
    def of(cls, request: Request, snapshot: Snapshot) -> Self:
        """Return where `request` is answered: where it was made, else on its pull request."""
        return cls(request=request, pull=request.pull or _pull_of(snapshot), line=snapshot.line)

    def no(self, reason: Reason, because: str, *, copy: str | None = None) -> Decision:
        """Refuse, and say why; `copy` is what to say instead."""
        told = self._answer(Reaction.REFUSED, Said(text=because, copy=copy))
        return Decision(reason=reason, detail=f"{self._asked}: {because}", intents=(told,))

    def told(self, reply: Reply) -> Decision:
        """Answer a question."""
        told = self._answer(Reaction.DONE, reply)
        return Decision(reason=Reason.COMMAND, detail=self._asked, intents=(told,))

    def done(self, reason: Reason, detail: str, *intents: Intent, begun: bool = False) -> Decision:
        """Obey; `begun`: the check will tell how it ends."""
        told = self._answer(Reaction.BEGUN if begun else Reaction.DONE, None)
        return Decision(reason=reason, detail=f"{self._asked}: {detail}", intents=(*intents, told))

    @property
    def _asked(self) -> str:
        return f"{self.request.by} asked for {self.request.command.verb}"

    def _answer(self, reaction: Reaction, reply: Reply | None) -> Answer:
        return answer(
            self.request.repository,
            pull=self.pull,
            comment=self.request.comment,
            command=f"{PREFIX} {self.request.command.verb}",
            line=self.line,
            reaction=reaction,
            reply=reply,
        )


def answer(  # noqa: PLR0913 - the parts of an answer
    repository: Repository,
    *,
    pull: PullNumber | None,
    comment: CommentId | None,
    command: str,
    line: Line | None,
    reaction: Reaction,
    reply: Reply | None,
) -> Answer:
    """Return the intent to answer."""
    return Answer(
        repository=repository,
        pull=pull,
        comment=comment,
        command=command,
        line=line,
        reaction=reaction,
        reply=reply,
    )


def declined(event: CommentWritten, reply: Said) -> Answer:
    """Return the answer to a command about which nothing can be looked up."""
    return answer(
        event.repository,
        pull=event.pull,
        comment=event.comment,
        command=event.text,
        line=None,
        reaction=Reaction.REFUSED,
        reply=reply,
    )


def _pull_of(snapshot: Snapshot) -> PullNumber | None:
    if snapshot.pull is not None:
        return snapshot.pull.number
    if isinstance(snapshot.line, PullLine):
        return snapshot.line.pull
    return snapshot.pulls[0].number if snapshot.pulls else None
