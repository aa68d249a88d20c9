"""From the file's keys to the values that decisions read."""

from datetime import timedelta
from typing import TypeVar

from bot.core.model.config import (
    PREVIEW_LABEL,
    AppConfig,
    ForkPolicy,
    Lifetimes,
    Mode,
    Production,
    Recipe,
    RepositoryConfig,
    Rules,
)
from bot.core.model.ids import AppName
from bot.core.model.surfaces import Surface
from bot.wire.repository_config import AppEntry, AppKeys, ConfigDocument, RecipeKeys

T = TypeVar("T")


def repository_config(document: ConfigDocument) -> RepositoryConfig:
    """Return what a checked file says."""
    surfaces = document.surfaces
    return RepositoryConfig(
        apps=tuple(_app(entry, document) for entry in document.apps or (document,)),
        surfaces=None if surfaces is None else frozenset(map(Surface, surfaces)),
        lifetimes=Lifetimes(
            longest=_duration(document.ttl),
            idle=_duration(document.idle),
            most=document.max_previews,
        ),
        forks=ForkPolicy(_or(document.forks, "approve")),
        lfs=_or(document.lfs, False),  # noqa: FBT003 - the key's default
        submodules=_or(document.submodules, False),  # noqa: FBT003 - the same
    )


def _app(entry: AppKeys, top: AppKeys) -> AppConfig:
    """Return one app; what its entry does not say, the top of the file says."""
    if entry is not top:
        said = {name: getattr(entry, name) for name in entry.model_fields_set}
        inherited = {name: getattr(top, name) for name in _inherited(top)}
        entry = AppEntry.model_construct(**(inherited | said))
    is_live = _or(entry.production, False)  # noqa: FBT003 - the key's default
    return AppConfig(
        name=AppName(entry.name if isinstance(entry, AppEntry) else ""),
        recipe=_recipe(entry),
        rules=_rules(entry),
        production=Production(domain=entry.production_domain) if is_live else None,
        database=_or(entry.database, False),  # noqa: FBT003 - the key's default
        target=entry.target,
    )


def _inherited(top: AppKeys) -> set[str]:
    return top.model_fields_set & AppKeys.model_fields.keys()


def _recipe(keys: RecipeKeys) -> Recipe:
    return Recipe(
        root=keys.root or None,
        include=tuple(keys.include or ()),
        exclude=tuple(keys.exclude or ()),
        entrypoint=keys.entrypoint,
        framework=keys.framework,
        install=_command(keys, "install"),
        build=_command(keys, "build"),
        predeploy=_command(keys, "predeploy"),
        spa=keys.spa,
    )


def _command(keys: RecipeKeys, name: str) -> str | None:
    """Return a command, "" for one that was turned off by null, None for one not spoken of."""
    command: str | None = getattr(keys, name)
    return command or ("" if name in keys.model_fields_set else None)


def _rules(keys: AppKeys) -> Rules:
    return Rules(
        mode=Mode(_or(keys.mode, "auto")),
        branches=tuple(keys.branches or ()),
        paths=tuple(keys.paths or ()),
        label=_or(keys.label, PREVIEW_LABEL),
        skip_labels=tuple(keys.skip_labels or ()),
        drafts=_or(keys.drafts, True),  # noqa: FBT003 - the key's default
        bots=_or(keys.bots, True),  # noqa: FBT003 - the same
        locked=keys.locked,
    )


def _duration(seconds: int | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)


def _or(value: T | None, default: T) -> T:
    return default if value is None else value
