"""Moving from v1 to v2: every project an app, so are others of its deployments with domains.

Resumable without a record of its own: what was moved carries the old id as a label and is found
by it. The old platform is only read.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

from bot.core.decide.migration import (
    app_slug,
    apps_of,
    covers,
    new_config,
    paired,
    problem_of,
)
from bot.core.model.errors import TargetError
from bot.core.model.ids import TargetDeploymentId
from bot.core.model.migration import (
    AppToMake,
    Fate,
    Moved,
    NewApp,
    NewDomain,
    OldDomain,
    OldProject,
    OldSource,
)
from bot.kernel.clock import Clock
from bot.ports.migration import NewPlatform, OldPlatform
from bot.ports.target import Broken, Building, Built

_LOOK_EVERY = timedelta(milliseconds=500)

_NO_SOURCE = (
    "this v1 server does not give out what it was sent; deploy the app from its repository: "
    "`previewbot deploy` with PREVIEWBOT_TARGET=deploy-v2"
)


@dataclass(slots=True, kw_only=True)
class Move:
    """One run of the command; `dry` writes nothing."""

    old: OldPlatform
    new: NewPlatform
    clock: Clock
    build_timeout: timedelta
    dry: bool
    # Host of an old deployment -> its revision, or why there is none: for the domains.
    _revisions: dict[str, TargetDeploymentId] = field(default_factory=dict)
    _unserved: dict[str, Fate] = field(default_factory=dict)

    def everything(self) -> Iterator[Moved]:
        """Move all projects, then all domains, and yield each as it is done.

        Raises:
            TargetError: the old platform's lists cannot be read; what fails later is reported.

        """
        domains, projects = self.old.domains(), self.old.projects()
        slugs = {app_slug(project) for project in projects}
        for project in projects:
            yield from self._project(project, domains, slugs)
        hosts = {domain.host for domain in domains}
        for domain in domains:
            try:
                yield self._domain(domain, paired=paired(domain.host) in hosts)
            except TargetError as error:
                yield Moved(kind="domain", name=domain.host, fate=Fate.FAILED, notes=(str(error),))

    def _project(
        self, project: OldProject, domains: tuple[OldDomain, ...], slugs: set[str]
    ) -> Iterator[Moved]:
        try:
            wanted = apps_of(project, self.old.deployments(project.id), domains, slugs)
        except TargetError as error:
            yield _project_line(project, Fate.FAILED, str(error))
            return
        if not wanted:
            yield _project_line(
                project, Fate.NOTHING_TO_MOVE, "no deployment of it ever succeeded"
            )
        for each in wanted:
            try:
                moved = self._app(each)
            except TargetError as error:
                moved = _of(each, Fate.FAILED, str(error))
            if not moved.is_done:
                self._unserved |= dict.fromkeys(each.served, moved.fate)
            yield moved

    def _app(self, wanted: AppToMake) -> Moved:
        old = wanted.deployment
        source = self.old.source(old.id)
        if source is None:
            return _of(wanted, Fate.FAILED, _NO_SOURCE)
        if (problem := problem_of(source)) is not None:
            return _of(wanted, Fate.FAILED, problem)
        notes = (*source.not_in_v2, *wanted.notes)
        app = self.new.app_of(wanted)
        made = None if app is None else self.new.revision_of(app, old.id)
        if app is not None and made is not None:
            moved = self._settled(wanted, made, _of(wanted, Fate.ALREADY_THERE, *notes))
            return self._tidied(moved, app, source)
        if self.dry:
            slug = wanted.slug if app is None else app.slug
            return _of(wanted, Fate.WOULD_MOVE, *notes, to=slug)
        app = app or self.new.make_app(wanted, new_config(source))
        # Before the revision, which would otherwise start without them.
        self.new.set_env(app, source.env)
        made = self.new.deploy(app, old.id, source, self.old.reader(wanted.project.id))
        moved = self._settled(wanted, made, _of(wanted, Fate.MOVED, *notes))
        return self._tidied(moved, app, source)

    def _settled(self, wanted: AppToMake, made: TargetDeploymentId, good: Moved) -> Moved:
        """Wait for the end of the revision's build; return `good`, with its address, if it is."""
        end_s = self.clock.monotonic_s() + self.build_timeout.total_seconds()
        while True:
            match self.new.observe(made):
                case Built(urls=urls):
                    self._revisions |= dict.fromkeys(wanted.served, made)
                    return replace(good, to=urls[0] if urls else str(made))
                case Broken(log=log):
                    last = next((line.message for line in reversed(log)), "no reason given")
                    return _of(wanted, Fate.FAILED, f"its build failed: {last}", to=str(made))
                case Building() if self.clock.monotonic_s() >= end_s:
                    late = "its build has not ended; run this again to see how it went"
                    return _of(wanted, Fate.WAITING, late, to=str(made))
                case Building():
                    self.clock.sleep(_LOOK_EVERY)

    def _tidied(self, moved: Moved, app: NewApp, source: OldSource) -> Moved:
        """Take away variables that are gone on v1, but only once nothing old is served."""
        if moved.is_done and not self.dry:
            self.new.drop_env(app, source.env.keys())
        return moved

    def _domain(self, domain: OldDomain, *, paired: bool) -> Moved:
        found = self.new.domain(domain.host)
        is_new = found is None
        if self.dry:
            fate = Fate.WOULD_MOVE if is_new else Fate.ALREADY_THERE
            return Moved(kind="domain", name=domain.host, fate=fate)
        found = found or self.new.register(domain.host, paired=paired)
        if not found.is_proven:
            found = self.new.prove(domain.host)
        if not found.is_proven:
            return _unproven(found)
        served = sorted(host for host in self._revisions if covers(domain.host, host))
        for host in served:
            self.new.serve(self._revisions[host], host)
        missing = {
            host: fate for host, fate in self._unserved.items() if covers(domain.host, host)
        }
        if domain.deployment is not None and domain.host not in (*served, *missing):
            missing[domain.host] = Fate.FAILED
        if missing:
            return _unserved(domain, served, missing)
        fate = Fate.MOVED if is_new else Fate.ALREADY_THERE
        return Moved(kind="domain", name=domain.host, fate=fate, to=", ".join(served))


def _project_line(project: OldProject, fate: Fate, note: str) -> Moved:
    return Moved(kind="project", name=project.name, fate=fate, notes=(note,))


def _of(wanted: AppToMake, fate: Fate, *notes: str, to: str = "") -> Moved:
    kind = "function" if wanted.hosts else "project"
    return Moved(kind=kind, name=wanted.name, fate=fate, to=to, notes=notes)


def _unserved(domain: OldDomain, served: list[str], missing: Mapping[str, Fate]) -> Moved:
    """Say that hosts lead nowhere: that waits only as long as all of their apps do."""
    waits = set(missing.values()) == {Fate.WAITING}
    why = "its build has not ended" if waits else "what it led to was not moved; see there"
    return Moved(
        kind="domain",
        name=domain.host,
        fate=Fate.WAITING if waits else Fate.FAILED,
        to=", ".join(served),
        notes=tuple(f"nothing answers at {host}: {why}" for host in sorted(missing)),
    )


def _unproven(domain: NewDomain) -> Moved:
    notes = ("publish one of these and run this again:", *domain.records)
    return Moved(kind="domain", name=domain.host, fate=Fate.WAITING, notes=notes)
