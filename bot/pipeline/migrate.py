"""Moving from v1 to v2: every project an app, every live deployment a revision, every domain.

Resumable without a record of its own: what was moved carries the old id as a label and is found
by it. The old platform is only read.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta

from bot.core.decide.migration import (
    app_slug,
    covers,
    live_deployment,
    new_config,
    paired,
    problem_of,
)
from bot.core.model.errors import TargetError
from bot.core.model.ids import TargetDeploymentId
from bot.core.model.migration import (
    Fate,
    Moved,
    NewApp,
    NewDomain,
    OldDeployment,
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
    # Host of an old deployment -> its revision, for the domains that come afterwards.
    _revisions: dict[str, TargetDeploymentId] = field(default_factory=dict)

    def everything(self) -> Iterator[Moved]:
        """Move all projects, then all domains, and yield each as it is done.

        Raises:
            TargetError: the old platform's lists cannot be read; what fails later is reported.

        """
        for project in self.old.projects():
            try:
                yield self._project(project)
            except TargetError as error:
                yield Moved(
                    kind="project", name=project.name, fate=Fate.FAILED, notes=(str(error),)
                )
        domains = self.old.domains()
        hosts = {domain.host for domain in domains}
        for domain in domains:
            try:
                yield self._domain(domain, paired=paired(domain.host) in hosts)
            except TargetError as error:
                yield Moved(kind="domain", name=domain.host, fate=Fate.FAILED, notes=(str(error),))

    def _project(self, project: OldProject) -> Moved:
        deployments = self.old.deployments(project.id)
        live = live_deployment(project, deployments)
        if live is None:
            return _of(project, Fate.NOTHING_TO_MOVE, "no deployment of it ever succeeded")
        source = self.old.source(live.id)
        if source is None:
            return _of(project, Fate.FAILED, _NO_SOURCE)
        if (problem := problem_of(source)) is not None:
            return _of(project, Fate.FAILED, problem)
        notes = (*source.not_in_v2, *_left_behind(live, deployments))
        app = self.new.app_of(project.id)
        made = None if app is None else self.new.revision_of(app, live.id)
        if app is not None and made is not None:
            moved = self._settled(project, live, made, _of(project, Fate.ALREADY_THERE, *notes))
            return self._tidied(moved, app, source)
        if self.dry:
            slug = app_slug(project) if app is None else app.slug
            return _of(project, Fate.WOULD_MOVE, *notes, to=slug)
        app = app or self.new.make_app(project.id, app_slug(project), new_config(source))
        # Before the revision, which would otherwise start without them.
        self.new.set_env(app, source.env)
        made = self.new.deploy(app, live.id, source, self.old.reader(project.id))
        moved = self._settled(project, live, made, _of(project, Fate.MOVED, *notes))
        return self._tidied(moved, app, source)

    def _settled(
        self, project: OldProject, live: OldDeployment, made: TargetDeploymentId, good: Moved
    ) -> Moved:
        """Wait for the end of the revision's build; return `good`, with its address, if it is."""
        end_s = self.clock.monotonic_s() + self.build_timeout.total_seconds()
        while True:
            match self.new.observe(made):
                case Built(urls=urls):
                    self._revisions |= dict.fromkeys(live.domains, made)
                    return replace(good, to=urls[0] if urls else str(made))
                case Broken(log=log):
                    last = next((line.message for line in reversed(log)), "no reason given")
                    return _of(project, Fate.FAILED, f"its build failed: {last}", to=str(made))
                case Building() if self.clock.monotonic_s() >= end_s:
                    late = "its build has not ended; run this again to see how it went"
                    return _of(project, Fate.WAITING, late, to=str(made))
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
        if domain.deployment is not None and not served:
            note = f"its deployment {domain.deployment} was not moved, so nothing answers there"
            return Moved(kind="domain", name=domain.host, fate=Fate.WAITING, notes=(note,))
        fate = Fate.MOVED if is_new else Fate.ALREADY_THERE
        return Moved(kind="domain", name=domain.host, fate=fate, to=", ".join(served))


def _of(project: OldProject, fate: Fate, *notes: str, to: str = "") -> Moved:
    return Moved(kind="project", name=project.name, fate=fate, to=to, notes=notes)


def _unproven(domain: NewDomain) -> Moved:
    notes = ("publish one of these and run this again:", *domain.records)
    return Moved(kind="domain", name=domain.host, fate=Fate.WAITING, notes=notes)


def _left_behind(live: OldDeployment, deployments: tuple[OldDeployment, ...]) -> Iterator[str]:
    """Say which other deployments have hosts of their own: in v2 each needs an app."""
    for other in deployments:
        if other.id != live.id and len(other.domains) > 1:
            hosts = ", ".join(other.domains)
            yield f"deployment {other.id} is not moved ({hosts}): make an app of its own for it"
