"""What every deployment used since it was last asked for: counted here, stored by the recorder."""

from collections.abc import Mapping

from bot.subhosting.store.usage import Usage


class Tally:
    """One `Usage` per deployment, in memory."""

    def __init__(self) -> None:
        """Begin with none."""
        self.used: dict[str, Usage] = {}

    def of(self, deployment_id: str) -> Usage:
        """Return the counts of a deployment, to add to at once: later they may be taken away."""
        if (found := self.used.get(deployment_id)) is None:
            found = self.used[deployment_id] = Usage()
        return found

    def take(self) -> dict[str, Usage]:
        """Return everything that was counted, and begin again at nothing."""
        taken, self.used = self.used, {}
        return {key: usage for key, usage in taken.items() if usage != Usage()}

    def add(self, used: Mapping[str, Usage]) -> None:
        """Count what was counted elsewhere."""
        for deployment_id, usage in used.items():
            self.of(deployment_id).add(usage)
