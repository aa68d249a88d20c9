"""From the first line of a comment to a command."""

import difflib
import re
import shlex

from bot.core.model.commands import Command, Misunderstood, Verb
from bot.core.model.ids import AppName

PREFIX = "/preview"

# A command is a few words; the rest of a longer line would only be carried about.
MAX_CHARS = 500

_VERBS = [str(verb) for verb in Verb]
_COMMIT = re.compile(r"[0-9a-f]{7,64}", re.IGNORECASE)
_STEPS = re.compile(r"[1-9][0-9]{0,2}")

# "production", or "production/docs" for one app: as its check is called.
_PRODUCTION = re.compile(r"production(?:/(.+))?", re.IGNORECASE)
_ABOUT_PREVIEWS = {Verb.HELP, Verb.APPROVE}


def may_be_command(line: str) -> bool:
    """Tell whether a comment's first line speaks to us."""
    return bool(_words(line))


def parse(line: str) -> Command | Misunderstood | None:
    """Return what a comment's first line asks for; None when it does not speak to us.

    `/preview <verb> [app]`, in any letter case, in backticks or not; APPROVE and ROLLBACK take a
    commit, ROLLBACK also a number of deployments. `production` in place of an app means what is in
    production, `production/<app>` one app's. Without a verb it is HELP.
    """
    words = _words(line)
    if not words:
        return None
    if len(words) == 1:
        return Command(verb=Verb.HELP)
    said = words[1].lower()
    if said not in _VERBS:
        return _unknown(said, words[2:])
    return _with_arguments(Verb(said), words[2:])


def _words(line: str) -> list[str]:
    """Return the line's words if the first is ours."""
    plain = line.strip().strip("`").strip()[:MAX_CHARS]
    if not plain.lower().startswith(PREFIX):
        return []
    try:
        words = shlex.split(plain)
    except ValueError:  # a quote that is not closed: somebody's apostrophe
        words = plain.split()
    return words if words and words[0].lower() == PREFIX else []


def _unknown(said: str, rest: list[str]) -> Misunderstood:
    near = difflib.get_close_matches(said, _VERBS, n=1, cutoff=0.6)
    suggestion = " ".join([PREFIX, near[0], *rest]) if near else None
    return Misunderstood(problem=f"there is no command {said!r}", suggestion=suggestion)


def _with_arguments(verb: Verb, words: list[str]) -> Command | Misunderstood:
    to = [word for word in words if _is_goal(verb, word)]
    apps = [word for word in words if word not in to]
    if len(to) > 1 or len(apps) > 1:
        known = f"{PREFIX} {verb}" + (" [app] [commit]" if _takes_goal(verb) else " [app]")
        return Misunderstood(problem=f"too many words after {verb}; it is {known}")
    named = apps[0] if apps else None
    productive = None if named is None else _PRODUCTION.fullmatch(named)
    if productive is not None and verb not in _ABOUT_PREVIEWS:
        named = productive[1]
    return Command(
        verb=verb,
        app=None if named is None else AppName(named),
        # PROMOTE is about a preview; that it goes to production may be said.
        production=productive is not None and verb not in {*_ABOUT_PREVIEWS, Verb.PROMOTE},
        to=to[0].lower() if to else None,
    )


def _takes_goal(verb: Verb) -> bool:
    return verb in {Verb.APPROVE, Verb.ROLLBACK}


def _is_goal(verb: Verb, word: str) -> bool:
    if not _takes_goal(verb):
        return False
    steps = verb is Verb.ROLLBACK and _STEPS.fullmatch(word) is not None
    return steps or _COMMIT.fullmatch(word) is not None
