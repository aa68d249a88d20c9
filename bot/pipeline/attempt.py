"""What every step of a deployment is given, and the questions that all of them ask."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bot.core.model.briefs import Brief
from bot.core.model.ids import DeploymentId
from bot.core.model.outcomes import Failed, Superseded, TimedOut, Withdrawn
from bot.core.model.preview import Deployment, Stage
from bot.core.model.selection import Selection
from bot.pipeline.narrator import Narrator
from bot.ports.journal import Journal
from bot.ports.services import Services
from bot.ports.target import Target

# An outcome before the end of the road.
Ended = Failed | Superseded | Withdrawn | TimedOut


class Note:
    """A few words that a stage leaves behind; written by the step while the stage is open."""

    def __init__(self) -> None:
        self.text = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One run of the road for one deployment."""

    key: DeploymentId
    services: Services
    journal: Journal
    narrator: Narrator

    def now(self) -> Deployment:
        """Return the deployment as the store has it at this moment."""
        return self.services.store.deployment(self.key)

    @property
    def brief(self) -> Brief:
        """What this attempt is told to do."""
        return self.services.store.brief(self.key)

    @property
    def target(self) -> Target:
        """Where it runs, as was recorded when it began.

        Raises:
            TargetNotConfigured: the operator has taken that target away meanwhile.

        """
        return self.services.targets.of(self.now())

    @property
    def selection(self) -> Selection:
        """Which part of the repository is deployed."""
        return self.brief.selection

    def given_up(self) -> Superseded | Withdrawn | None:
        """Tell whether a newer push, or the end of the branch, has made this attempt pointless."""
        deployment = self.now()
        if deployment.superseded_by is not None:
            return Superseded(by=deployment.superseded_by)
        if deployment.withdrawn_because:
            return Withdrawn(because=deployment.withdrawn_because)
        preview = deployment.preview
        return Withdrawn(because=preview.buried_because) if preview.buried else None

    @contextmanager
    def stage(self, stage: Stage) -> Iterator[Note]:
        """Record when the stage began and ended, whatever happened in it, and tell of it."""
        note = Note()
        self.services.store.stage_started(self.key, stage)
        self.narrator.at(stage)
        try:
            yield note
        finally:
            self.services.store.stage_finished(self.key, stage, note.text)
