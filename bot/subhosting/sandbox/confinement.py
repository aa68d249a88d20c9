"""How children are confined on this machine: made once from the level that was reached.

Every child that runs other people's code goes through `Confinement.command` and is started by
`bot.subhosting.host.child.start_child`: instances, `deno install`, and what builds run.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

from bot.subhosting.sandbox.view import ProcessLimits, View


class Level(IntEnum):
    """How well a view is held; a level holds all that lower ones hold."""

    L0 = 0  # Deno's own permissions, resource limits
    L1 = 1  # Landlock, no_new_privs
    L2 = 2  # bubblewrap, seccomp, a user id of its own
    L3 = 3  # a network of its own

    @classmethod
    def named(cls, name: str) -> "Level":
        """Return the level called `name`, such as `L2`.

        Raises:
            ValueError: there is no such level.

        """
        try:
            return cls[name.upper()]
        except KeyError:
            raise ValueError(f"no isolation level {name!r}; there are L0, L1, L2 and L3") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A child that is ready to be started, with all that holds it; `start_child` does it."""

    argv: tuple[str, ...]
    environment: Mapping[str, str]
    limits: ProcessLimits
    level: Level


@dataclass(frozen=True, slots=True, kw_only=True)
class Confinement:
    """The way in which children are confined here."""

    level: Level = Level.L0
    # Put before every command so that the child dies with us; empty where no such program is.
    launcher: tuple[str, ...] = ()

    def command(self, argv: Sequence[str], view: View, environment: Mapping[str, str]) -> Command:
        """Return `argv` confined to `view`; `environment` becomes the child's whole environment.

        Secrets belong into the environment and never into `argv`, which everybody can read.
        """
        return Command(
            argv=(*self.launcher, *argv),
            environment=environment,
            limits=view.limits,
            level=self.level,
        )
