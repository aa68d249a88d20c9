"""A forge with memory."""

from dataclasses import dataclass, field

from bot.core.model.checks import Check
from bot.core.model.errors import ForgeUnavailable
from bot.core.model.ids import DeploymentId, Repository


@dataclass
class FakeForge:
    """Keeps every check as it came; may be told to be away for a number of calls."""

    history: list[Check] = field(default_factory=list)
    refs: dict[DeploymentId, str] = field(default_factory=dict)
    away_for: int = 0

    def publish(self, check: Check, ref: str | None) -> str:
        if self.away_for > 0:
            self.away_for -= 1
            raise ForgeUnavailable("POST check-runs", "502 Bad Gateway")
        known = self.refs.get(check.deployment)
        assert ref in {None, known}, "the pipeline made up a reference"
        self.history.append(check)
        return self.refs.setdefault(check.deployment, f"check-{len(self.refs) + 1}")

    def git_credential(self, repository: Repository) -> str | None:  # noqa: ARG002 - the port's
        return None

    def of(self, deployment: DeploymentId) -> list[Check]:
        """Return the states of one check, in order."""
        return [check for check in self.history if check.deployment == deployment]

    def latest(self) -> dict[DeploymentId, Check]:
        """Return every check as it stands now."""
        return {check.deployment: check for check in self.history}
