"""One Deno process of one deployment, from its start to its end."""

import asyncio
import contextlib
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

from bot.kernel.clock import Clock
from bot.subhosting.host.app_log import AppLog
from bot.subhosting.host.child import Child, start_child
from bot.subhosting.host.cron_link import CronLink
from bot.subhosting.host.endings import ending_of
from bot.subhosting.host.launcher import Nursery
from bot.subhosting.host.live import LastWords
from bot.subhosting.host.meter import Meter
from bot.subhosting.sandbox.argv import Sandbox, run_argv, run_environment
from bot.subhosting.sandbox.confinement import Confinement
from bot.subhosting.sandbox.view import ProcessLimits
from bot.subhosting.sandbox.views import run_view
from bot.subhosting.store.records import Context

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

_MIB = 1024 * 1024

# Deno ends at once on SIGTERM, and with it what it has not exported of the log. It exports at
# once; on a busy machine that comes late.
_LAST_WORDS_S = 0.25
# An app that never stops talking is interrupted.
_MOST_WORDS_S = 5.0
_LOOK_FOR_WORDS_EVERY_S = 0.02

# What does not end on SIGTERM has this long until SIGKILL.
_TERMINATION_S = 2.0


@dataclass(frozen=True, slots=True)
class Serving:
    """The instance answers."""


@dataclass(frozen=True, slots=True)
class Exited:
    """The process ended before it answered; a negative code is the signal that ended it.

    `ending` says it in words that follow "the app".
    """

    code: int
    ending: str


@dataclass(frozen=True, slots=True)
class NeverServed:
    """The time was over; the process has been killed."""


@dataclass(frozen=True, slots=True)
class Unwanted:
    """It serves, and does what its deployment rules out; it has been stopped."""

    reason: str


Boot = Serving | Exited | NeverServed | Unwanted


class Loan(Protocol):
    """An instance in the hands of a router in another process."""

    @property
    def active(self) -> int:
        """Its requests in flight there, a moment ago."""

    def recall(self) -> None:
        """Have no more requests sent, and keep the instance busy until those in flight ended."""


@dataclass(eq=False, slots=True)
class Instance:
    """A process that serves, or is about to."""

    deployment_id: str
    sandbox: Sandbox
    log: AppLog
    clock: Clock
    meter: Meter
    # Requests in flight, counted by the router of this process.
    active: int = 0
    # What routers in other processes count.
    loans: "set[Loan]" = field(default_factory=set)
    draining: bool = False
    # When its last request ended, by the monotonic clock; of no interest while one is in flight.
    used_s: float = 0.0
    # The resident memory beyond which the watchdog ends it.
    most_bytes: int = sys.maxsize
    # Why the watchdog ended it, in words that follow "the app".
    condemned: str | None = None
    # Whether it answers what is not HTTP: then we can ask it without the app's noticing.
    _answers_probes: bool = False
    # Which of a deployment's instances it is; see `InstanceKey`.
    context: Context | None = None
    crons: CronLink | None = None
    _child: Child | None = None
    _idle: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def socket(self) -> Path:
        """Where it listens."""
        return self.sandbox.socket

    @property
    def alive(self) -> bool:
        """Whether new requests may go there."""
        return self._child is not None and self.exit_code is None and not self.draining

    @property
    def in_use(self) -> int:
        """Requests in flight, wherever they came in."""
        return self.active + sum(loan.active for loan in self.loans)

    def was_used(self) -> None:
        """Hear that there were requests until now."""
        self.used_s = self.clock.monotonic_s()

    @property
    def exit_code(self) -> int | None:
        """The code that it ended with, or None while it runs."""
        child = self._child
        return child.exited.result() if child is not None and child.exited.done() else None

    @property
    def kept(self) -> Path:
        """Where Deno keeps what the app stores without a permission: caches, localStorage, KV."""
        return self.sandbox.cache / "location_data"

    @property
    def ending(self) -> str | None:
        """How it ended, in words that follow "the app"; None while it runs."""
        if self.condemned is not None:
            return self.condemned
        if self._child is not None and self._child.ran_out_of_memory:
            return f"ran out of memory: it used more than {self.most_bytes // _MIB} MB"
        code = self.exit_code
        return None if code is None else ending_of(code, self.sandbox.heap_mib)

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
        if not self.active:
            self._idle.clear()
        self.active += 1

    def end_request(self) -> None:
        """Count it as over."""
        self.active -= 1
        self.used_s = self.clock.monotonic_s()
        if not self.active:
            self._idle.set()

    async def last_words(self, within_s: float) -> LastWords:
        """Return how it ended, after at most `within_s` in case that shows only now."""
        if self._child is not None:
            await asyncio.wait({self._child.exited}, timeout=within_s)
        return LastWords(ending=self.ending, log=tuple(self.log.ring))

    async def start(
        self, confinement: Confinement, limits: ProcessLimits, nursery: Nursery
    ) -> None:
        """Start the process, confined to what it needs."""
        self._idle.set()
        self.socket.parent.mkdir(mode=0o700, exist_ok=True)
        sandbox = self.sandbox
        command = confinement.command(
            run_argv(sandbox), run_view(sandbox, limits), run_environment(sandbox)
        )
        try:
            folder = sandbox.source / sandbox.working_directory
            child = await start_child(command, folder, self.log.feed, ending=self._ending)
        except BaseException:
            self._close()
            raise
        self._child = child
        self.meter.begin(child.pid)
        nursery.add(child.pid, self.socket)
        child.exited.add_done_callback(lambda _: nursery.remove(child.pid))
        child.exited.add_done_callback(lambda _: self.meter.end())
        child.when_over(self._close)

    async def boot(self, within: timedelta) -> Boot:
        """Wait until it answers, ends, or the time is over."""
        exited = self._started_child.exited
        probing = asyncio.ensure_future(self._answers())
        try:
            ends: set[asyncio.Future[Any]] = {probing, exited}
            await asyncio.wait(
                ends,
                timeout=within.total_seconds(),
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            probing.cancel()
        if exited.done():
            await self.all_output()
            return Exited(exited.result(), self.ending or "")
        if probing.done() and not probing.cancelled():
            self.meter.pid = self._started_child.app_pid
            return Serving()
        await self.kill()
        return NeverServed()

    async def stop(self, drain: timedelta) -> None:
        """Take no more requests, let those in flight end within `drain`, then end the process."""
        self.draining = True
        for loan in list(self.loans):
            loan.recall()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), drain.total_seconds())
        if self._child is not None:
            await self._last_words(self._child)
            self._child.terminate()
            await asyncio.wait({self._child.exited}, timeout=_TERMINATION_S)
        await self.kill()

    async def kill(self) -> None:
        """End the process now, and wait until it has ended."""
        self.draining = True
        if self._child is not None:
            self._child.kill()
            await asyncio.wait({self._child.exited})
            await self.all_output()

    def condemn(self, reason: str) -> None:
        """End the process for a fault of its own, and say so in its log."""
        self.condemned = reason
        self.log.note(f"The app {reason}")
        self._started_child.kill()

    async def responds(self, within: timedelta) -> bool:
        """Return whether its event loop runs; True where that cannot be known."""
        if not self._answers_probes:
            return True
        answer = await _asked(self.socket, _PROBE, within.total_seconds())
        return answer is not None

    def when_ended(self, call: Callable[[], None]) -> None:
        """Call `call` when the process has ended."""
        self._started_child.exited.add_done_callback(lambda _: call())

    async def wait(self) -> int:
        """Wait for the end of the process and return its code."""
        return await self._started_child.wait()

    @property
    def _started_child(self) -> Child:
        if self._child is None:
            msg = "the instance has not been started"
            raise RuntimeError(msg)
        return self._child

    async def _last_words(self, child: Child) -> None:
        """Wait until what was said up to the last request has come, if it comes by export.

        So until nothing has come for a moment: no export says whether more of them wait.
        """
        latest_s = self.clock.monotonic_s() + _MOST_WORDS_S
        while self.log.exported and not child.exited.done():
            patience_s = max(self.used_s, self.log.exported_s) + _LAST_WORDS_S
            if self.clock.monotonic_s() > min(patience_s, latest_s):
                return
            await asyncio.sleep(_LOOK_FOR_WORDS_EVERY_S)

    def _ending(self) -> None:
        if self._child is not None:
            # What was below it has ended as well, and its use is counted as this one's.
            self.meter.pid = self._child.pid
        self.meter.look()

    def _close(self) -> None:
        """Nothing more will be read from it."""
        self.log.close()
        if self.crons is not None:
            self.crons.close()
        shutil.rmtree(self.socket.parent, ignore_errors=True)

    async def all_output(self) -> None:
        """Return when everything that it wrote is in the log; call it when it has ended."""
        # Its pipes end at once, unless something else holds them.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._started_child.over.wait(), 1.0)

    async def _answers(self) -> None:
        """Return as soon as the process answers anything."""
        started = self.clock.monotonic_s()
        probe, patience = _PROBE, _PROBE_WITHIN_S
        while True:
            if self.socket.exists():
                answer = await _asked(self.socket, probe, patience)
                if answer:
                    self._answers_probes = probe is _PROBE
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
