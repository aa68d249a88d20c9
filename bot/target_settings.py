"""Where previews run, as settings say it: the usual target, and those that have a name.

A part of `bot.settings`, which reads the environment; here are values alone.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, SecretStr, field_serializer

from bot.core.model.errors import ConfigurationProblem

PREFIX = "PREVIEWBOT_"
TARGETS = f"{PREFIX}TARGETS"


class TargetKind(StrEnum):
    """Where previews run."""

    EMBEDDED = "embedded"
    SUBHOSTING_V1 = "subhosting-v1"
    DEPLOY_V2 = "deploy-v2"


# What each platform that is not ours needs, and where to find it.
_NEEDED_BY = {
    TargetKind.EMBEDDED: (
        ("url", "token", "organization", "previews_url"),
        ": what `previewbot subhosting` printed on the other machine",
    ),
    TargetKind.SUBHOSTING_V1: (("url", "token", "organization", "previews_url"), ""),
    TargetKind.DEPLOY_V2: (
        ("token", "previews_url"),
        ": a token of the organization (ddo_...), and the domain of its apps: https://*.ORG.deno.net",
    ),
}

# As repositories write it: `bot.wire.repository_config.Name`.
_TARGET_NAME = re.compile(r"(?=.{1,24}\Z)[a-z0-9]+(?:-[a-z0-9]+)*")


class TargetAccess(BaseModel):
    """Where a platform is and who we are there.

    Of one that is called `x-y` the field `z` is the variable `PREVIEWBOT_TARGET_X_Y_Z`, and the
    kind stands in `PREVIEWBOT_TARGETS`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: TargetKind
    url: str | None = None
    token: SecretStr | None = None
    organization: str | None = None
    previews_url: str | None = None

    @field_serializer("token", when_used="json")
    def _reveal(self, secret: SecretStr | None) -> str | None:
        """Write the secret itself, as `Settings` does."""
        return None if secret is None else secret.get_secret_value()


_OF_A_TARGET = tuple(field for field in TargetAccess.model_fields if field != "kind")


def missing(
    usual: TargetAccess, named: Mapping[str, TargetAccess]
) -> Iterator[ConfigurationProblem]:
    """Yield what a platform that is not ours cannot be reached without."""
    asked: list[tuple[str | None, TargetAccess]] = [*named.items()]
    if usual.kind is not TargetKind.EMBEDDED:
        asked.insert(0, (None, usual))
    for name, target in asked:
        needed, where = _NEEDED_BY[target.kind]
        said = f"PREVIEWBOT_TARGET={target.kind}"
        if name is not None:
            said = f"{name}={target.kind} in {TARGETS}"
        for field in needed:
            if getattr(target, field) is None:
                variable = target_variable(name, field)
                yield ConfigurationProblem(variable, f"is needed with {said}{where}")


def target_variable(name: str | None, field: str) -> str:
    """Return the variable of a `TargetAccess` field; `name` is None for the usual target."""
    if name is None:
        return PREFIX + (field if field == "previews_url" else f"target_{field}").upper()
    return PREFIX + f"target_{name.replace('-', '_')}_{field}".upper()


def named_targets(found: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Return what is said about each named target.

    Raises:
        ConfigurationProblem: a name or a kind is wrong, or a name is there twice.

    """
    targets: dict[str, dict[str, str]] = {}
    for entry in entries(found):
        name, _, kind = (part.strip() for part in entry.partition("="))
        problem = _problem_of(name, kind, targets)
        if problem:
            raise ConfigurationProblem(TARGETS, problem)
        said = {field: found.get(target_variable(name, field)) for field in _OF_A_TARGET}
        targets[name] = {"kind": kind} | {field: value for field, value in said.items() if value}
    return targets


def entries(found: Mapping[str, str]) -> list[str]:
    """Return what is listed in the variable, as it was written."""
    return [word.strip() for word in found.get(TARGETS, "").split(",") if word.strip()]


def variables_of_targets(found: Mapping[str, str]) -> list[str]:
    """Return the variables that mean something because of the names that are listed."""
    names = [entry.partition("=")[0].strip() for entry in entries(found)]
    return [target_variable(name, field) for name in names for field in _OF_A_TARGET]


def _problem_of(name: str, kind: str, known: Collection[str]) -> str | None:
    if not _TARGET_NAME.fullmatch(name):
        return (
            f"{name[:100]!r} is no name: write for example hosted=deploy-v2, with at most 24 "
            "lower-case letters, digits and single dashes"
        )
    if kind not in set(TargetKind):
        return f"{name} is {kind[:100]!r}, which is none of {', '.join(TargetKind)}"
    if name in known:
        return f"{name} is there twice"
    ours = _variables(name)
    shared = [(each, ours & _variables(each)) for each in known if ours & _variables(each)]
    return f"{name} and {shared[0][0]} share {min(shared[0][1])}; rename one" if shared else None


def _variables(name: str) -> set[str]:
    return {target_variable(name, field) for field in _OF_A_TARGET}
