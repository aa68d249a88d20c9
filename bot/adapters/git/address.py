"""Where repositories are cloned from: the operator's base, never anything out of a payload."""

import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from bot.core.model.errors import ConfigurationProblem
from bot.core.model.ids import RepoName, repo_name

SETTING = "PREVIEWBOT_GIT_URL"

# Spelled out rather than left to a URL parser: whatever it does not name (`ext::sh -c`, a host
# like `-oProxyCommand=..`, a password, a query) is no address of ours.
_NETWORK = re.compile(
    r"(?P<scheme>https?|ssh)://(?:(?P<user>[A-Za-z0-9_][A-Za-z0-9_.-]*)@)?"
    r"(?P<host>[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\])(?::[0-9]{1,5})?"
    r"(?:/[A-Za-z0-9._~%+-]+)*/?"
)
_LOCAL = re.compile(r"file://(?P<path>/[^\x00-\x1f\x7f]*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class CloneBase:
    """A checked base address; every repository lives at `<url>/<owner>/<name>`."""

    url: str
    scheme: str

    def address_of(self, name: RepoName) -> str:
        """Return the clone URL of `name`.

        Raises:
            ConfigurationProblem: `name` is no "owner/name" (it was let in unchecked somewhere).

        """
        if repo_name(name) is None:
            raise ConfigurationProblem(SETTING, f"{name!r} is not a repository's name")
        bare = f"{self.url}/{name}.git"
        if self.scheme == "file" and not self._path(f"{name}.git").is_dir():
            return bare.removesuffix(".git")
        return bare

    @property
    def takes_credentials(self) -> bool:
        """Tell whether git may be asked for a password there (a file and ssh never ask)."""
        return self.scheme in {"http", "https"}

    def _path(self, name: str) -> Path:
        return Path(unquote(self.url.removeprefix("file://"))) / name


def clone_base(base_url: str) -> CloneBase:
    """Return `base_url` as a base for clone URLs.

    Allowed: `https://host[:port][/path]`, `ssh://[user@]host..`, `file:///path`, and `http://`
    on loopback only, because a credential would travel in the clear.

    Raises:
        ConfigurationProblem: it is anything else; the message names the setting.

    """
    trimmed = base_url.rstrip("/")
    if _LOCAL.fullmatch(trimmed):
        return CloneBase(url=trimmed, scheme="file")
    match = _NETWORK.fullmatch(trimmed)
    if match is None or ".." in trimmed or "/-" in trimmed:
        raise ConfigurationProblem(
            SETTING,
            f"{base_url!r} is not an address to clone from; give https://HOST, ssh://git@HOST "
            "or file:///PATH without a password, for example https://github.com",
        )
    scheme, user, host = match.group("scheme", "user", "host")
    if user is not None and scheme != "ssh":
        raise ConfigurationProblem(
            SETTING, "leave the user name out; credentials come from the forge's settings"
        )
    if scheme == "http" and not _is_loopback(host):
        raise ConfigurationProblem(
            SETTING, f"http://{host} would send the token in the clear; use https"
        )
    return CloneBase(url=trimmed, scheme=scheme)


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
