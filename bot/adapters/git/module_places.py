"""Where a submodule's repository is: what a stranger wrote in `.gitmodules`, judged.

Only two kinds of addresses are followed: repositories at the forge's own base, and https addresses
on the public Internet, which are asked without any login. Those for ssh are asked by https. There
is no way from here to a file, a command, a helper or an option.
"""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from bot.adapters.git.address import CloneBase
from bot.core.model.ids import RepoName, repo_name

MAX_URL_CHARS = 1000

_HTTPS_PORT = 443

_HOST = r"(?P<host>[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)"
# No component may look like an option, or climb.
_PATH = r"(?P<path>(?:/(?![-.])[A-Za-z0-9._~%+-]+)+)/?"
_HTTPS = re.compile(rf"https://{_HOST}(?::(?P<port>[0-9]{{1,5}}))?{_PATH}")
_SSH = re.compile(rf"(?:git\+)?ssh://(?:[A-Za-z0-9_]+@)?{_HOST}(?::[0-9]{{1,5}})?{_PATH}")
_SCP = re.compile(rf"(?:[A-Za-z0-9_]+@)?{_HOST}:(?!/)(?P<rest>[^:]+)")
_RELATIVE = ("./", "../")


@dataclass(frozen=True, slots=True)
class Ours:
    """A repository of the forge itself."""

    name: RepoName


@dataclass(frozen=True, slots=True)
class Foreign:
    """A repository elsewhere, for everybody to read."""

    address: str
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class NotFollowed:
    """An address that is not; the reason follows the submodule's path."""

    reason: str


Place = Ours | Foreign | NotFollowed


def place_of(url: str, parent: str, base: CloneBase) -> Place:
    """Return where `url` leads; `parent` is the address of the repository that says it."""
    if len(url) > MAX_URL_CHARS or not url.isprintable() or not url.isascii():
        return NotFollowed("is a submodule whose address is no address")
    if url.startswith(_RELATIVE):
        joined = _joined(parent, url)
        if joined is None:
            return NotFollowed("is a submodule whose address climbs out of its server")
        url = joined
    if (name := _name_below(base, url)) is not None:
        return Ours(name)
    match = _HTTPS.fullmatch(_by_https(url))
    if match is None:
        return NotFollowed(
            "is a submodule at an address that is not followed; write https://HOST/PATH without "
            "a login, or a relative one"
        )
    if (name := _name_below(base, match[0])) is not None:
        return Ours(name)
    port = int(match["port"] or _HTTPS_PORT)
    return Foreign(address=match[0].rstrip("/"), host=match["host"].lower(), port=port)


def _joined(parent: str, url: str) -> str | None:
    """Return a relative address in full, as git does; None if it leaves the server.

    Source: https://git-scm.com/docs/git-submodule#Documentation/git-submodule.txt-add
    """
    scheme, _, rest = parent.rstrip("/").partition("://")
    host, *components = rest.split("/")
    while url.startswith(_RELATIVE):
        step, _, url = url.partition("/")
        if step == "..":
            if not components:
                return None
            components.pop()
    return f"{scheme}://{'/'.join([host, *components, url])}"


def _by_https(url: str) -> str:
    if (ssh := _SSH.fullmatch(url)) is not None:
        return f"https://{ssh['host']}{ssh['path']}"
    if (scp := _SCP.fullmatch(url)) is not None:
        return f"https://{scp['host']}/{scp['rest']}"
    return url


def _name_below(base: CloneBase, url: str) -> RepoName | None:
    """Return the repository's name if `url` is an address of the forge whose rights we have.

    A forge that we clone from by ssh is none: the operator's key opens more than one repository.
    """
    if base.scheme == "ssh":
        return None
    ours, theirs = urlsplit(base.url), urlsplit(url)
    if (ours.scheme, ours.netloc.lower()) != (theirs.scheme, theirs.netloc.lower()):
        return None
    above = f"{ours.path}/"
    if theirs.query or theirs.fragment or not theirs.path.startswith(above):
        return None
    return repo_name(theirs.path.removeprefix(above).rstrip("/").removesuffix(".git"))
