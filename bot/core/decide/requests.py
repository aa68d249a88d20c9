"""From a comment or a button to the same request."""

from typing import assert_never

from bot.core.decide.grammar import parse
from bot.core.model.checks import Button
from bot.core.model.commands import Command, Misunderstood, Request, Verb
from bot.core.model.events import (
    CheckActionRequested,
    CheckRerequested,
    CheckSuiteRerequested,
    CommentWritten,
)
from bot.core.model.ids import AppName
from bot.core.model.preview import Deployment

Asked = CommentWritten | CheckRerequested | CheckActionRequested | CheckSuiteRerequested


def request_of(event: Asked, attempt: Deployment | None) -> Request | Misunderstood | None:
    """Return what is asked for; None when it is not for us.

    `attempt` is the one on whose check the button stood. *Re-run* is there on every check, and
    means what *Redeploy* does.
    """
    match event:
        case CommentWritten():
            command = parse(event.text)
            if isinstance(command, Command):
                return Request(
                    repository=event.repository,
                    command=command,
                    by=event.author,
                    comment=event.comment,
                    pull=event.pull,
                )
            return command
        case CheckActionRequested():
            app = None if attempt is None else attempt.preview.app
            pressed = _pressed(event.action, event.head, app)
            if attempt is None or pressed is None:
                return None
            return Request(repository=event.repository, command=pressed, by=event.sender)
        case CheckRerequested() | CheckSuiteRerequested():
            if attempt is None:
                return None
            whole = isinstance(event, CheckSuiteRerequested)
            again = Command(verb=Verb.REDEPLOY, app=None if whole else attempt.preview.app)
            return Request(repository=event.repository, command=again, by=event.sender)
        case _:
            assert_never(event)


def _pressed(action: str, head: str, app: AppName | None) -> Command | None:
    """Return what a button means; an approval is of the very commit that it stood on."""
    if action not in set(Button):
        return None
    button = Button(action)
    match button:
        case Button.APPROVE:
            return Command(verb=Verb.APPROVE, to=head)
        case Button.REDEPLOY | Button.RETRY:
            return Command(verb=Verb.REDEPLOY, app=app)
        case Button.DESTROY:
            return Command(verb=Verb.DESTROY, app=app)
        case Button.ROLLBACK:
            return Command(verb=Verb.ROLLBACK, app=app)
        case _:
            assert_never(button)
