"""Which configuration counts for a commit: its own recipe, and the default branch's power.

A stranger, or a colleague's unreviewed change, may say how files become a site, but not which
variables it gets, where it runs or who may approve it.
"""

from collections.abc import Iterator
from dataclasses import fields, replace

from bot.core.model.config import (
    THE_ONLY_APP,
    AppConfig,
    ConfigFile,
    Counting,
    KeyPath,
    Mistaken,
    RepositoryConfig,
    Rules,
)
from bot.core.model.outcomes import Annotation, Severity


def counting(trusted: ConfigFile | None, own: ConfigFile | None) -> Counting | Mistaken:
    """Return what counts for a commit that has the file `own`.

    `trusted` is the default branch's file; None for one without. A commit without a file takes
    the default branch's recipe, so that a branch older than the file needs no rebase.
    """
    if own is not None and own.config is None:
        known = trusted.config if trusted is not None else None
        apps = (THE_ONLY_APP,) if known is None else tuple(app.name for app in known.apps)
        return Mistaken(problems=own.problems, in_commit=True, apps=apps)
    if trusted is not None and trusted.config is None:
        return Mistaken(problems=trusted.problems, in_commit=False)
    config = RepositoryConfig() if trusted is None or trusted.config is None else trusted.config
    if own is None or own.config is None or own is trusted:
        return Counting(config=config)
    cooked = tuple(_with_recipe_of(app, own.config) for app in config.apps)
    remarks = tuple(_without_effect(config, own, own.config))
    return Counting(config=replace(config, apps=cooked), remarks=remarks)


def _with_recipe_of(app: AppConfig, own: RepositoryConfig) -> AppConfig:
    said = own.app(app.name)
    return app if said is None else replace(app, recipe=said.recipe)


def _without_effect(
    config: RepositoryConfig, file: ConfigFile, own: RepositoryConfig
) -> Iterator[Annotation]:
    """Yield a remark for each key of the commit's file that differs and does not count."""
    for name in ("surfaces", "lifetimes", "forks", "lfs", "submodules"):
        if getattr(own, name) != getattr(config, name):
            yield from _remarks(file, (), name)
    for number, app in enumerate(own.apps):
        entry: KeyPath = () if app.name == THE_ONLY_APP else ("apps", number)
        known = config.app(app.name)
        if known is None and entry:
            words = (
                f"the app {app.name!r} is not on the default branch; it counts once it is there"
            )
            yield _remark(file, (*entry, "name"), words)
        elif known is not None and replace(known, recipe=app.recipe) != app:
            for name in _POWER:
                if _value(known, name) != _value(app, name):
                    yield from _remarks(file, entry, name)


# Values of an app that grant power, and the keys of the file that they come from.
_POWER = (*(f"rules.{field.name}" for field in fields(Rules)), "production", "database", "target")
_KEYS = {
    "lifetimes": ("ttl", "idle", "max-previews"),
    "production": ("production", "production-domain"),
}


def _value(app: AppConfig, name: str) -> object:
    part, _, rest = name.partition(".")
    value: object = getattr(app, part)
    return getattr(value, rest) if rest else value


def _remarks(file: ConfigFile, entry: KeyPath, name: str) -> Iterator[Annotation]:
    last = name.rpartition(".")[2]
    for key in _KEYS.get(last, (last.replace("_", "-"),)):
        steps = next((each for each in ((*entry, key), (key,)) if each in file.places), None)
        if steps is not None:
            yield _remark(file, steps, f"{key}: counts as it stands on the default branch")


def _remark(file: ConfigFile, steps: KeyPath, words: str) -> Annotation:
    place = file.places[steps]
    return Annotation(
        path=file.path,
        line=place.line,
        column=place.column,
        message=words,
        severity=Severity.NOTICE,
    )
