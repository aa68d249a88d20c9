"""The result of a step as it is written down: a value, or the exception it ended with.

Exceptions are results too. Were they not recorded, a step whose failure the pipeline has acted on
would run again on resume, might succeed, and the road would fork. They are taken apart by hand,
because pickle rebuilds an exception by calling its class with the message alone, which ours, with
facts for parameters, refuse.
"""

import pickle
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from typing_extensions import override

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Returned:
    """The step returned."""

    value: object


@dataclass(frozen=True, slots=True)
class Raised:
    """The step raised."""

    kind: type[Exception]
    args: tuple[object, ...]
    facts: dict[str, object]
    original: Exception | None = None  # with traceback and cause; not written down

    @override
    def __reduce__(self) -> tuple[object, ...]:
        return (Raised, (self.kind, self.args, self.facts))

    def error(self) -> Exception:
        """Return the exception itself, or one like it without its traceback and cause."""
        if self.original is not None:
            return self.original
        error = self.kind.__new__(self.kind, *self.args)
        error.args = self.args
        error.__dict__.update(self.facts)
        return error


Result = Returned | Raised


def result_of(do: Callable[[], object]) -> Result:
    """Run `do` and return how it ended; what is no `Exception` passes through."""
    try:
        return Returned(do())
    except Exception as error:  # noqa: BLE001 - recorded here, raised again by `value_of`
        return _plain(error)


def value_of(result: object) -> object:
    """Return the recorded value, or raise the recorded exception."""
    match result:
        case Returned(value):
            return value
        case Raised():
            raise result.error()
        case _:
            msg = f"a step was recorded as {type(result).__name__}, which no version of ours wrote"
            raise TypeError(msg)


def _plain(error: Exception) -> Raised:
    raised = Raised(type(error), error.args, dict(error.__dict__), error)
    try:
        pickle.loads(pickle.dumps(raised)).error()  # noqa: S301 - our own bytes
    except Exception:  # noqa: BLE001 - a vendor's exception may hold sockets, locks, anything
        return Raised(RuntimeError, (f"{type(error).__name__}: {error}",), {}, error)
    return raised
