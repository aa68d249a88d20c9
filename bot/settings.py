"""Settings: the one reader of the environment.

What is read is taken out of the process environment, so that no child (git, Deno, a repository's
own code) can inherit it. Children of `previewbot up` get their settings as one line of JSON on
standard input instead: neither arguments nor environment are private to a process.
"""

import difflib
import os
from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_serializer,
    field_validator,
    model_validator,
)

from bot.core.model.errors import ConfigurationProblem
from bot.core.model.surfaces import DEFAULT_ENVIRONMENT, DEFAULT_SURFACES, Surface
from bot.target_settings import (
    PREFIX,
    TargetAccess,
    TargetKind,
    missing,
    named_targets,
    variables_of_targets,
)

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class Settings(BaseModel):
    """All settings; the field `x_y` is the variable `PREVIEWBOT_X_Y`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    # PREVIEWBOT_DATA_DIR
    data_dir: Path = Field(default_factory=lambda: Path.home() / ".local/share/previewbot")
    database_url: str | None = None  # PREVIEWBOT_DATABASE_URL; None: SQLite in the data directory
    bind: str = "127.0.0.1"  # PREVIEWBOT_BIND; address of the web process and the router
    port: int = Field(default=8080, ge=0, le=65535)  # PREVIEWBOT_PORT; 0: any free one
    preview_port: int = Field(default=8081, ge=0, le=65535)  # PREVIEWBOT_PREVIEW_PORT
    routers: int = Field(
        default=1, ge=1, le=64
    )  # PREVIEWBOT_ROUTERS; processes; 1: the host's own
    # PREVIEWBOT_API_PORT; the embedded platform's API, on loopback; 0: any free one
    api_port: int = Field(default=0, ge=0, le=65535)
    # PREVIEWBOT_PLATFORM_FILE; TOML: the embedded platform's limits and finer settings
    platform_file: Path | None = None
    # PREVIEWBOT_MIN_ISOLATION; below it the embedded platform runs no app
    min_isolation: Literal["L0", "L1", "L2", "L3"] = "L0"
    public_url: str | None = None  # PREVIEWBOT_PUBLIC_URL
    previews_url: str | None = None  # PREVIEWBOT_PREVIEWS_URL, e.g. https://*.example.dev
    trusted_proxies: str = ""  # PREVIEWBOT_TRUSTED_PROXIES; addresses, comma separated
    admin_token: SecretStr | None = None  # PREVIEWBOT_ADMIN_TOKEN
    target: TargetKind = TargetKind.EMBEDDED  # PREVIEWBOT_TARGET
    target_url: str | None = None  # PREVIEWBOT_TARGET_URL
    target_token: SecretStr | None = None  # PREVIEWBOT_TARGET_TOKEN
    target_organization: str | None = None  # PREVIEWBOT_TARGET_ORGANIZATION
    # PREVIEWBOT_TARGETS; "hosted=deploy-v2, partner=subhosting-v1": more targets, by the names
    # that repositories give them; the rest about each is in variables of its own
    targets: dict[str, TargetAccess] = Field(default_factory=dict)
    git_url: str | None = None  # PREVIEWBOT_GIT_URL; base of clone URLs
    github_api_url: str = "https://api.github.com"  # PREVIEWBOT_GITHUB_API_URL
    github_token: SecretStr | None = None  # PREVIEWBOT_GITHUB_TOKEN
    github_app_id: int | None = None  # PREVIEWBOT_GITHUB_APP_ID
    github_private_key_file: Path | None = None  # PREVIEWBOT_GITHUB_PRIVATE_KEY_FILE
    # PREVIEWBOT_GITHUB_PRIVATE_KEY; the text of that file, where files are hard to come by
    github_private_key: SecretStr | None = None
    setup_token: SecretStr | None = None  # PREVIEWBOT_SETUP_TOKEN; None: `up` makes one up
    github_webhook_secret: SecretStr | None = None  # PREVIEWBOT_GITHUB_WEBHOOK_SECRET
    surfaces: str = ",".join(sorted(DEFAULT_SURFACES))  # PREVIEWBOT_SURFACES; comma separated
    environment: str = DEFAULT_ENVIRONMENT  # PREVIEWBOT_ENVIRONMENT; of GitHub's Deployments
    # PREVIEWBOT_ENCRYPTION_KEY; Fernet keys, the newest first, comma separated; None: a file of
    # the data directory
    encryption_key: SecretStr | None = None
    # PREVIEWBOT_SWEEP_EVERY_S; between looks for what was missed: deliveries, branches, checks
    sweep_every_s: int = Field(default=600, ge=1)
    preview_days: int = Field(default=0, ge=0)  # PREVIEWBOT_PREVIEW_DAYS; since its newest deploy
    # PREVIEWBOT_PREVIEW_IDLE_DAYS; since its last visitor; Deno's own previews stay as long
    preview_idle_days: int = Field(default=30, ge=0)
    # PREVIEWBOT_PREVIEWS_PER_REPOSITORY; the oldest goes for a new one
    previews_per_repository: int = Field(default=100, ge=0)
    build_timeout_s: int = Field(default=600, ge=1)  # PREVIEWBOT_BUILD_TIMEOUT_S
    entrypoint: str | None = None  # PREVIEWBOT_ENTRYPOINT; None: found by name
    # PREVIEWBOT_MIRRORS_QUOTA_MB; beyond it the least used git mirrors are removed
    mirrors_quota_mb: int = Field(default=20_000, ge=100)

    @field_validator("surfaces")
    @classmethod
    def _known_surfaces(cls, text: str) -> str:
        """Refuse a name that is no surface."""
        known = set(Surface)
        if unknown := [word for word in _words(text) if word not in known]:
            msg = f"{unknown[0]!r} is none of {', '.join(Surface)}"
            raise ValueError(msg)
        return text

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        """Refuse what would only fail later, or worse, work unsafely."""
        for problem in _contradictions(self):
            raise problem
        return self

    @classmethod
    def take_from(cls, environment: MutableMapping[str, str], **given: Any) -> Self:  # noqa: ANN401 - flags of many types
        """Read all `PREVIEWBOT_*` variables, remove them from `environment`, and add flags.

        A flag that was given (is not None) beats its variable.

        Raises:
            ConfigurationProblem: a value is wrong; the variable is named.

        """
        found = {name: environment.pop(name) for name in _ours(environment)}
        targets = named_targets(found)
        known = {_variable(field): field for field in cls.model_fields if field != "targets"}
        values: dict[str, Any] = {
            known[name]: value for name, value in found.items() if name in known and value != ""
        }
        values |= {field: value for field, value in given.items() if value is not None}
        values |= {"targets": targets} if targets else {}
        return cls._checked(values)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote."""
        return cls.model_validate_json(text)

    def to_json(self) -> str:
        """Return everything, secrets included, as one line for a child's standard input."""
        return self.model_dump_json()

    @field_serializer(
        "admin_token",
        "target_token",
        "github_token",
        "github_webhook_secret",
        "encryption_key",
        "github_private_key",
        "setup_token",
        when_used="json",
    )
    def _reveal(self, secret: SecretStr | None) -> str | None:
        """Write the secret itself: JSON is only ever made for a child's private pipe."""
        return None if secret is None else secret.get_secret_value()

    def with_values(self, **values: Any) -> Self:  # noqa: ANN401 - settings of many types
        """Return these settings with some replaced, checked as a whole."""
        present = {name: value for name, value in self if value is not None}
        return self._checked(present | values)

    def for_platform(self) -> Self:
        """Return what the embedded platform may know: its own addresses and token.

        It has no pages of ours to send anybody to, unless `previewbot up` says so.
        """
        hidden = (
            "public_url",
            "admin_token",
            "github_token",
            "github_webhook_secret",
            "github_app_id",
            "encryption_key",
            "github_private_key",
            "setup_token",
        )
        return self.model_copy(update=dict.fromkeys(hidden) | {"targets": {}})

    @classmethod
    def _checked(cls, values: dict[str, Any]) -> Self:
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            first = error.errors(include_input=False)[0]
            field = str(first["loc"][0]) if first["loc"] else "settings"
            problem = str(first["msg"]).removeprefix("Value error, ")
            raise ConfigurationProblem(_variable(field), problem) from None

    @property
    def usual_target(self) -> TargetAccess:
        """Return where an app runs whose repository names no target."""
        return TargetAccess(
            kind=self.target,
            url=self.target_url,
            token=self.target_token,
            organization=self.target_organization,
            previews_url=self.previews_url,
        )

    @property
    def shown_on(self) -> frozenset[Surface]:
        """Return where deployments show on the forge, unless a repository says otherwise."""
        return frozenset(Surface(word) for word in _words(self.surfaces))

    @property
    def is_public(self) -> bool:
        """Tell whether the web process listens beyond this machine."""
        return self.bind not in LOOPBACK

    @property
    def uses_github(self) -> bool:
        """Tell whether commits live on GitHub rather than in our own bare repositories."""
        return self.github_app_id is not None or self.github_token is not None

    def secrets(self) -> tuple[str, ...]:
        """Return every secret value, for redaction."""
        values = [value for _, value in self]
        values += [target.token for target in self.targets.values()]
        return tuple(value.get_secret_value() for value in values if isinstance(value, SecretStr))


def _contradictions(settings: Settings) -> Iterator[ConfigurationProblem]:
    """Yield what is wrong between settings, each problem under the variable to change."""
    if settings.is_public and settings.admin_token is None:
        yield ConfigurationProblem(
            "PREVIEWBOT_ADMIN_TOKEN",
            f"is needed because PREVIEWBOT_BIND={settings.bind} is not a loopback address: the "
            "pages show build logs. Choose a long random text, e.g. `openssl rand -hex 24`.",
        )
    keys = (settings.github_private_key_file, settings.github_private_key)
    if settings.github_app_id is not None and keys == (None, None):
        yield ConfigurationProblem(
            "PREVIEWBOT_GITHUB_PRIVATE_KEY_FILE",
            "is needed with PREVIEWBOT_GITHUB_APP_ID: the .pem file from the App's settings page, "
            "under 'Private keys'.",
        )
    if settings.github_app_id is not None and settings.github_webhook_secret is None:
        yield ConfigurationProblem(
            "PREVIEWBOT_GITHUB_WEBHOOK_SECRET",
            "is needed with PREVIEWBOT_GITHUB_APP_ID: the 'Webhook secret' of the App.",
        )
    yield from missing(settings.usual_target, settings.targets)
    yield from _shared_hosts(settings)


def _shared_hosts(settings: Settings) -> Iterator[ConfigurationProblem]:
    """Yield a problem when previews could set cookies for our pages, or the other way round."""
    if settings.public_url is None or settings.previews_url is None:
        return
    pages = (urlsplit(settings.public_url).hostname or "").lower()
    previews = settings.previews_url.split("://")[-1].split("/")[0].split(":")[0].lower()
    base = previews.removeprefix("*.")
    if pages == base or pages.endswith("." + base) or base.endswith("." + pages):
        yield ConfigurationProblem(
            "PREVIEWBOT_PUBLIC_URL",
            f"{pages} and the previews' {base} share cookies; put them on unrelated domains, "
            "e.g. previewbot.example.com and *.example.dev",
        )


def unknown_variables(environment: Mapping[str, str]) -> dict[str, str | None]:
    """Return our prefix's variables that mean nothing, each with the nearest name that does."""
    known = [_variable(field) for field in Settings.model_fields]
    known += variables_of_targets(environment)
    return {
        name: next(iter(difflib.get_close_matches(name, known, n=1, cutoff=0.75)), None)
        for name in _ours(environment)
        if name not in known
    }


def process_environment() -> MutableMapping[str, str]:
    """Return this process's environment; the only place that hands it out."""
    return os.environ


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _ours(environment: Mapping[str, str]) -> list[str]:
    return [name for name in environment if name.startswith(PREFIX)]


def _variable(field: str) -> str:
    return PREFIX + field.upper()


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflow:
    """What GitHub Actions tells a step about itself; all empty elsewhere.

    Source: https://docs.github.com/en/actions/reference/workflows-and-actions/variables
    """

    repository: str | None  # "owner/name"
    repository_id: int | None
    sha: str | None
    output_file: Path | None  # GITHUB_OUTPUT
    summary_file: Path | None  # GITHUB_STEP_SUMMARY

    @classmethod
    def around(cls, environment: Mapping[str, str]) -> Self:
        """Return what the environment says."""
        number = environment.get("GITHUB_REPOSITORY_ID", "")
        output, summary = environment.get("GITHUB_OUTPUT"), environment.get("GITHUB_STEP_SUMMARY")
        return cls(
            repository=environment.get("GITHUB_REPOSITORY") or None,
            repository_id=int(number) if number.isdecimal() else None,
            sha=environment.get("GITHUB_SHA") or None,
            output_file=Path(output) if output else None,
            summary_file=Path(summary) if summary else None,
        )
