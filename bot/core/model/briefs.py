"""What one attempt is told to do, kept with it from the decision to its end."""

from dataclasses import dataclass, field

from bot.core.model.commands import Authority
from bot.core.model.config import Production, Recipe
from bot.core.model.ids import CommitSha, DeploymentId
from bot.core.model.outcomes import Annotation
from bot.core.model.selection import WHOLE, Selection
from bot.core.model.surfaces import Surface


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """The configuration that counted when an attempt was decided; defaults are those of none."""

    deploys: bool = True  # False: it only stands for a commit that is not deployed
    recipe: Recipe = field(default_factory=Recipe)
    selection: Selection = WHOLE
    deno_json_builds: bool = False  # the app's own deno.json says how it is built
    entrypoint: str | None = None  # the one that deno.json names, where the recipe names none
    production: Production | None = None  # of production's attempts: where it answers besides
    promoted: DeploymentId | None = None  # the preview's deployment whose files are run again
    database: bool = False  # it gets the KV database of its preview, or of production
    target: str | None = None  # one of the operator's targets; None: the usual one
    surfaces: frozenset[Surface] | None = None  # None: the operator's choice
    remarks: tuple[Annotation, ...] = ()  # on the configuration, for the commit's author
    back_to: DeploymentId | None = None  # nothing is made: this earlier one is served again
    instead_of: CommitSha | None = None  # then: the head that it stands in for
    authority: Authority | None = None  # whose wish it is; without the right it does not begin
    anew: bool = False  # somebody asked for it: nothing that is there already is used again


# Of an attempt that nobody was told anything about.
PLAIN = Brief()
