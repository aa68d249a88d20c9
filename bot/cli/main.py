"""The command line's door: finds the command's module and imports nothing else.

`previewbot hook` runs inside every `git push` and `previewbot deploy` inside workflows; neither
may wait for Flask, SQLAlchemy or the engine to be imported for some other command.
"""

import gc
import importlib
import sys
from collections.abc import Sequence

from bot import __version__

# Command -> what it does, in the order in which people meet them.
COMMANDS = {
    "demo": "push to a local repository and watch its previews come up",
    "up": "run everything on this machine: receiver, worker, embedded platform",
    "deploy": "deploy a directory and print its URL",
    "repository": "make or list git repositories of our own, for use without GitHub",
    "config": "check a repository's configuration file, or print its schema",
    "env": "keep, forget or list variables of a repository's deployments",
    "previews": "list previews, or show one with its checks",
    "setup": "show the GitHub App that was made for this installation, or forget it",
    "explain": "say what a webhook delivery led to, and why",
    "doctor": "say what this machine can do, what is missing, and what to do about it",
    "web": "run the webhook receiver and the pages alone",
    "worker": "run the durable worker alone",
    "subhosting": "run the embedded platform alone; its tokens and linked repositories",
    "migrate": "move an organization from a server of API v1 to one of API v2",
    "hook": "post a push to the receiver; called by git in local repositories",
}

USAGE_ERROR = 2

# New objects between two looks for garbage. Python's 700 is for small programs: with it an eighth
# of a process's start is spent looking through what imports made, which is never garbage.
OBJECTS_BETWEEN_LOOKS = 50_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the process's exit code."""
    if arguments is not None:
        return _run(list(arguments))
    gc.set_threshold(OBJECTS_BETWEEN_LOOKS)
    try:
        return _run(sys.argv[1:])
    finally:
        # Python would go through all that was imported once more: a third of a second for the
        # platform's API, in its worker as well.
        gc.freeze()


def _run(words: list[str]) -> int:
    if words[:1] in (["--version"], ["-V"]):
        print(f"previewbot {__version__}")
        return 0
    if not words or words[0] in {"-h", "--help", "help"}:
        print(_overview())
        return 0
    command = words[0]
    if command not in COMMANDS:
        print(f"previewbot: there is no command {command!r}\n\n{_overview()}", file=sys.stderr)
        return USAGE_ERROR
    module = importlib.import_module(f"bot.cli.{command}")
    code: int = module.run(words[1:])
    return code


def _overview() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {about}" for name, about in COMMANDS.items()]
    return "\n".join(["usage: previewbot COMMAND [--help] ...", "", *lines])
