"""What is replied to a command, in Markdown."""

import re
from collections.abc import Sequence

from bot.core.model.commands import NEEDED, Said, Verb
from bot.core.render import comments, markdown
from bot.core.render.comments import Row

_DOES = {
    Verb.HELP: "this table",
    Verb.STATUS: "how the previews of this pull request stand",
    Verb.DEPLOY: "deploy the head, whatever the rules say",
    Verb.REDEPLOY: "deploy the head once more, even if it is live",
    Verb.CANCEL: "give up what is being deployed; what is live goes on",
    Verb.DESTROY: "remove the preview, until the next commit or `deploy`",
    Verb.APPROVE: "let one commit of a fork run, by its full id",
    Verb.ROLLBACK: "serve the deployment before again, or the one of a commit",
    Verb.PROMOTE: "run what the preview runs in production",
}
_TAKES = {
    Verb.HELP: "",
    Verb.STATUS: "",
    Verb.APPROVE: " COMMIT",
    Verb.ROLLBACK: " [APP] [NUMBER or COMMIT]",
}

_PRODUCTION = (
    "With `production` in place of an app, or `production/APP` for one, a command is about what is"
    " in production, and takes the maintain role: `/preview rollback production`."
)
_ELSE = "The buttons on the checks do the same. Edited comments are not read again."

_UNSAFE = re.compile(r"[^A-Za-z0-9/_.-]")

MAX_CHARS = 1_000


def marker(key: str) -> str:
    """Return what a reply begins with, by which it is known again; it is not shown."""
    return f"<!-- previewbot answers {_UNSAFE.sub('-', key)} -->"


def said(command: str, reply: Said) -> str:
    """Return an answer: the command, a sentence, and a comment to copy if there is one."""
    words = markdown.inline(_capital(reply.text), max_chars=MAX_CHARS)
    if not reply.text.endswith("?"):
        words += "." if reply.copy is None else ":"
    text = f"{markdown.code(command)}: {words}" if command else words
    return text if reply.copy is None else f"{text}\n\n{markdown.fence(reply.copy)}"


def help_text() -> str:
    """Return the table of commands."""
    rows = [
        f"| `/preview {verb}{_TAKES.get(verb, ' [APP]')}` | {_DOES[verb]} |"
        f" {NEEDED[verb].name.lower()} |"
        for verb in Verb
    ]
    table = "\n".join(["| comment | does | role |", "|---|---|---|", *rows])
    return f"{table}\n\n{_PRODUCTION}\n\n{_ELSE}"


def status(rows: Sequence[Row]) -> str:
    """Return how the previews stand."""
    return comments.table(rows) if rows else "There is no preview yet."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
