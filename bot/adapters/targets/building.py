"""How an order is to be built, in the words of v2, which our server takes by v1 as well."""

from bot.core.decide.entrypoint import site_folder
from bot.core.model.errors import TargetRefused
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
    if recipe.build and recipe.entrypoint is None and site_folder(order.entrypoint) is not None:
        # A page that was found by name is what is built; what comes out tells what serves it.
        return {"install": _V1_INSTALL, **config}
    return {"install": _V1_INSTALL, **config, "runtime": _runtime(order)}


def refuse_commands(order: Order, target: str) -> None:
    """Refuse a recipe with commands, for a platform that runs none.

    Raises:
        TargetRefused: naming the first key that would have no effect.

    """
    recipe = order.recipe
    said = {
        "framework": recipe.framework,
        "install": recipe.install if recipe.install != _V1_INSTALL else None,
        "build": recipe.build,
        "predeploy": recipe.predeploy,
        "spa": recipe.spa,
    }
    key = next((name for name, value in said.items() if value), None)
    if key is not None:
        message = f"this platform builds nothing, so take `{key}` out of the configuration"
        raise TargetRefused(target, status=400, code="buildsNothing", message=message)


def by_entrypoint(order: Order) -> Config:
    """Return the configuration of an app that is installed and run, as v1 does it."""
    return {"install": _V1_INSTALL, "runtime": _runtime(order)}


def _runtime(order: Order) -> Config:
    folder = site_folder(order.entrypoint)
    if folder is None:
        return {"type": "dynamic", "entrypoint": order.entrypoint}
    return {"type": "static", "cwd": folder} | ({"spa": True} if order.recipe.spa else {})
