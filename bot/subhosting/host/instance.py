"""One Deno process of one deployment, from its start to its end."""

import asyncio
import contextlib
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

from typing_extensions import override

from bot.kernel.clock import Clock
from bot.subhosting.config import RuntimeLimits
from bot.subhosting.host.app_log import AppLog
from bot.subhosting.host.launcher import Nursery, restrict
from bot.subhosting.host.meter import Meter
from bot.subhosting.sandbox.argv import Sandbox, run_argv, run_environment

# How often a starting instance is looked at. A look costs 2 us as long as the socket is missing.
_LOOK_EVERY_S = 0.001
_LOOK_EVERY_LATER_S = 0.01
_LATER_S = 0.3

# Not HTTP, so Deno's server answers 400 by itself: proof that its event loop runs, without a
# request that the app would see. `node:http` does the same unless the app handles `clientError`.
_PROBE = b"?\r\n\r\n"
_PROBE_WITHIN_S = 0.5
# Then a request that the app does see.
_SECOND_PROBE = b"HEAD http://localhost/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"

# Deno ends at once on SIGTERM; what does not has this long until SIGKILL.
_TERMINATION_S = 2.0


@dataclass(frozen=True, slots=True)
class Serving:
    """The instance answers."""


@dataclass(frozen=True, slots=True)
class Exited:
    """The process ended before it answered; a negative code is the signal that ended it."""

    code: int


@dataclass(frozen=True, slots=True)
class NeverServed:
    """The time was over; the process has been killed."""


Boot = Serving | Exited | NeverServed


@dataclass(eq=False, slots=True)
class Instance:
    """A process that serves, or is about to."""

    deployment_id: str
    sandbox: Sandbox
    log: AppLog
    clock: Clock
    meter: Meter
    # Requests in flight, counted by the router.
    active: int = 0
    draining: bool = False
    # When its last request began or ended, by the monotonic clock.
    used_s: float = 0.0
    _transport: asyncio.SubprocessTransport | None = None
    _exited: "asyncio.Future[int]" = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )
    _drained: asyncio.Event = field(default_factory=asyncio.Event)
    _idle: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def socket(self) -> Path:
        """Where it listens."""
        return self.sandbox.socket

    @property
    def alive(self) -> bool:
        """Whether new requests may go there."""
        return self._transport is not None and not self._exited.done() and not self.draining

    @property
    def exit_code(self) -> int | None:
        """The code that it ended with, or None while it runs."""
        return self._exited.result() if self._exited.done() else None

    @contextmanager
    def serving_a_request(self) -> Iterator[None]:
        """Count a request in flight for the length of the block."""
        self.begin_request()
        try:
            yield
        finally:
            self.end_request()

    def begin_request(self) -> None:
        """Count a request that goes there."""
        self.active += 1
        self.used_s = self.clock.monotonic_s()
        self._idle.clear()

    def end_request(self) -> None:
        """Count it as over."""
        self.active -= 1
        self.used_s = self.clock.monotonic_s()
        if not self.active:
            self._idle.set()

    async def start(
        self, launcher: tuple[str, ...], limits: RuntimeLimits, nursery: Nursery
    ) -> None:
        """Start the process; must run in the event loop's thread, see `launcher`."""
        self._idle.set()
        loop = asyncio.get_running_loop()
        transport, _ = await loop.subprocess_exec(
            lambda: _Streams(self),
            *run_argv(self.sandbox, launcher),
            env=run_environment(self.sandbox),
            cwd=self.sandbox.source,
            stdin=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
        self._transport = transport
        pid = transport.get_pid()
        self.meter.begin(pid)
        restrict(pid, limits)
        nursery.add(pid, self.socket)
        self._exited.add_done_callback(lambda _: nursery.remove(pid))

    async def boot(self, within: timedelta) -> Boot:
        """Wait until it answers, ends, or the time is over."""
        probing = asyncio.ensure_future(self._answers())
        try:
            ends: set[asyncio.Future[Any]] = {probing, self._exited}
            await asyncio.wait(
                ends,
                timeout=within.total_seconds(),
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            probing.cancel()
        if self._exited.done():
            await self._all_output()
            return Exited(self._exited.result())
        if probing.done() and not probing.cancelled():
            return Serving()
        await self.kill()
        return NeverServed()

    async def stop(self, drain: timedelta) -> None:
        """Take no more requests, let those in flight end within `drain`, then end the process."""
        self.draining = True
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), drain.total_seconds())
        self._signal(signal.SIGTERM)
        await asyncio.wait({self._exited}, timeout=_TERMINATION_S)
        await self.kill()

    async def kill(self) -> None:
        """End the process now, and wait until it has ended."""
        self.draining = True
        self._signal(signal.SIGKILL)
        if self._transport is not None:
            await asyncio.wait({self._exited})
            await self._all_output()

    async def wait(self) -> int:
        """Wait for the end of the process and return its code."""
        return await asyncio.shield(self._exited)

    def ended(self, code: int) -> None:
        """Hear from the process's streams that it is over."""
        self.meter.end()
        if not self._exited.done():
            self._exited.set_result(code)

    def closed(self) -> None:
        """Hear that nothing more will be read from it."""
        self.log.close()
        self.socket.unlink(missing_ok=True)
        self._drained.set()

    async def _all_output(self) -> None:
        # The process is gone, so its pipes end at once, unless something else holds them.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._drained.wait(), 1.0)

    def _signal(self, number: signal.Signals) -> None:
        if self._transport is not None and not self._exited.done():
            with contextlib.suppress(ProcessLookupError):
                self._transport.send_signal(number)

    async def _answers(self) -> None:
        """Return as soon as the process answers anything."""
        started = self.clock.monotonic_s()
        probe, patience = _PROBE, _PROBE_WITHIN_S
        while True:
            if self.socket.exists():
                answer = await _asked(self.socket, probe, patience)
                if answer:
                    return
                if answer is None:
                    probe, patience = _SECOND_PROBE, 3600.0
            young = self.clock.monotonic_s() - started < _LATER_S
            await asyncio.sleep(_LOOK_EVERY_S if young else _LOOK_EVERY_LATER_S)


async def _asked(socket: Path, probe: bytes, patience_s: float) -> bytes | None:
    """Return the answer to `probe`: empty if the other side hung up, None if it kept silent."""
    try:
        reader, writer = await asyncio.open_unix_connection(str(socket))
    except OSError:
        return b""
    try:
        writer.write(probe)
        return await asyncio.wait_for(reader.read(64), patience_s)
    except TimeoutError:
        return None
    except OSError:
        return b""
    finally:
        writer.close()


class _Streams(asyncio.SubprocessProtocol):
    """What the event loop tells about the process."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._transport: asyncio.SubprocessTransport | None = None

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.SubprocessTransport", transport)

    @override
    def pipe_data_received(self, fd: int, data: bytes) -> None:
        self._instance.log.feed(fd, data)

    @override
    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        # Most likely it ends: the last chance to read what it used.
        self._instance.meter.look()

    @override
    def process_exited(self) -> None:
        code = self._transport.get_returncode() if self._transport is not None else None
        self._instance.ended(-1 if code is None else code)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._instance.closed()
