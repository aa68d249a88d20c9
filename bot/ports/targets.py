"""All places where previews run: the operator's usual target, and those that have a name."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from bot.core.model.errors import TargetNotConfigured
from bot.core.model.preview import Deployment
from bot.ports.target import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """Which target is meant.

    Repositories say the operator's names, whose meaning may change. Records keep `Target.name`,
    which is the platform's own, so that what was made is found again as long as anybody is
    configured who can reach it.
    """

    usual: Target
    named: Mapping[str, Target] = field(default_factory=dict)

    def called(self, name: str | None) -> Target:
        """Return the target that the operator calls `name`; None: the usual one.

        Raises:
            TargetNotConfigured: nothing is called so.

        """
        if name is None:
            return self.usual
        if name not in self.named:
            raise TargetNotConfigured(name)
        return self.named[name]

    def of(self, deployment: Deployment) -> Target:
        """Return the target on which the attempt runs or ran; of one without a record, the usual.

        Raises:
            TargetNotConfigured: no target leads to that platform any more.

        """
        return self.platform(self.name_of(deployment))

    def name_of(self, deployment: Deployment) -> str:
        """Return the `Target.name` of the same."""
        return deployment.target or self.usual.name

    def platform(self, name: str) -> Target:
        """Return the target whose `Target.name` it is.

        Raises:
            TargetNotConfigured: no target leads to that platform any more.

        """
        found = next((target for target in self if target.name == name), None)
        if found is None:
            raise TargetNotConfigured(name)
        return found

    def __iter__(self) -> Iterator[Target]:
        """Yield each, the usual one first."""
        yield self.usual
        yield from self.named.values()
