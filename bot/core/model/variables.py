"""Environment variables that people keep for a repository's deployments."""

from dataclasses import dataclass, field
from datetime import datetime

from bot.core.model.environment import Context
from bot.core.model.ids import AppName


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which deployments a variable is for."""

    context: Context
    app: AppName | None = None  # None: every app of the repository
    branches: str | None = None  # a glob, exactly where the context is BRANCH


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptVariable:
    """A variable without its value, which is never shown again."""

    scope: Scope
    key: str
    version: str  # another one at each change, and no trace of the value
    set_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenVariable:
    """A variable on its way to a deployment."""

    kept: KeptVariable
    value: str = field(repr=False)
