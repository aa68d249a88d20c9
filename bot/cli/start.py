"""How every command begins: read the settings once, and say what was mistyped."""

import sys
from typing import Any

from bot.settings import Settings, process_environment, unknown_variables


def start_settings(**flags: Any) -> Settings:  # noqa: ANN401 - flags of many types
    """Return the settings from environment and flags, with a warning for each unknown variable.

    Raises:
        ConfigurationProblem: a value is wrong or missing; the variable is named.

    """
    environment = process_environment()
    for name, nearest in unknown_variables(environment).items():
        hint = f"; did you mean {nearest}?" if nearest else ""
        print(f"previewbot: warning: {name} is not a setting{hint}", file=sys.stderr)
    return Settings.take_from(environment, **flags)
