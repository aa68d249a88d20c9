"""What a visitor's connection used since it was last added to the deployment's account."""

from collections.abc import Callable

from bot.subhosting.store.usage import Usage


class Account:
    """Plain numbers on a request's way; bytes are those on the wire, heads and all."""

    __slots__ = ("_usage_of", "deployment_id", "egress_bytes", "ingress_bytes", "requests")

    def __init__(self, usage_of: Callable[[str], Usage]) -> None:
        """Add to what `usage_of` a deployment returns."""
        self.deployment_id: str | None = None
        self.requests = self.ingress_bytes = self.egress_bytes = 0
        self._usage_of = usage_of

    def settle(self) -> None:
        """Add it; what belongs to no deployment counts for nobody."""
        if self.deployment_id is not None:
            usage = self._usage_of(self.deployment_id)
            usage.requests += self.requests
            usage.ingress_bytes += self.ingress_bytes
            usage.egress_bytes += self.egress_bytes
        self.requests = self.ingress_bytes = self.egress_bytes = 0
