"""Which isolation level this machine reaches: tried by running a child that tries to break out.

Nothing is assumed from the presence of a program or a kernel feature. The child has all of Deno's
permissions, so whatever is refused to it is refused by the layer under test.
"""

import asyncio
import json
import os
import shutil
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bot.subhosting.config import SubhostingConfig
from bot.subhosting.host.child import start_child
from bot.subhosting.host.egress import EgressProxy
from bot.subhosting.host.egress_route import EgressPolicy
from bot.subhosting.host.inside import Inside
from bot.subhosting.host.launcher import launcher
from bot.subhosting.host.outside import APP_PROXY_PORT
from bot.subhosting.sandbox import landlock, seccomp
from bot.subhosting.sandbox.bubblewrap import Bubblewrap
from bot.subhosting.sandbox.cgroups import Cgroups, Unusable
from bot.subhosting.sandbox.confinement import Command, Confinement
from bot.subhosting.sandbox.level import Isolation, Level
from bot.subhosting.sandbox.proofs import (
    GROUPS,
    OF_L0,
    OF_L1,
    OF_L2,
    OF_L3,
    Proof,
    Verdict,
    impossible,
    verdict,
)
from bot.subhosting.sandbox.user_ids import UserIds
from bot.subhosting.sandbox.view import ProcessLimits, View
from bot.subhosting.trust.addresses import AddressPolicy

# Deno needs 0.05 s; a machine that is so busy is not told to be less safe than it is for long.
_WITHIN_S = 20.0

_PROGRAMS = (Path("/usr/bin"), Path("/bin"), Path("/usr/local/bin"))

_INSTALL = "install bubblewrap: apt-get install bubblewrap, or dnf install bubblewrap"
_ALLOW = (
    "let bubblewrap make namespaces: run as root, or set kernel.unprivileged_userns_clone=1 and "
    "kernel.apparmor_restrict_unprivileged_userns=0 where the system has them; in Docker, "
    "--security-opt seccomp=unconfined --security-opt apparmor=unconfined"
)

# Less than what the attempts take in the end, more than Deno needs to get there.
_LITTLE_BYTES = 96 * 1024 * 1024

# Prints what was refused, as one line of JSON.
_ATTEMPTS = """
const [canary, port, host, folder, user, network, hog] = Deno.args;
const held = [];
const attempt = (name, act) => { try { act(); } catch { held.push(name); } };
attempt("read", () => Deno.readTextFileSync(canary));
attempt("passwd", () => Deno.readTextFileSync("/etc/passwd"));
try { Deno.writeTextFileSync(canary + ".new", "x"); } catch { /* it shows outside */ }
attempt("execute", () => new Deno.Command("/bin/sh", { args: ["-c", "true"] }).outputSync());
attempt("listen", () => Deno.listen({ hostname: "127.0.0.1", port: 0 }).close());
attempt("signal", () => Deno.kill(Number(host), "SIGCONT"));
attempt("processes", () => Deno.statSync(`/proc/${host}/status`));
try { (await Deno.connect({ hostname: "127.0.0.1", port: Number(port) })).close(); }
catch { held.push("connect"); }
if (network) {
  // TEST-NET-1: nobody answers, but without a route that is known at once.
  try { (await Deno.connect({ hostname: "192.0.2.1", port: 80 })).close(); }
  catch (error) { if (error.name === "NetworkUnreachable") held.push("outside"); }
  try { if ((await fetch(`http://127.0.0.1:${port}/`)).status === 403) held.push("proxied"); }
  catch (error) { console.log(String(error)); }
}
const libc = Deno.dlopen(Deno.build.os === "linux" ? "libc.so.6" : "libc.dylib", {
  unshare: { parameters: ["i32"], result: "i32" },
  prctl: { parameters: ["i32", "usize", "usize", "usize", "usize"], result: "i32" },
});
if (libc.symbols.prctl(39, 0n, 0n, 0n, 0n) === 1) held.push("privileges");
if (libc.symbols.unshare(0x10000000) !== 0) held.push("namespaces");
if (Deno.uid() !== Number(user)) held.push("uid");
Deno.writeTextFileSync(folder + "/own", "x");
console.log(JSON.stringify(held));
const all = [];
if (hog) for (let i = 0; i < 24; i++) all.push(new Uint8Array(1 << 23).fill(1));
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stage:
    """Where the child is put, and what it must not reach."""

    deno: Path
    folder: Path
    port: int
    user_ids: UserIds

    @property
    def app(self) -> Path:
        """What the child may read."""
        return self.folder / "app"

    def unwritten(self) -> frozenset[str]:
        """Return that writing was refused if nothing came of it; the next child begins anew.

        Only out here does it show: a file tree of its own may have a folder of the same name.
        """
        written = self.folder / "canary.new"
        if not written.exists():
            return frozenset({"write"})
        written.unlink()
        return frozenset()


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of trying one way."""

    verdict: Verdict
    confinement: Confinement
    code: int = 0


async def reach(
    config: SubhostingConfig, folder: Path, groups: Cgroups | Unusable
) -> tuple[Isolation, Confinement]:
    """Return the highest level that holds here, up to what `config` allows, and how to use it.

    `folder` is made, and removed afterwards. It takes 0.1 to 0.2 s.
    """
    lowest = Confinement(launcher=launcher(), ports=config.outgoing_ports)
    highest = Level.named(config.highest_isolation)
    if isinstance(groups, Cgroups):
        lowest = replace(lowest, cgroups=groups)
    tried: list[Tried] = []
    with _stage(config, folder) as stage:
        # From the highest level down, each in one child: what holds there need not be tried below.
        for way in reversed(_WAYS[:highest]):
            tried.append(await way(stage, lowest))
            if tried[-1].verdict.reached:
                break
        else:
            tried.append(await _tried(stage, lowest, ()))
    best = tried[-1]
    grouped = _groups_verdict(groups, best)
    isolation = Isolation(
        level=best.verdict.level,
        layers=(*OF_L0, *best.verdict.layers, *grouped.layers),
        missing=tuple(
            each for one in (*(way.verdict for way in tried), grouped) for each in one.missing
        ),
    )
    used = best.confinement
    return isolation, used if grouped.reached else replace(used, cgroups=None)


def _groups_verdict(groups: Cgroups | Unusable, best: "Tried") -> Verdict:
    if isinstance(groups, Unusable):
        return impossible(Level.L0, groups.reason, groups.fix, layer=GROUPS[0].layer)
    return verdict(Level.L0, GROUPS, {"memory"} if best.code == -signal.SIGKILL else ())


async def _landlocked(stage: _Stage, lowest: Confinement) -> Tried:
    version = landlock.abi()
    if not version:
        fix = OF_L1[0].fix
        reason = "the kernel has no Landlock, or keeps it from us"
        return Tried(impossible(Level.L1, reason, fix), lowest)
    confinement = replace(lowest, level=Level.L1, landlock=version, seccomp=seccomp.program())
    return await _tried(stage, confinement, OF_L1)


async def _wrapped(stage: _Stage, lowest: Confinement) -> Tried:
    return await _by_bubblewrap(stage, lowest, Level.L2, OF_L2)


async def _networked(stage: _Stage, lowest: Confinement) -> Tried:
    inside, proxy = Inside(), EgressProxy()

    async def attach(listener: socket.socket) -> Callable[[], Awaitable[None]]:
        policy = EgressPolicy(owner="probe", addresses=AddressPolicy())
        return (await proxy.attach(listener, policy)).close

    inside.offer(None, APP_PROXY_PORT, attach)
    served = replace(lowest, serve_inside=inside.serve)
    try:
        tried = await _by_bubblewrap(stage, served, Level.L3, OF_L3)
    finally:
        await proxy.close()
    return replace(tried, confinement=replace(tried.confinement, serve_inside=None))


async def _by_bubblewrap(
    stage: _Stage, lowest: Confinement, level: Level, proofs: tuple[Proof, ...]
) -> Tried:
    program = _program("bwrap")
    if program is None:
        return Tried(impossible(level, "bubblewrap is not installed", _INSTALL), lowest)
    if not lowest.launcher:
        fix = "install util-linux"
        return Tried(impossible(level, "util-linux is not installed", fix), lowest)
    filtered = replace(lowest, level=level, seccomp=seccomp.program())
    plain = Bubblewrap(program=program, own_network=level >= Level.L3)
    ways = [replace(filtered, bubblewrap=plain)]
    if os.getuid() == 0:
        changing = replace(plain, setpriv=Path(lowest.launcher[0]))
        ways.insert(0, replace(filtered, bubblewrap=changing, user_ids=stage.user_ids))
    tried = Tried(impossible(level, "it was not tried", ""), lowest)
    for way in ways:
        # Kernels before 6.12 let no thread mount that Landlock holds to anything.
        for version in dict.fromkeys((landlock.abi(), 0)):
            tried = await _tried(stage, replace(way, landlock=version), proofs)
            if tried.verdict.reached:
                return tried
    return tried


async def _tried(stage: _Stage, confinement: Confinement, proofs: tuple[Proof, ...]) -> Tried:
    """Run the attempts in one confinement."""
    level = confinement.level
    own = stage.folder / f"own-{level.name}"
    argv = [
        *(str(stage.deno), "run", "--quiet", "--no-prompt", "--no-config", "--no-lock"),
        *("-A", str(stage.app / "attempts.js"), str(stage.folder / "canary")),
        *(str(stage.port), str(os.getpid()), str(own), str(os.getuid())),
        "network" if confinement.own_network else "",
        # Whether it is to end by using up its memory.
        *(() if confinement.cgroups is None else ("hog",)),
    ]
    view = View(
        owner=f"probe-{level.name}",
        readable=(stage.app,),
        writable=(own,),
        executables=(stage.deno,),
        loopback_ports=(APP_PROXY_PORT,) if confinement.own_network else (),
        limits=ProcessLimits(memory_bytes=_LITTLE_BYTES, processes=64),
    )
    environment = {"DENO_DIR": str(own), "HOME": str(own), "NO_COLOR": "1"}
    if confinement.own_network:
        environment["HTTP_PROXY"] = f"http://127.0.0.1:{APP_PROXY_PORT}"
    try:
        code, said = await _ran(confinement.command(argv, view, environment), stage.app)
    except OSError as error:
        return Tried(impossible(level, str(error), _ALLOW), confinement)
    *noise, last = said.strip().splitlines() or [""]
    try:
        refused = frozenset(json.loads(last)) | stage.unwritten()
    except (ValueError, TypeError):
        reason = " / ".join([*noise, last])[:300]
        return Tried(impossible(level, reason, _ALLOW), confinement, code)
    return Tried(verdict(level, proofs, refused), confinement, code)


async def _ran(command: Command, cwd: Path) -> tuple[int, str]:
    """Return a child's exit code and what it said.

    Raises:
        OSError: it could not be started, or did not end.

    """
    said = bytearray()
    child = await start_child(command, cwd, lambda _, data: said.extend(data))
    try:
        async with asyncio.timeout(_WITHIN_S):
            await child.over.wait()
    finally:
        child.kill()
    return await child.wait(), said.decode(errors="replace")


# In the order of their levels, from L1 on.
_WAYS = (_landlocked, _wrapped, _networked)


@contextmanager
def _stage(config: SubhostingConfig, folder: Path) -> Iterator[_Stage]:
    """Prepare what is attacked: a file, a port, this process."""
    shutil.rmtree(folder, ignore_errors=True)
    app = folder / "app"
    app.mkdir(parents=True)
    try:
        (folder / "canary").write_text("canary", encoding="ascii")
        (app / "attempts.js").write_text(_ATTEMPTS, encoding="ascii")
        with socket.create_server(("127.0.0.1", 0)) as listener:
            yield _Stage(
                deno=config.deno,
                folder=folder,
                port=listener.getsockname()[1],
                user_ids=UserIds(config.first_user_id, config.user_id_count),
            )
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _program(name: str) -> Path | None:
    """Return where the system keeps a program; the operator's own search path does not count."""
    return next((each / name for each in _PROGRAMS if (each / name).exists()), None)
