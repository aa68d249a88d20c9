"""The steps of one build, from an app's files to instances that serve, or to why they do not."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Final, Never

from bot.subhosting import stages
from bot.subhosting.build import presets, tree
from bot.subhosting.build.caches import Caches
from bot.subhosting.build.commands import Folders, Names, command_argv, command_environment
from bot.subhosting.build.packages import NOT_CACHED, needs_packages
from bot.subhosting.build.plan import Plan, plan_of
from bot.subhosting.build.site import INDEX
from bot.subhosting.config import MIB, BuildLimits, SubhostingConfig
from bot.subhosting.host import command, installer
from bot.subhosting.host.building import Build, BuildStopped
from bot.subhosting.host.command import Ended, Job, NeededTooMuch, TookTooLong
from bot.subhosting.host.instance import Serving
from bot.subhosting.host.outside import around_proxies, without_proxies
from bot.subhosting.host.remote_lock import fetch_lock_file
from bot.subhosting.host.rows import Rows, Work
from bot.subhosting.host.supervisor import Supervisor
from bot.subhosting.host.wording import said_of, shown_paths
from bot.subhosting.remote import is_remote
from bot.subhosting.sandbox.argv import Sandbox, kv_environment
from bot.subhosting.sandbox.views import build_view, with_way_out
from bot.subhosting.store.records import Context, FailureReason, InstanceKey

# Deno raises a wish below this to it. https://docs.deno.com/deploy/reference/builds/
_SHORTEST: Final = timedelta(minutes=1)


class PackagesMissing(Exception):  # noqa: N818 - a fact about the build, acted on at once
    """The app asked for a package that nobody installed."""


@dataclass(eq=False, slots=True)
class Attempt:
    """One build; `work` is the deployment with what was found out about it on the way."""

    config: SubhostingConfig
    rows: Rows
    supervisor: Supervisor
    caches: Caches
    work: Work
    build: Build
    _names: Names | None = None
    _variables: Mapping[str, str] = field(default_factory=dict)
    _until_s: float = 0.0
    # The way out for everything that is run: variables that name our proxy.
    _way_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def _plan(self) -> Plan:
        return plan_of(self.work.deployment)

    async def run(self) -> None:
        """Build it and have it serve.

        Raises:
            BuildStopped: it cannot; the log says why.

        """
        plan = self._plan
        refusal = self.supervisor.protection.refusal(self.work.settings.min_isolation)
        if refusal is not None:
            self._fail(f"It is not run: {refusal}")
        self._until_s = asyncio.get_running_loop().time() + _time_of(plan, self.config.build)
        await self._prepare(plan)
        outside = self.supervisor.outside.for_build(self.work.deployment.id, self._refused)
        async with outside as self._way_out:
            await self._make(plan)

    async def _make(self, plan: Plan) -> None:
        installed = await self._install(plan)
        await self._build(plan)
        if plan.writes:
            await self._settle()
        for context in self.work.deployment.contexts:
            installed = await self._deploy(context, installed=installed)
        if self._plan.static_folder is not None:
            await self._open_site(self._plan.static_folder)
        if plan.writes:
            await asyncio.to_thread(tree.finish, self._folder)

    async def _prepare(self, plan: Plan) -> None:
        work = self.work
        self.build.hide(await self.rows.secrets(work.deployment))
        files = len(work.manifest.files) + len(work.manifest.links)
        if plan.writes:
            known = await self.rows.build_environment(work.deployment)
            if known is None:
                raise BuildStopped(FailureReason.ERROR)  # deleted meanwhile
            self._names, self._variables = known
            await self.supervisor.begin_build(work)
        else:
            await self.supervisor.prepare(work)
        self.build.say("info", f"Assembled {files} file{'' if files == 1 else 's'}")
        if plan.writes:
            await self._restore_packages()
        self.build.leave(stages.PREPARING)

    async def _restore_packages(self) -> None:
        """Begin with what the app's last good build downloaded."""
        deployment = self.work.deployment
        cache = self._folder / tree.CACHE
        if self.work.shares_cache and await asyncio.to_thread(
            self.caches.restore, deployment.project_id, cache
        ):
            self.build.say("info", "Restored the packages of the last build")

    async def _install(self, plan: Plan) -> bool:
        """Run the installing stage; False if nothing had to be installed."""
        if plan.installs_by_command and plan.install is not None:
            self.build.enter(stages.INSTALLING)
            await self._run(plan.install, self.supervisor.sandbox(self.work), self._variables)
            self.build.leave(stages.INSTALLING)
            return False  # what the entry point needs beyond it shows at its start
        sandbox = self.supervisor.sandbox(self.work)
        serves_files = plan.static_folder is not None
        if serves_files or not sandbox.entry_point or not self._needs_modules(sandbox):
            self.build.skip(stages.INSTALLING)
            return False
        await self._fetch_packages()
        return True

    async def _fetch_packages(self) -> None:
        """Fetch what the entry point imports, without any command of the app's."""
        self.build.enter(stages.INSTALLING)
        await self._restore_packages()
        self.build.say("info", "Installing packages")
        sandbox = self.supervisor.sandbox(self.work)
        await self._fetch_lock_file(sandbox)
        scratch = self._folder / tree.SCRATCH
        outcome = await installer.install(
            self.config,
            sandbox,
            scratch,
            self.supervisor.confinement,
            installer.Around(way_out=self._way_out, heard=self._heard),
        )
        if not self._plan.writes:
            await asyncio.to_thread(tree.remove, scratch)
        within_s = self.config.install_timeout.total_seconds()
        self._stop_unless_well(outcome, "Installing packages", within_s)
        self.build.leave(stages.INSTALLING)

    def _needs_modules(self, sandbox: Sandbox) -> bool:
        settings = self.work.settings
        elsewhere = (sandbox.entry_point, settings.import_map, settings.lock_file)
        if any(map(is_remote, elsewhere)):
            return True
        return needs_packages(sandbox.source, sandbox.entry_point)

    async def _fetch_lock_file(self, sandbox: Sandbox) -> None:
        url = self.work.settings.lock_file
        if url is None or not is_remote(url) or sandbox.lock is None:
            return
        proxy = self._way_out["HTTPS_PROXY"]
        problem = await fetch_lock_file(url, proxy, sandbox.lock.parent, self.build.clock)
        if problem is not None:
            self._fail(problem)

    async def _build(self, plan: Plan) -> None:
        if plan.build is None:
            self.build.skip(stages.BUILDING)
            return
        self.build.enter(stages.BUILDING)
        await self._run(plan.build, self.supervisor.sandbox(self.work), self._variables)
        self.build.leave(stages.BUILDING)

    async def _settle(self) -> None:
        """Look at what the commands left behind, and find out how it is served.

        Raises:
            BuildStopped: it is too much, or nothing that could be served.

        """
        await self._tidy()
        source = self._folder / tree.SOURCE
        plan = self._plan
        runtime = plan.runtime
        if runtime is None:
            runtime = presets.output_of(plan.framework, lambda path: (source / path).is_file())
            if runtime is None:
                self._fail("The build left nothing behind that could be served; name a `runtime`")
        entry_point = ""
        if runtime["type"] == "dynamic":
            entry_point = self._checked_entry_point(runtime["entrypoint"])
        deployment = self.work.deployment
        found = replace(
            deployment,
            entry_point=entry_point,
            config={**(deployment.config or {}), "runtime": runtime},
        )
        self.work = replace(self.work, deployment=found)

    async def _tidy(self) -> None:
        tidied = await asyncio.to_thread(tree.tidy, self._folder / tree.SOURCE)
        for name in tidied.removed:
            self.build.say("warning", f"Removed {name}: it leads out of the app, or is no file")
        most = self.config.build.tree_bytes
        if tidied.size_bytes > most:
            megabytes = tidied.size_bytes // MIB
            self._fail(f"The build left {megabytes} MB behind; the limit is {most // MIB} MB")

    def _checked_entry_point(self, path: str) -> str:
        clean = "/".join(step for step in path.split("/") if step not in {"", "."})
        if not (self._folder / tree.SOURCE / clean).is_file():
            self._fail(f"The entry point {path!r} is not there after the build")
        return clean

    async def _deploy(self, context: Context | None, *, installed: bool) -> bool:
        """Bring it to one timeline; return whether packages have been installed by now."""
        await self._predeploy(context)
        if self._plan.static_folder is not None:
            self._enter(context, None)
            if self._joins(context):
                self.build.skip(stages.warm_up(slug(context)))  # nothing is started
            return installed
        try:
            await self._warm_up(context, may_lack_packages=not installed)
        except PackagesMissing:
            # An import deeper in the graph than our quick look went.
            self.build.again(stages.DEPLOYING, stages.warm_up(slug(context)))
            await self._fetch_packages()
            await self._warm_up(context, may_lack_packages=False)
            return True
        return installed

    async def _open_site(self, folder: str) -> None:
        """Find out what the static site consists of; from now on it is served."""
        self.build.timeline = None
        site = await self.supervisor.sites.open(self.work)
        count = len(site.listing.files)
        if not count:
            self._fail(f"There are no files to serve in {folder!r}")
        files = f"{count} file{'' if count == 1 else 's'}"
        self.build.say("info", f"Serving {files} without a process")
        if site.listing.find(INDEX) is None:
            self.build.say("warning", f"There is no {INDEX}, so the address itself shows nothing")

    async def _predeploy(self, context: Context | None) -> None:
        name = stages.predeploy(slug(context))
        plan = self._plan
        if plan.predeploy is None:
            if self._joins(context):
                self.build.skip(name)
            return
        key = InstanceKey(self.work.deployment.id, context)
        variables = await self.rows.environment(key) or {}
        self._enter(context, name)
        try:
            async with self.supervisor.prepared_for(self.work, context) as sandbox:
                given = {**variables, **kv_environment(sandbox), **sandbox.platform}
                await self._run(plan.predeploy, sandbox, given)
            await self._tidy()
        finally:
            self.build.timeline = None
        self._leave(context, name)

    async def _warm_up(self, context: Context | None, *, may_lack_packages: bool) -> None:
        """Start it once in a context.

        Raises:
            BuildStopped: it does not serve.
            PackagesMissing: it does not, for want of packages that were not installed.

        """
        stage = stages.warm_up(slug(context))
        self._enter(context, stage)
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            boot, log = await self.supervisor.boot(self.work, self.build.say, context)
            if not isinstance(boot, Serving):
                reason = said_of(boot, self.config)
                sentence = reason[0].upper() + reason[1:]
                self.build.say("error", sentence)
                if may_lack_packages and any(NOT_CACHED in message for _, message in log.ring):
                    raise PackagesMissing
                detail = {"stage": "warmup", "code": "boot_failed", "message": sentence}
                raise BuildStopped(FailureReason.ERROR, detail)
            self.build.say("info", f"Serving after {(loop.time() - began) * 1000:.0f} ms")
        finally:
            self.build.timeline = None
        self._leave(context, stage)

    async def _run(self, text: str, sandbox: Sandbox, variables: Mapping[str, str]) -> None:
        """Run a command of the app's.

        Raises:
            BuildStopped: it failed, took too long or needed too much.

        """
        names = self._names
        if names is None:
            msg = "commands run in trees that were begun for them"
            raise RuntimeError(msg)
        folders = Folders(
            source=sandbox.source, cache=sandbox.cache, scratch=self._folder / tree.SCRATCH
        )
        self.build.say("info", f"$ {text}")
        limits = self.config.build
        view = build_view(
            sandbox, folders.scratch, self.config.tools_dir, command.process_limits(limits)
        )
        confined = self.supervisor.confinement.command(
            command_argv(text),
            with_way_out(view, self._way_out),
            {
                **without_proxies(command_environment(self.config, folders, names, variables)),
                **self._way_out,
                **around_proxies(sandbox.kv_server),
            },
        )
        outcome = await command.run(
            Job(
                command=confined,
                folder=folders.source,
                scratch=folders.scratch,
                shown=_shown(sandbox, folders),
                within_s=self._until_s - asyncio.get_running_loop().time(),
                memory_bytes=limits.memory_bytes,
            ),
            self._heard,
        )
        self._stop_unless_well(outcome, "The command", _time_of(self._plan, self.config.build))

    def _stop_unless_well(self, outcome: command.Outcome, what: str, within_s: float) -> None:
        match outcome:
            case Ended(code=0):
                return
            case Ended(code=code) if code < 0:
                self._fail(f"{what} was ended by signal {-code}")
            case Ended(code=code):
                self._fail(f"{what} failed with code {code}")
            case TookTooLong():
                self.build.say("error", f"{what} took longer than {within_s:g} s and was stopped")
                raise BuildStopped(FailureReason.TIMED_OUT)
            case NeededTooMuch():
                most = self.config.build.memory_bytes // MIB
                self._fail(f"{what} needed more than {most} MB of memory and was stopped")

    def _fail(self, sentence: str) -> Never:
        self.build.say("error", sentence)
        raise BuildStopped(FailureReason.ERROR)

    def _heard(self, text: str) -> None:
        self.build.hear("info", text)

    def _refused(self, sentence: str) -> None:
        self.build.hear("error", sentence)

    def _enter(self, context: Context | None, stage: str | None) -> None:
        self.build.enter(stages.DEPLOYING)
        self.build.timeline = slug(context) if self._joins(context) else None
        if stage is not None and self.build.timeline is not None:
            self.build.enter(stage)

    def _leave(self, context: Context | None, stage: str) -> None:
        if self._joins(context):
            self.build.leave(stage)

    def _joins(self, context: Context | None) -> bool:
        """Return whether a context is a timeline that the deployment joins."""
        timelines = self.work.deployment.timelines
        return bool(timelines) and (context is None or context in timelines)

    @property
    def _folder(self) -> Path:
        return self.supervisor.folder(self.work.deployment.id)


def slug(context: Context | None) -> str:
    """Return the timeline that a start belongs to; v1 knows previews only."""
    return context or Context.PREVIEW


def _time_of(plan: Plan, limits: BuildLimits) -> float:
    """Return how many seconds the commands of a build have, all together."""
    if plan.timeout is None:
        return limits.timeout.total_seconds()
    return min(max(plan.timeout, _SHORTEST), limits.longest).total_seconds()


def _shown(sandbox: Sandbox, folders: Folders) -> dict[str, str]:
    return {**shown_paths(sandbox), str(folders.scratch): "/tmp"}  # noqa: S108 - shown, not used
