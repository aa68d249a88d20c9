"""For servers that ask at their start where they listen, as fastify does.

On a unix socket Deno's `node:http` answers null, and code that was written for TCP falls over it.
Such an app is told an address on TCP: on loopback, as otherwise it would go on to ask which
networks there are. Nobody else is told anything, as `node:http` in every app would double the time
of a start (docs/adr/0008).
"""

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote

# Beside a deployment's files, of one that has to be told.
MARK: Final = "told-its-address"

_SCRIPT: Final = """
import { Server } from "node:http";
const { address, listen } = Server.prototype;
const ports = new WeakMap();
Server.prototype.listen = function (...given) {
  const wanted = Number(given[0]?.port ?? given[0]);
  ports.set(this, Number.isInteger(wanted) && wanted > 0 ? wanted : 80);
  return listen.apply(this, given);
};
Server.prototype.address = function () {
  const port = ports.get(this);
  return address.call(this) ??
    (port === undefined ? null : { address: "127.0.0.1", family: "IPv4", port });
};
"""

# A module of its own, so that it needs no file and no permission.
PRELOAD: Final = f"data:text/javascript,{quote(_SCRIPT)}"

_MISSED: Final = re.compile(
    r"Cannot read properties of null \(reading '(?:address|port|family)'\)"
)


def was_missed(log: Iterable[tuple[str, str]]) -> bool:
    """Return whether an app that ended says, as (level, message), that it missed its address."""
    return any(_MISSED.search(message) for _, message in log)
