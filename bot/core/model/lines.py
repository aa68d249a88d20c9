"""What a preview follows: a branch, or a pull request whose branch lies in a fork.

Production is one more line: it follows the default branch, and holds what somebody promotes to it
or rolls it back to. It has its own variables, so it never shares a deployment with a preview.

A pull request from a branch of the same repository has no line of its own: it is one more name of
that branch's preview. So strangers' code and ours never share a preview, whatever their branches
are called.
"""

from dataclasses import dataclass

from bot.core.model.ids import Branch, PullNumber

_BRANCH = "refs/heads/"
_PULL, _HEAD = "refs/pull/", "/head"


@dataclass(frozen=True, slots=True)
class BranchLine:
    """A branch of the repository itself."""

    branch: Branch


@dataclass(frozen=True, slots=True)
class PullLine:
    """The head of a pull request from a fork, which the repository keeps as a ref of its own."""

    pull: PullNumber


@dataclass(frozen=True, slots=True)
class ProductionLine:
    """What the app's own name serves."""


Line = BranchLine | PullLine | ProductionLine

PRODUCTION = ProductionLine()

_PRODUCTION = "production"


def ref_of(line: Line) -> str:
    """Return the full name of the line's ref; it is the line's natural key."""
    match line:
        case BranchLine(branch):
            return f"{_BRANCH}{branch}"
        case PullLine(pull):
            return f"{_PULL}{pull}{_HEAD}"
        case ProductionLine():
            return _PRODUCTION


def line_of(ref: str) -> Line:
    """Return the line whose ref this is.

    Raises:
        ValueError: it is the ref of none, such as a tag.

    """
    if ref == _PRODUCTION:
        return PRODUCTION
    if ref.startswith(_BRANCH):
        return BranchLine(Branch(ref.removeprefix(_BRANCH)))
    number = ref.removeprefix(_PULL).removesuffix(_HEAD)
    if ref == f"{_PULL}{number}{_HEAD}" and number.isdecimal():
        return PullLine(PullNumber(int(number)))
    msg = f"{ref!r} is neither a branch nor a pull request's head"
    raise ValueError(msg)


def ending_of(line: Line) -> str:
    """Return in what way a line comes to its end, as the reason why its previews are gone."""
    match line:
        case BranchLine():
            return "the branch is gone"
        case PullLine():
            return "the pull request was closed"
        case ProductionLine():
            return "the default branch is gone"


def name_of(line: Line) -> str:
    """Return what people call the line: the branch, the pull request as `#7`, or production."""
    match line:
        case BranchLine(branch):
            return branch
        case PullLine(pull):
            return f"#{pull}"
        case ProductionLine():
            return _PRODUCTION
