"""How children are confined on this machine: made once from the level that was reached.

Every child that runs other people's code goes through `Confinement.command` and is started by
`bot.subhosting.host.child.start_child`: instances, `deno install`, and what builds run.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bot.subhosting.sandbox import system_files
from bot.subhosting.sandbox.bubblewrap import Bubblewrap
from bot.subhosting.sandbox.cgroups import Cgroups
from bot.subhosting.sandbox.landlock import Ruleset
from bot.subhosting.sandbox.level import Level
from bot.subhosting.sandbox.network import ServeInside
from bot.subhosting.sandbox.user_ids import UserIds
from bot.subhosting.sandbox.view import Network, ProcessLimits, View

# Where apps connect to outside, by TCP: the web, mail, the usual databases and queues. Landlock
# knows ports and no addresses, and allows what is listed; all 65,000 would cost 18 ms and 4.5 MB
# for each start. What we listen on ourselves is not among them, or is taken out.
OUTSIDE_PORTS = (
    *(53, 80, 443, 465, 587, 853, 993, 1433, 1521, 2525, 3306, 4222, 5432, 5433, 5671, 5672),
    *(6379, 6380, 6432, 6543, 8443, 8883, 9042, 9092, 9093, 9200, 9243, 11211, 25060, 26257),
    *(27017, 27018, 27019),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """The view's files, put right before the child starts: `owned` are made and are its own.

    Without a user id they are this process's own; with one, the child's, who may read `shown`.
    """

    uid: int | None = None
    owned: tuple[Path, ...] = ()
    shown: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A child that is ready to be started, with all that holds it; `start_child` does it."""

    argv: tuple[str, ...]
    environment: Mapping[str, str]
    limits: ProcessLimits
    level: Level
    # What the starting thread is held to, by this version of Landlock, and the child with it.
    ruleset: Ruleset | None = None
    landlock: int = 0
    seccomp: bytes | None = None
    # Whether `argv` is bubblewrap's, which tells the child's pid and holds it until told.
    bubblewrapped: bool = False
    files: Files = field(default_factory=Files)
    cgroups: Cgroups | None = None
    # Whether it begins in its control group, or is moved there while it loads.
    waits_for_group: bool = True
    # Whose it is, and which ports are opened inside its own network, if it has one.
    owner: str = ""
    inside_ports: tuple[int, ...] = ()
    serve_inside: ServeInside | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Confinement:
    """The way in which children are confined here."""

    level: Level = Level.L0
    # Put before every command so that the child dies with us and gains no privilege; empty where
    # no such program is.
    launcher: tuple[str, ...] = ()
    # The version of Landlock; 0 is none.
    landlock: int = 0
    seccomp: bytes | None = None
    bubblewrap: Bubblewrap | None = None
    user_ids: UserIds | None = None
    cgroups: Cgroups | None = None
    ports: tuple[int, ...] = OUTSIDE_PORTS
    # Who serves what children with a network of their own connect to (L3).
    serve_inside: ServeInside | None = field(default=None, compare=False)

    @property
    def own_network(self) -> bool:
        """Whether every child has a network of its own."""
        return self.level >= Level.L3

    def command(self, argv: Sequence[str], view: View, environment: Mapping[str, str]) -> Command:
        """Return `argv` confined to `view`; `environment` becomes the child's whole environment.

        Secrets belong into the environment and never into `argv`, which everybody can read.
        """
        files = self._files(view)
        wrapped = self.bubblewrap is not None and self.level >= Level.L2
        return Command(
            argv=self.bubblewrap.argv(argv, view, files.uid)
            if self.bubblewrap is not None and wrapped
            else (*self.launcher, *argv),
            environment=environment,
            limits=view.limits,
            level=self.level,
            ruleset=self._ruleset(view, wrapped=wrapped) if self.level >= Level.L1 else None,
            landlock=self.landlock,
            seccomp=self.seccomp if self.level >= Level.L1 else None,
            bubblewrapped=wrapped,
            files=files,
            cgroups=self.cgroups,
            # Deno needs 15 ms to come to an app's first line, and an app starts no processes.
            waits_for_group=view.system_programs,
            owner=view.owner,
            inside_ports=view.loopback_ports if self.own_network else (),
            serve_inside=self.serve_inside,
        )

    def _files(self, view: View) -> Files:
        uid = None if self.user_ids is None else self.user_ids.of(view.owner, view.writable)
        return Files(uid=uid, owned=view.writable, shown=(*view.readable, *view.sockets))

    def _ruleset(self, view: View, *, wrapped: bool) -> Ruleset | None:
        if not self.landlock:
            return None
        ports = self.ports if view.network is Network.OUTSIDE else ()
        ports = (*ports, *view.loopback_ports)
        if wrapped:
            # bubblewrap mounts, which a thread held to files may not.
            # In a network of its own a child listens and connects as it likes.
            return Ruleset(files=False, connect_ports=None if self.own_network else ports)
        programs = system_files.PROGRAMS if view.system_programs else ()
        launcher = (Path(self.launcher[0]),) if self.launcher else ()
        return Ruleset(
            readable=(
                *view.readable,
                *view.sockets,
                *system_files.LIBRARIES,
                *system_files.SETTINGS,
                *system_files.READABLE_DEVICES,
            ),
            writable=(*view.writable, *system_files.WRITABLE_DEVICES),
            executable=(*launcher, *view.executables, *system_files.LOADERS, *programs),
            connect_ports=ports,
        )
