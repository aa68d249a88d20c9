"""Environment variables that a client may give to its deployment."""

from collections.abc import Mapping

from bot.subhosting.config import Limits
from bot.subhosting.errors import InvalidRequest, TooLarge

# Deno Deploy's list. https://docs.deno.com/deploy/reference/env_vars_and_contexts/
_RESERVED_PREFIXES = ("DENO_", "LD_", "OTEL_")
_FREE = frozenset(
    {
        "DENO_AUTH_TOKENS",
        "DENO_COMPAT",
        "DENO_CONDITIONS",
        "DENO_DEPLOY_ENDPOINT",
        "DENO_DEPLOY_TOKEN",
    }
)


def check(env_vars: Mapping[str, str], limits: Limits) -> None:
    """Refuse names that are the platform's own, and what no process can be given.

    Raises:
        InvalidRequest: naming the variable; never its value.
        TooLarge: too many, or one is too long.

    """
    if len(env_vars) > limits.env_vars:
        msg = f"envVars: {len(env_vars)} are more than the limit of {limits.env_vars}."
        raise TooLarge("tooManyEnvVars", msg)
    for name, value in env_vars.items():
        if (problem := _problem(name, value)) is not None:
            raise InvalidRequest("invalidEnvVar", f"envVars: {name[:128]!r} {problem}.")
        if _size(name) > limits.env_key_bytes or _size(value) > limits.env_value_bytes:
            msg = (
                f"envVars: {name[:128]!r} is too long; names have at most {limits.env_key_bytes}"
                f" bytes and values {limits.env_value_bytes}."
            )
            raise TooLarge("envVarTooLarge", msg)
    total = sum(_size(name) + _size(value) for name, value in env_vars.items())
    if total > limits.env_total_bytes:
        limit = limits.env_total_bytes
        msg = f"envVars: all together have {total} bytes, more than the limit of {limit}."
        raise TooLarge("envVarsTooLarge", msg)


def _problem(name: str, value: str) -> str | None:
    if not name or "=" in name or "\0" in name:
        return "is not a possible name"
    if "\0" in value:
        return "has a NUL in its value"
    if name.startswith(_RESERVED_PREFIXES) and name not in _FREE:
        return "is reserved for the platform"
    try:
        (name + value).encode()
    except UnicodeEncodeError:
        return "is not valid UTF-8"
    return None


def _size(text: str) -> int:
    return len(text.encode())
