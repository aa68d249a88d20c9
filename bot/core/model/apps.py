"""The GitHub App of an installation, as the one-click set-up makes it."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class GithubApp:
    """An App and its secrets; `repr` does not show them."""

    id: int
    slug: str
    html_url: str  # its public page; installing it begins there
    private_key: str = field(repr=False)  # PEM
    webhook_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedPermission:
    """A right that the App asks for, and what it is for."""

    name: str  # as GitHub's manifest has it
    level: str
    why: str
