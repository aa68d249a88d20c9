"""Which variables a deployment gets, and what a variable may be."""

import hashlib
import re
from collections.abc import Iterable, Sequence

from bot.core.model.environment import Context, Variable
from bot.core.model.ids import AppName, Branch
from bot.core.model.variables import OpenVariable, Scope
from bot.kernel.globs import glob_problem, judge

# Deno Deploy's limits. https://docs.deno.com/deploy/reference/env_vars_and_contexts/
MAX_KEY_CHARS = 128
MAX_VALUE_BYTES = 16_384

_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

# Deno Deploy's list, at the same address; `bot/subhosting/service/environment.py` has it as well.
_RESERVED_PREFIXES = ("DENO_", "LD_", "OTEL_")
_FREE = frozenset(
    {
        "DENO_AUTH_TOKENS",
        "DENO_COMPAT",
        "DENO_CONDITIONS",
        "DENO_DEPLOY_ENDPOINT",
        "DENO_DEPLOY_TOKEN",
    }
)

# How a context is written: two words, or a branch's glob behind this.
_BRANCH_PREFIX = "branch:"

# What is shorter is found in every other line of a log, and guessed anyway; of a value's lines,
# so is the frame of a key.
MIN_MASKED_CHARS = 4
MIN_MASKED_LINE_CHARS = 8


def scope_of(text: str, app: AppName | None) -> Scope | str:
    """Return the scope that `text` (preview, production or branch:GLOB) means, or a complaint."""
    if text in {Context.PREVIEW, Context.PRODUCTION}:
        return Scope(context=Context(text), app=app)
    if not text.startswith(_BRANCH_PREFIX):
        return f"{text!r} is no context; write preview, production or branch:GLOB"
    glob = text.removeprefix(_BRANCH_PREFIX)
    problem = "begins with a !" if glob.startswith("!") else glob_problem(glob)
    if problem is not None:
        return f"the branch glob {glob!r} {problem}"
    return Scope(context=Context.BRANCH, app=app, branches=glob)


def context_name(scope: Scope) -> str:
    """Return a scope's context as it is written."""
    return f"{_BRANCH_PREFIX}{scope.branches}" if scope.branches else str(scope.context)


def key_problem(key: str) -> str | None:
    """Return what is wrong with a variable's name, in words that follow it; None for nothing."""
    if not _KEY.fullmatch(key) or len(key) > MAX_KEY_CHARS:
        return (
            "is no name of a variable: letters, digits and underscores, no digit first, at most"
            f" {MAX_KEY_CHARS}"
        )
    if key.startswith(_RESERVED_PREFIXES) and key not in _FREE:
        return "is reserved for the platform"
    return None


def value_problem(value: str) -> str | None:
    """Return what is wrong with a value, without quoting it; None for nothing."""
    if "\0" in value:
        return "has a NUL, which no process can be given"
    size = len(value.encode())
    if size > MAX_VALUE_BYTES:
        return f"has {size:,} bytes, more than {MAX_VALUE_BYTES:,}"
    return None


def variables_for(
    kept: Iterable[OpenVariable], app: AppName, branch: Branch | None
) -> tuple[Variable, ...]:
    """Return what a deployment of `app` gets, each key once, by name.

    `branch` is what a preview is of; None means production, which gets production's and no
    others. Where several have one key, an app's beats every app's, and before that a branch's
    beats every preview's.
    """
    fitting = [each for each in kept if _fits(each.kept.scope, app, branch)]
    fitting.sort(key=lambda each: _rank(each.kept.scope))
    by_key = {
        each.kept.key: Variable(
            key=each.kept.key, value=each.value, context=each.kept.scope.context
        )
        for each in fitting
    }
    return tuple(by_key[key] for key in sorted(by_key))


def variables_version(kept: Iterable[OpenVariable], app: AppName, branch: Branch | None) -> str:
    """Return a text that is another one whenever `variables_for` may be; it tells no value."""
    versions = sorted(
        f"{each.kept.key}={each.kept.version}"
        for each in kept
        if _fits(each.kept.scope, app, branch)
    )
    return hashlib.sha256("\n".join(versions).encode()).hexdigest()[:16]


def masked(variables: Iterable[Variable]) -> Sequence[str]:
    """Return the texts that may stand in no log: each secret value, and each of its lines."""
    secrets = [variable.value for variable in variables if variable.secret]
    lines = [line.strip() for value in secrets for line in value.splitlines()]
    found = {value for value in secrets if len(value) >= MIN_MASKED_CHARS}
    found |= {line for line in lines if len(line) >= MIN_MASKED_LINE_CHARS}
    # The longest first: a value may hold another one.
    return sorted(found, key=len, reverse=True)


def _fits(scope: Scope, app: AppName, branch: Branch | None) -> bool:
    if scope.app is not None and scope.app != app:
        return False
    match scope.context:
        case Context.PRODUCTION:
            return branch is None
        case Context.PREVIEW:
            return branch is not None
        case Context.BRANCH:
            return (
                branch is not None
                and scope.branches is not None
                and judge([scope.branches], branch).fits
            )


def _rank(scope: Scope) -> tuple[bool, bool, str]:
    return (scope.context is Context.BRANCH, scope.app is not None, scope.branches or "")
