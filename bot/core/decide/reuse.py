"""When what is live already is what a new deployment would be."""

import hashlib
from dataclasses import dataclass

from bot.core.model.briefs import Brief
from bot.core.model.environment import Trust


@dataclass(frozen=True, slots=True, kw_only=True)
class Makings:
    """All that a deployment is made of."""

    tree: str  # the source's id of the app's root
    brief: Brief
    variables: str  # the version of the variables that it gets
    database: str | None
    runtime: str  # what builds and runs it
    trust: Trust


def reuse_key(makings: Makings) -> str:
    """Return a text that two deployments share exactly when they are made of the same.

    Remarks and surfaces of the brief make nothing; a value of a variable is no part of it.
    """
    brief = makings.brief
    parts = (
        makings.tree,
        repr(brief.recipe),
        repr(brief.selection),
        repr(brief.entrypoint),
        repr(brief.deno_json_builds),
        repr(brief.target),
        repr(brief.production is not None),
        makings.variables,
        repr(makings.database),
        makings.runtime,
        str(makings.trust),
    )
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
