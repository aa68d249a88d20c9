"""Routers in processes of their own, as the supervisor sees them: started, told, answered.

They share one port by SO_REUSEPORT. The sockets are ours, so a router that dies leaves its
connections to be accepted by the next one.
"""

import asyncio
import logging
import os
import socket
import sys
from collections.abc import Coroutine, Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from bot.kernel.processes import built_environment
from bot.subhosting.build.site import Site
from bot.subhosting.host import router_wire
from bot.subhosting.host.instance import Instance
from bot.subhosting.host.live import NoInstance
from bot.subhosting.host.router_wire import Message, Wire
from bot.subhosting.host.routes import Routes
from bot.subhosting.host.supervisor import Supervisor
from bot.subhosting.host.traffic import Tally
from bot.subhosting.router_config import RouterConfig
from bot.subhosting.store.records import BindingRecord
from bot.subhosting.store.usage import Usage

LOG = logging.getLogger(__name__)

# A router that hangs must not hold up whoever moves a host.
_ANSWER_WITHIN_S = 2.0
# Beyond the time that requests get to end.
_EXIT_WITHIN_S = 2.0
_RESTART_AFTER_S = 0.1


@dataclass(eq=False, slots=True)
class Loan:
    """An instance in the hands of one router; it holds the instance's end back when recalled."""

    instance: Instance
    number: int
    wire: Wire
    active: int = 0
    recalled: bool = False
    over: bool = False

    def recall(self) -> None:
        """Ask the router to send no more requests, and wait for those in flight."""
        if not self.recalled and not self.over:
            self.recalled = True
            self.instance.begin_request()
            self.wire.say({"op": "recall", "instance": self.number})

    def end(self) -> None:
        """Hear that no request is in flight there any more."""
        if not self.over:
            self.over = True
            self.active = 0
            self.instance.loans.discard(self)
            if self.recalled:
                self.instance.end_request()


@dataclass(eq=False, slots=True)
class Routing:
    """One router: its process and what it was lent."""

    supervisor: Supervisor
    tally: Tally
    process: asyncio.subprocess.Process
    wire: Wire
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    loans: dict[int, Loan] = field(default_factory=dict)
    by_instance: dict[Instance, Loan] = field(default_factory=dict)
    sites: dict[int, Site] = field(default_factory=dict)
    number: int = 0
    tasks: set["asyncio.Task[None]"] = field(default_factory=set)

    async def run(self) -> None:
        """Answer until it is gone, and take back what it was lent."""
        try:
            await self.wire.listen(self._heard)
        finally:
            for loan in list(self.loans.values()):
                loan.end()
            self.ready.set()

    def _heard(self, message: Message) -> None:
        match message["op"]:
            case "ready":
                self.ready.set()
            case "wake":
                self._in_background(self._wake(message))
            case "words":
                self._in_background(self._words(message))
            case "idle":
                if (loan := self.loans.pop(message["instance"], None)) is not None:
                    self.by_instance.pop(loan.instance, None)
                    loan.end()
            case "report":
                self._reported(message)
            case other:
                LOG.warning("message_unknown op=%r", other)

    async def _wake(self, question: Message) -> None:
        for number in question["lost_sites"]:
            if (lost := self.sites.pop(number, None)) is not None:
                lost.draining = True
        found = await self.supervisor.wake(router_wire.key_from(question))
        if isinstance(found, NoInstance):
            answer = {"kind": "none", **router_wire.none_document(found)}
        elif isinstance(found, Site):
            answer = self._site(found, set(question["sites"]))
        else:
            number = self._lend(found).number
            answer = {"kind": "instance", "instance": number, "socket": str(found.socket)}
        self.wire.answer(question, answer)

    def _lend(self, instance: Instance) -> Loan:
        loan = self.by_instance.get(instance)
        if loan is None:
            self.number += 1
            loan = Loan(instance, self.number, self.wire)
            self.loans[self.number] = self.by_instance[instance] = loan
            instance.loans.add(loan)
        return loan

    def _site(self, found: Site, known: set[int]) -> Message:
        """Return a site, with its listing if the router has not seen it; forget what is gone."""
        for number, site in list(self.sites.items()):
            if site.draining:
                del self.sites[number]
                self.wire.say({"op": "forget-site", "number": number})
        for number, site in self.sites.items():
            if site is found and number in known:
                return {"kind": "site", "number": number}
        self.number += 1
        self.sites[self.number] = found
        return {"kind": "site", "number": self.number, "site": router_wire.site_document(found)}

    async def _words(self, question: Message) -> None:
        loan = self.loans.get(question["instance"])
        if loan is None:
            self.wire.answer(question, {})
            return
        words = await loan.instance.last_words(question["within_s"])
        self.wire.answer(question, {"ending": words.ending, "log": list(words.log)})

    def _reported(self, message: Message) -> None:
        for deployment_id, (requests, ingress, egress) in message["used"].items():
            self.tally.of(deployment_id).add(
                Usage(requests=requests, ingress_bytes=ingress, egress_bytes=egress)
            )
        for number, active in message["active"].items():
            if (loan := self.loans.get(int(number))) is not None:
                loan.active = active
                loan.instance.was_used()

    def _in_background(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)


class Crew:
    """All routers of a host that are processes of their own."""

    def __init__(
        self, config: RouterConfig, routes: Routes, supervisor: Supervisor, tally: Tally
    ) -> None:
        """Begin with none."""
        self._config = config
        self._routes = routes
        self._supervisor = supervisor
        self._tally = tally
        self._routers: set[Routing] = set()
        self._keepers: list[asyncio.Task[None]] = []
        self._sockets: list[socket.socket] = []
        self._closing = False

    async def start(self, listener: socket.socket, count: int) -> None:
        """Start `count` routers on the port of `listener`; return when all of them route."""
        self._sockets = [_one_more(listener) for _ in range(count - 1)]
        started = [asyncio.Event() for _ in range(count)]
        self._keepers = [
            asyncio.create_task(self._keep(each, event))
            for each, event in zip([listener, *self._sockets], started, strict=True)
        ]
        await asyncio.gather(*(event.wait() for event in started))

    async def changed(self, bindings: Iterable[BindingRecord], removed: Iterable[str]) -> None:
        """Tell all routers; return when they know."""
        message = {
            "op": "routes",
            "bindings": [router_wire.binding_document(each) for each in bindings],
            "removed": list(removed),
        }
        answers = [router.wire.ask(message) for router in self._routers]
        if answers:
            await asyncio.wait(answers, timeout=_ANSWER_WITHIN_S)

    def shut(self) -> None:
        """Let nobody in any more, and begin to drain."""
        self._closing = True
        for router in self._routers:
            router.wire.say({"op": "drain"})

    async def drain(self) -> None:
        """Let requests in flight end within the time for it, and end all routers."""
        within_s = self._config.drain.total_seconds() + _EXIT_WITHIN_S
        if self._keepers:
            await asyncio.wait(self._keepers, timeout=within_s)
        for router in list(self._routers):
            with suppress(ProcessLookupError):
                router.process.kill()
        await asyncio.gather(*self._keepers)
        for each in self._sockets:
            each.close()

    async def _keep(self, listener: socket.socket, started: asyncio.Event) -> None:
        """Run a router, and another one whenever it ends."""
        while not self._closing:
            router = await self._started(listener)
            self._routers.add(router)
            running = asyncio.create_task(router.run())
            await router.ready.wait()
            started.set()
            code = await router.process.wait()
            await running
            self._routers.discard(router)
            if not self._closing:
                LOG.error("router_ended pid=%d code=%d", router.process.pid, code)
                await asyncio.sleep(_RESTART_AFTER_S)

    async def _started(self, listener: socket.socket) -> Routing:
        ours, theirs = socket.socketpair()
        with theirs:
            descriptors = (listener.fileno(), theirs.fileno())
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bot.subhosting.host.router_process",
                *map(str, descriptors), str(os.getpid()),
                stdin=asyncio.subprocess.DEVNULL,
                env=built_environment(),
                pass_fds=descriptors,
            )  # fmt: skip
        reader, writer = await asyncio.open_unix_connection(
            sock=ours, limit=router_wire.MAX_LINE_BYTES
        )
        wire = Wire(reader, writer)
        # From here on it also hears of every change, in the order in which they come.
        wire.say(
            {
                "op": "begin",
                "config": router_wire.config_document(self._config),
                "bindings": [router_wire.binding_document(each) for each in self._routes.all()],
            }
        )
        return Routing(self._supervisor, self._tally, process, wire)


def _one_more(listener: socket.socket) -> socket.socket:
    """Return another socket on the port of `listener`, or that one again.

    Routers can also accept from one socket, only less evenly; the port is shared if whoever bound
    it allowed that.
    """
    another = socket.socket(listener.family, listener.type)
    another.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    another.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        another.bind(listener.getsockname())
        another.listen(1024)
    except OSError:
        LOG.warning("port_not_shared port=%d", listener.getsockname()[1])
        another.close()
        return listener.dup()
    return another
