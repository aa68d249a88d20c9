"""Our router in front of one socket, without a supervisor: `python benchmarks/router/served.py`.

Arguments: the port to listen on, the instance's unix socket, the host that leads there. Prints
`ready`. The code on a request's way is the product's; only who is asked for instances is not.
"""

import asyncio
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

import uvloop

from bot.subhosting.host.live import LastWords
from bot.subhosting.host.router import Router
from bot.subhosting.host.routes import Routes
from bot.subhosting.host.traffic import Tally
from bot.subhosting.host.visitor import VisitorConnection
from bot.subhosting.router_config import RouterConfig
from bot.subhosting.store.records import BindingRecord, InstanceKey


@dataclass(slots=True)
class OneInstance:
    """What is always there."""

    socket: Path
    draining: bool = False
    active: int = 0

    def live(self, _key: InstanceKey) -> "OneInstance":
        """Return itself."""
        return self

    async def wake(self, _key: InstanceKey) -> "OneInstance":
        """Return itself."""
        return self

    def begin_request(self) -> None:
        """Count, as the supervisor's does."""
        self.active += 1

    def end_request(self) -> None:
        """Count, as the supervisor's does."""
        self.active -= 1

    async def last_words(self, _within_s: float) -> LastWords:
        """Say nothing."""
        return LastWords(ending=None)


async def serve(port: int, instance: OneInstance, host: str) -> None:
    """Route until killed."""
    routes = Routes()
    binding = BindingRecord(
        host=host, deployment_id="bench", revision="0" * 40, request_timeout=None
    )
    routes.put([binding])
    router = Router(RouterConfig(), routes, instance, Tally())
    listener = socket.create_server(("127.0.0.1", port), backlog=512)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: VisitorConnection(router), sock=listener)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await server.serve_forever()


def main() -> None:
    """Serve what the arguments say."""
    port, path, host = sys.argv[1:]
    uvloop.run(serve(int(port), OneInstance(Path(path)), host))


if __name__ == "__main__":
    main()
