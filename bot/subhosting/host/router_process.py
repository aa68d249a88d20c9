"""A router in a process of its own: `python -m bot.subhosting.host.router_process`.

Arguments: the numbers of an inherited listening socket and of a socket to the supervisor, the pid
of the host. It knows routes as it is told them, and asks for everything else. It imports no
database: about 20 MB for each router.
"""

import asyncio
import logging
import signal
import socket
import sys
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import uvloop

from bot.kernel.processes import die_with_parent
from bot.subhosting.build.site import Site
from bot.subhosting.host import router_wire
from bot.subhosting.host.live import LastWords, NoInstance
from bot.subhosting.host.router import Router
from bot.subhosting.host.router_wire import Message, Wire
from bot.subhosting.host.routes import Routes
from bot.subhosting.host.traffic import Tally
from bot.subhosting.host.visitor import VisitorConnection
from bot.subhosting.store.records import InstanceKey

LOG = logging.getLogger(__name__)

# How old the supervisor's knowledge of our requests may be: it rests instances after minutes.
_REPORT_EVERY = timedelta(seconds=1)

_AWAY = NoInstance(reason="the server is restarting", status=503)


@dataclass(eq=False, slots=True)
class LentInstance:
    """An instance of the supervisor's that we send requests to, until it is asked back."""

    number: int
    socket: Path
    wire: Wire
    draining: bool = False
    active: int = 0
    used: bool = False

    def begin_request(self) -> None:
        """Count a request that goes there."""
        self.active += 1
        self.used = True

    def end_request(self) -> None:
        """Count it as over."""
        self.active -= 1
        self.give_back()

    def give_back(self) -> None:
        """Tell that no request is in flight, if one was waited for."""
        if self.draining and not self.active:
            self.wire.say({"op": "idle", "instance": self.number})

    async def last_words(self, within_s: float) -> LastWords:
        """Return how it ended, after at most `within_s` in case that shows only now."""
        said = await self.wire.ask({"op": "words", "instance": self.number, "within_s": within_s})
        log = tuple((level, text) for level, text in said.get("log", ()))
        return LastWords(ending=said.get("ending"), log=log)


@dataclass(slots=True)
class LentInstances:
    """What the supervisor has lent us; it is asked for each new connection to an instance."""

    wire: Wire
    known: dict[int, LentInstance] = field(default_factory=dict)
    sites: dict[int, Site] = field(default_factory=dict)

    def live(self, _key: InstanceKey) -> LentInstance | Site | None:
        """Return nothing: only the supervisor knows."""
        return None

    async def wake(self, key: InstanceKey) -> LentInstance | Site | NoInstance:
        """Return what takes requests, started if need be."""
        # Files that vanished show here first; the supervisor has them put in place again.
        lost = [number for number, site in self.sites.items() if site.draining]
        for number in lost:
            del self.sites[number]
        found = await self.wire.ask(
            {
                "op": "wake",
                **router_wire.key_document(key),
                "sites": list(self.sites),
                "lost_sites": lost,
            }
        )
        match found.get("kind"):
            case "instance":
                number = found["instance"]
                fresh = LentInstance(number, Path(found["socket"]), self.wire)
                return self.known.setdefault(number, fresh)
            case "site":
                if "site" in found:
                    self.sites[found["number"]] = router_wire.site_from(found["site"])
                return self.sites[found["number"]]
            case "none":
                return router_wire.none_from(found)
            case _:
                return _AWAY

    def recall(self, number: int) -> None:
        """Send no more requests to an instance, and tell when none is in flight."""
        lent = self.known.pop(number, None)
        if lent is None:
            self.wire.say({"op": "idle", "instance": number})
            return
        lent.draining = True
        lent.give_back()

    def forget_site(self, number: int) -> None:
        """Have kept connections ask again."""
        if (found := self.sites.pop(number, None)) is not None:
            found.draining = True


class RouterProcess:
    """One router, told and asked over a wire."""

    def __init__(self, wire: Wire) -> None:
        """Know nothing yet."""
        self._wire = wire
        self._routes = Routes()
        self._instances = LentInstances(wire)
        self._tally = Tally()
        self._router: Router | None = None
        self._begun = asyncio.Event()
        self._told_to_drain = asyncio.Event()

    async def run(self, listener: socket.socket) -> None:
        """Route until the supervisor says to drain, or is gone."""
        loop = asyncio.get_running_loop()
        hearing = asyncio.create_task(self._wire.listen(self._heard))
        await self._begun.wait()
        router = self._router
        if router is None:
            return
        listener.settimeout(0)
        server = await loop.create_server(lambda: VisitorConnection(router), sock=listener)
        self._wire.say({"op": "ready"})
        reporting = asyncio.create_task(self._keep_reporting())
        draining = asyncio.create_task(self._told_to_drain.wait())
        await asyncio.wait({hearing, draining}, return_when=asyncio.FIRST_COMPLETED)
        reporting.cancel()
        server.close()
        if not hearing.done():
            await router.drain()
            self._report()
            self._wire.close()

    def _heard(self, message: Message) -> None:
        match message["op"]:
            case "begin":
                config = router_wire.config_from(message["config"])
                self._router = Router(config, self._routes, self._instances, self._tally)
                self._routes.replace(map(router_wire.binding_from, message["bindings"]))
                self._begun.set()
            case "routes":
                self._routes.remove(message["removed"])
                self._routes.put(map(router_wire.binding_from, message["bindings"]))
                self._wire.answer(message, {})
            case "recall":
                self._instances.recall(message["instance"])
            case "forget-site":
                self._instances.forget_site(message["number"])
            case "drain":
                self._told_to_drain.set()
            case other:
                LOG.warning("message_unknown op=%r", other)

    async def _keep_reporting(self) -> None:
        while True:
            await asyncio.sleep(_REPORT_EVERY.total_seconds())
            self._report()

    def _report(self) -> None:
        """Tell what was counted, and which instances have requests or had some."""
        used = {
            key: [usage.requests, usage.ingress_bytes, usage.egress_bytes]
            for key, usage in self._tally.take().items()
        }
        active = {}
        for lent in self._instances.known.values():
            if lent.used:
                active[str(lent.number)] = lent.active
                lent.used = lent.active > 0
        if used or active:
            self._wire.say({"op": "report", "used": used, "active": active})


async def _serve(listener: socket.socket, link: socket.socket) -> None:
    reader, writer = await asyncio.open_unix_connection(
        sock=link, limit=router_wire.MAX_LINE_BYTES
    )
    await RouterProcess(Wire(reader, writer)).run(listener)


def main() -> None:
    """Serve what the arguments say."""
    listener, link, parent = map(int, sys.argv[1:])
    die_with_parent(parent, signal.SIGKILL)
    # A terminal's Ctrl-C reaches us as well, but when to stop is the supervisor's to say.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
    uvloop.run(_serve(socket.socket(fileno=listener), socket.socket(fileno=link)))


if __name__ == "__main__":
    main()
