"""The operator's file about the embedded platform: its limits, and whatever else has no variable.

Its keys are the fields of `SubhostingConfig`, durations in seconds; `[limits]`, `[retention]`,
`[runtime]` and `[build]` are tables. Both processes of the platform read it when they start.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from bot.core.model.errors import ConfigurationProblem
from bot.subhosting.config import SubhostingConfig

VARIABLE = "PREVIEWBOT_PLATFORM_FILE"

# These follow from other settings.
ELSEWHERE = frozenset(
    {
        "api_url",
        "base_domain",
        "data_dir",
        "organization_id",
        "previews_port",
        "previews_scheme",
        "trusted_proxies",
    }
)

# Nothing here makes sense below zero. Zero does for a few, for example `live_instances`.
_CHECKED: Mapping[Any, Any] = {
    int: Annotated[int, Field(ge=0, strict=True)],
    timedelta: Annotated[timedelta, Field(ge=timedelta(0))],
}


def configured(config: SubhostingConfig, path: Path | None) -> SubhostingConfig:
    """Return the configuration as the file at `path` changes it; unchanged without a file.

    Raises:
        ConfigurationProblem: the file cannot be read, or something in it is wrong; it is named.

    """
    if path is None:
        return config
    given = _read(path)
    for name, value in given.items():
        if isinstance(value, dict):
            given[name] = replace(getattr(config, name), **value)
    try:
        return replace(config, **given)
    except ValueError as error:
        raise ConfigurationProblem(VARIABLE, f"{path}: {error}") from None


def check(path: Path | None) -> None:
    """Read the file early, so that the operator and not a log hears what is wrong.

    Raises:
        ConfigurationProblem: as `configured`.

    """
    configured(SubhostingConfig(data_dir=Path("/")), path)


def _read(path: Path) -> dict[str, Any]:
    model = _model(SubhostingConfig, without=ELSEWHERE)
    try:
        document = tomllib.loads(path.expanduser().read_text(encoding="utf-8"))
        return model.model_validate(document).model_dump(exclude_unset=True)
    except ValidationError as error:
        # Never the value itself, which may be a secret.
        first = error.errors(include_input=False)[0]
        key = ".".join(map(str, first["loc"]))
        raise ConfigurationProblem(VARIABLE, f"{path}: {key}: {first['msg']}") from None
    except (OSError, ValueError) as error:
        raise ConfigurationProblem(VARIABLE, f"{path}: {error}") from None


def _model(kind: Any, *, without: frozenset[str] = frozenset()) -> type[BaseModel]:  # noqa: ANN401 - a dataclass's class
    """Return what checks a TOML table whose keys are the fields of `kind`; none is required."""
    hints = get_type_hints(kind)
    columns: dict[str, Any] = {}
    for field in fields(kind):
        if field.name not in without:
            hint = hints[field.name]
            checked = _model(hint) if is_dataclass(hint) else _CHECKED.get(hint, hint)
            columns[field.name] = (checked, None)
    return create_model(kind.__name__, __config__=ConfigDict(extra="forbid"), **columns)
