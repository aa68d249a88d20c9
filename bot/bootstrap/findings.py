"""What a look of `previewbot doctor` found, and what to do about it."""

from dataclasses import asdict, dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """How a check came out."""

    OK = "ok"
    # It works, with less than it could have.
    LACKING = "lacking"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at; `fix` is empty where nothing is to be done."""

    name: str
    outcome: Outcome
    found: str
    fix: str = ""

    def document(self) -> dict[str, str]:
        """Return it as JSON values."""
        return {key: str(value) for key, value in asdict(self).items()}


def ok(name: str, found: str) -> Check:
    """Return that `name` is as it should be."""
    return Check(name=name, outcome=Outcome.OK, found=found)


def lacking(name: str, found: str, fix: str) -> Check:
    """Return that `name` could be better."""
    return Check(name=name, outcome=Outcome.LACKING, found=found, fix=fix)


def problem(name: str, found: str, fix: str) -> Check:
    """Return that `name` keeps the bot from working."""
    return Check(name=name, outcome=Outcome.PROBLEM, found=found, fix=fix)
