"""What an attempt to escape is: data, and one rule by which every attempt is judged.

An attacker has won if, whatever its script says,

- the canary's text came out in its answer or in the build's log,
- a canary socket heard the attempt's id,
- a file or process with its id appeared outside,

or, where nothing outside could see it, if its script says `WON` itself.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum

from bot.subhosting.sandbox.level import Level

WON = "WON"

ALWAYS = Level.L0
# In place of a level: the attempt makes no sense there.
NOWHERE = None


class Language(Enum):
    """What a script is written in."""

    # The body of `async (w, id) => { ... }`; `w` is the world of `outside.py`.
    JAVASCRIPT = "js"
    # The assets of a deployment, as JSON.
    ASSETS = "assets"
    # For `sh`, with the world in its environment. For builds only.
    SHELL = "sh"


class Place(Enum):
    """Where other people's code runs."""

    # The app itself, behind Deno's permissions and what a level adds.
    APP = "app"
    # A command of its build, which may run programs: only the operating system can hold it.
    BUILD = "build"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt; `app` and `build` are the levels from which on it is held there.

    `gap` says in words what is left open below those levels. A gap is `shown` if the attempt
    succeeds there on every machine; what depends on the machine is not.
    """

    name: str
    script: str
    section: str = ""
    language: Language = Language.JAVASCRIPT
    app: Level | None = ALWAYS
    build: Level | None = Level.L1
    gap: str = ""
    shown: bool = True
    # It ends or blocks its process, so it gets one of its own.
    alone: bool = False

    @property
    def id(self) -> str:
        """A word that occurs nowhere else."""
        return "try-" + re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")

    def held_from(self, place: Place) -> Level | None:
        """Return the level from which on it must be held; None where it is not tried."""
        return self.app if place is Place.APP else self.build


def section(title: str, attempts: Iterable[Attempt]) -> list[Attempt]:
    """Return attempts as those of one section of the table."""
    return [replace(each, section=title) for each in attempts]
