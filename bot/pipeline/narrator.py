"""Tell those who watch where an attempt has come to, beside the work and never in its way."""

from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from threading import Condition
from typing import NamedTuple

from bot.core.model.ids import DeploymentId
from bot.core.model.preview import BuildPhase, Stage
from bot.core.render import checks
from bot.pipeline.announce import announce
from bot.pipeline.surfaces import show
from bot.ports.services import Services


class _Point(NamedTuple):
    """Where an attempt stands."""

    stage: Stage
    phase: BuildPhase | None


class Narrator:
    """Writes the newest stage of one attempt onto its check until it is closed.

    The first one is written in any case; a quick attempt is over before there is a second word.
    """

    def __init__(self, key: DeploymentId, services: Services) -> None:
        """Tell of attempt `key`."""
        self._key = key
        self._services = services
        self._changed = Condition()
        self._point: _Point | None = None
        self._closed = False
        self._begun: list[Future[None]] = []  # what tells the stages, and what shows elsewhere

    def at(self, stage: Stage, phase: BuildPhase | None = None) -> None:
        """Let it be known that the attempt has come to `stage`; nothing any more once closed.

        `phase` is what the platform does at `Stage.BUILD`.
        """
        if self._closed:
            return
        with self._changed:
            self._point = _Point(stage, phase)
            self._changed.notify_all()
        if not self._begun:
            submit = self._services.beside.submit
            self._begun = [submit(self._tell), submit(show, self._key, self._services, None)]

    def close(self) -> None:
        """Return when no stage will be written any more, so that what follows stands last."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for telling in self._begun[:1]:
            telling.result()

    def wait_until_shown(self) -> None:
        """Return when the other surfaces are left alone."""
        for begun in self._begun:
            begun.result()

    def _tell(self) -> None:
        told: _Point | None = None
        while (point := self._next(told)) is not None:
            deployment = self._services.store.deployment(self._key)
            check = checks.in_progress(
                deployment,
                point.stage,
                phase=point.phase,
                page_url=self._services.page_url(self._key),
                stages=self._services.store.stages(self._key),
            )
            announce(check, deployment, self._services)
            told = point
            with self._changed:
                pause_s = self._services.between_words.total_seconds()
                self._changed.wait_for(lambda: self._closed, pause_s)

    def _next(self, told: _Point | None) -> _Point | None:
        """Return the point to tell of, once it is another one; None when it is over."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._point != told)
            over = self._closed and told is not None
            return None if over else self._point


@contextmanager
def narrated(key: DeploymentId, services: Services) -> Iterator[Narrator]:
    """Open a narrator for the block, and close it whatever happens there."""
    narrator = Narrator(key, services)
    try:
        yield narrator
    finally:
        narrator.close()
