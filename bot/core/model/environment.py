"""What a deployment runs with besides its files: whose code it is, its variables, its database."""

from dataclasses import dataclass, field
from enum import StrEnum


class Trust(StrEnum):
    """Whose code it is."""

    OWN = "own"
    # A fork's: no variable, database, shared layer or cache, and a stricter sandbox.
    STRANGER = "stranger"


class Context(StrEnum):
    """Which deployments a variable is meant for."""

    PREVIEW = "preview"  # all previews of the app
    BRANCH = "branch"  # previews of branches that a glob matched, this one's among them
    PRODUCTION = "production"


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """An environment variable; the value of a secret one is never shown again."""

    key: str
    value: str = field(repr=False)
    context: Context
    secret: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What one deployment runs with; of two variables with one key the later one holds."""

    trust: Trust = Trust.OWN
    variables: tuple[Variable, ...] = ()
    database: str | None = None  # our name of the KV database that it uses; None: it has none

    def __post_init__(self) -> None:
        """Refuse to give anything to strangers, whoever asks for it.

        Raises:
            ValueError: a stranger's code would get a variable or a database.

        """
        if self.trust is Trust.STRANGER and (self.variables or self.database is not None):
            msg = "a stranger's code gets no variables and no database"
            raise ValueError(msg)

    def values(self) -> dict[str, str]:
        """Return every variable by its key, secrets in the clear."""
        return {variable.key: variable.value for variable in self.variables}
