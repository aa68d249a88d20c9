"""Variables of apps and layers: checked, merged, and kept secret."""

from collections.abc import Sequence
from dataclasses import replace

from bot.subhosting.errors import InvalidRequest, TooLarge
from bot.subhosting.identifiers import new_uuid
from bot.subhosting.service import environment
from bot.subhosting.service.services import Services
from bot.subhosting.store.records import VariableRecord
from bot.wire.deploy_v2 import Contexts, EnvVarInput, EnvVarUpdate


def made(services: Services, wanted: Sequence[EnvVarInput]) -> list[VariableRecord]:
    """Return new variables.

    Raises:
        InvalidRequest: a name is the platform's own; the message names the field, never a value.
        TooLarge: too many, or too long.

    """
    variables = [
        VariableRecord(
            id=new_uuid(),
            key=each.key,
            value=each.value,
            secret=each.secret,
            contexts=_contexts(each.contexts),
        )
        for each in wanted
    ]
    _check(services, variables)
    return variables


def merged(
    services: Services, present: Sequence[VariableRecord], updates: Sequence[EnvVarUpdate]
) -> list[VariableRecord]:
    """Return `present` after `updates`, each found by id, else by key and contexts, else made.

    Without contexts a key finds its only variable, or the one that holds in all contexts.

    Raises:
        InvalidRequest: an update does not fit what is there; the message names it.
        TooLarge: too many, or too long.

    """
    variables = list(present)
    for number, update in enumerate(updates):
        found = _found(variables, update)
        if found is None:
            variables.append(_new(update, number))
        elif update.delete:
            variables.remove(found)
        else:
            variables[variables.index(found)] = _changed(found, update, number)
    _check(services, variables)
    return variables


def of_revision(services: Services, variables: dict[str, str]) -> dict[str, str]:
    """Return a revision's own variables if they are possible.

    Raises:
        InvalidRequest: a name is the platform's own.
        TooLarge: too many, or too long.

    """
    try:
        environment.check(variables, services.config.limits)
    except (InvalidRequest, TooLarge) as error:
        raise type(error)(error.code, _in_our_words(error.message)) from error
    return variables


def _found(variables: Sequence[VariableRecord], update: EnvVarUpdate) -> VariableRecord | None:
    if update.id is not None:
        return next((each for each in variables if each.id == update.id), None)
    named = [each for each in variables if each.key == update.key]
    if update.contexts is None and len(named) == 1:
        return named[0]
    contexts = _as_set(_contexts(update.contexts or "all"))
    return next((each for each in named if _as_set(each.contexts) == contexts), None)


def _new(update: EnvVarUpdate, number: int) -> VariableRecord:
    problem: str | None = None
    if update.id is not None:
        problem = f"there is no variable with the id {update.id!r}"
    elif update.delete:
        problem = f"there is no variable {update.key!r} with these contexts to delete"
    elif update.value is None:
        problem = f"the new variable {update.key!r} needs a value"
    if problem is not None or update.key is None or update.value is None:
        raise InvalidRequest("invalidRequest", f"env_vars.{number}: {problem}.")
    return VariableRecord(
        id=new_uuid(),
        key=update.key,
        value=update.value,
        secret=bool(update.secret),
        contexts=_contexts(update.contexts or "all"),
    )


def _changed(found: VariableRecord, update: EnvVarUpdate, number: int) -> VariableRecord:
    if found.secret and update.secret is False and update.value is None:
        msg = f"env_vars.{number}: a secret's value is not shown; send a new one to show."
        raise InvalidRequest("invalidRequest", msg)
    return replace(
        found,
        key=found.key if update.key is None else update.key,
        value=found.value if update.value is None else update.value,
        secret=found.secret if update.secret is None else update.secret,
        contexts=found.contexts if update.contexts is None else _contexts(update.contexts),
    )


def _check(services: Services, variables: Sequence[VariableRecord]) -> None:
    limit = services.config.limits.env_vars
    if len(variables) > limit:
        msg = f"env_vars: {len(variables)} are more than the limit of {limit}."
        raise TooLarge("tooManyEnvVars", msg)
    for each in variables:
        of_revision(services, {each.key: each.value})


def _contexts(contexts: Contexts) -> tuple[str, ...] | None:
    return None if contexts == "all" else tuple(contexts)


def _as_set(contexts: tuple[str, ...] | None) -> frozenset[str] | None:
    return None if contexts is None else frozenset(name.lower() for name in contexts)


def _in_our_words(message: str) -> str:
    return message.replace("envVars:", "env_vars:", 1)
