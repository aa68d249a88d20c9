"""What every deployment used since it was last asked for: counted here, stored by the recorder."""

from collections.abc import Mapping

from bot.subhosting.store.usage import Usage


class Account:
    """What one connection used of one deployment; bytes are those on the wire, heads and all.

    Plain numbers, because every request adds to them; the tally asks for them now and then.
    """

    __slots__ = ("_deployment_id", "_tally", "egress_bytes", "ingress_bytes", "requests")

    def __init__(self, tally: "Tally") -> None:
        """Belong to no deployment yet, and to `tally` until closed."""
        self.requests = self.ingress_bytes = self.egress_bytes = 0
        self._tally = tally
        self._deployment_id: str | None = None
        tally.open.add(self)

    def charge(self, deployment_id: str | None) -> None:
        """Count for this deployment from now on; None is nobody."""
        if deployment_id != self._deployment_id:
            self.settle()
            self._deployment_id = deployment_id

    def settle(self) -> None:
        """Add what was counted to the deployment's usage."""
        if self._deployment_id is not None:
            usage = self._tally.of(self._deployment_id)
            usage.requests += self.requests
            usage.ingress_bytes += self.ingress_bytes
            usage.egress_bytes += self.egress_bytes
        self.requests = self.ingress_bytes = self.egress_bytes = 0

    def close(self) -> None:
        """Settle for the last time."""
        self.settle()
        self._tally.open.discard(self)


class Tally:
    """One `Usage` per deployment, in memory."""

    def __init__(self) -> None:
        """Begin with none."""
        self.used: dict[str, Usage] = {}
        # The accounts that connections add to.
        self.open: set[Account] = set()

    def of(self, deployment_id: str) -> Usage:
        """Return the counts of a deployment, to add to at once: later they may be taken away."""
        if (found := self.used.get(deployment_id)) is None:
            found = self.used[deployment_id] = Usage()
        return found

    def take(self) -> dict[str, Usage]:
        """Return everything that was counted, and begin again at nothing."""
        for account in self.open:
            account.settle()
        taken, self.used = self.used, {}
        return {key: usage for key, usage in taken.items() if usage != Usage()}

    def add(self, used: Mapping[str, Usage]) -> None:
        """Count what was counted elsewhere."""
        for deployment_id, usage in used.items():
            self.of(deployment_id).add(usage)
