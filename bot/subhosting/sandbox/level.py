"""The isolation levels, and what was reached on a machine."""

from dataclasses import dataclass
from enum import IntEnum


class Level(IntEnum):
    """How well a view is held; a level holds all that lower ones hold."""

    L0 = 0  # Deno's own permissions, resource limits
    L1 = 1  # Landlock, no_new_privs
    L2 = 2  # bubblewrap, seccomp, a user id of its own
    L3 = 3  # a network of its own

    @classmethod
    def named(cls, name: str) -> "Level":
        """Return the level called `name`, such as `L2`.

        Raises:
            ValueError: there is no such level.

        """
        try:
            return cls[name.upper()]
        except KeyError:
            raise ValueError(f"no isolation level {name!r}; there are L0, L1, L2 and L3") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """A layer that does not hold here: why, and what the operator can do about it."""

    layer: str
    reason: str
    fix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Isolation:
    """What was reached and proven on this machine."""

    level: Level
    layers: tuple[str, ...]
    missing: tuple[Missing, ...]

    def document(self) -> dict[str, object]:
        """Return it as JSON values, for the API, `/readyz` and `previewbot doctor`."""
        return {
            "level": self.level.name,
            "layers": list(self.layers),
            "missing": [
                {"layer": each.layer, "reason": each.reason, "fix": each.fix}
                for each in self.missing
            ],
        }
