"""How an order is to be built, in the words of v2, which our server takes by v1 as well."""

from bot.core.decide.entrypoint import site_folder
from bot.ports.target import Order

# What v1 does by itself: https://docs.deno.com/deploy/migration_guide, "Build configuration".
_V1_INSTALL = "deno install"

Config = dict[str, object]


def by_recipe(order: Order) -> Config | None:
    """Return the configuration that the order's recipe makes; None where it says nothing.

    It stands in for everything that the platform knows otherwise, the app's deno.json included.
    """
    recipe = order.recipe
    if not recipe.says_how_to_build:
        return None
    commands = {"install": recipe.install, "build": recipe.build, "predeploy": recipe.predeploy}
    # An empty command turns off what a preset would run; an absent one does not.
    config: Config = {name: said or None for name, said in commands.items() if said is not None}
    if recipe.framework is not None:
        return config | {"framework": recipe.framework}
    return {"install": _V1_INSTALL, **config, "runtime": _runtime(order)}


def by_entrypoint(order: Order) -> Config:
    """Return the configuration of an app that is installed and run, as v1 does it."""
    return {"install": _V1_INSTALL, "runtime": _runtime(order)}


def _runtime(order: Order) -> Config:
    folder = site_folder(order.entrypoint)
    if folder is None:
        return {"type": "dynamic", "entrypoint": order.entrypoint}
    return {"type": "static", "cwd": folder} | ({"spa": True} if order.recipe.spa else {})
