"""All mirrors of one base address: where they lie, how they log in, what a branch points at."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple, assert_never, cast

from git.exc import CommandError

from bot.adapters.git.address import CloneBase
from bot.adapters.git.commands import ClosedGit
from bot.adapters.git.comparing import Comparing
from bot.adapters.git.credentials import answering, sweep
from bot.adapters.git.environment import closed_environment
from bot.adapters.git.errors import as_ours
from bot.adapters.git.lfs import Download
from bot.adapters.git.lfs_server import LfsServer
from bot.adapters.git.mirror import Mirror, Quick, Remote
from bot.adapters.git.module_places import Foreign, Ours
from bot.adapters.git.one_post import OnePost
from bot.adapters.git.pkt_line import Unusual
from bot.adapters.git.upkeep import Tended, tend
from bot.core.model.ids import Branch, CommitSha, Repository, commit_sha
from bot.kernel.addresses import HostResolver, public_addresses

# A listing of refs is small; a server that needs longer is down.
_LS_REMOTE_TIMEOUT_S = 60.0

_BRANCHES = "refs/heads/"

# No ref is longer on a server whose refs are files (PATH_MAX).
_MAX_BRANCH_BYTES = 4000


Credential = Callable[[Repository], str | None]


class Module(NamedTuple):
    """The mirror of a submodule."""

    mirror: Mirror
    address: str
    download: Download | None  # of its files in Git LFS


class Mirrors:
    """Bare repositories below one directory."""

    def __init__(
        self,
        directory: Path,
        base: CloneBase,
        credential: Credential,
        *,
        narrow: bool = False,
        resolver: HostResolver | None = None,
    ) -> None:
        """Keep mirrors of repositories at `base` in `directory`.

        `narrow` tells that each password of `credential` opens its one repository and no other.
        `resolver` says where strangers' hosts are; None: the system does.
        """
        self._directory = directory.resolve()
        self._home = self._directory / ".git-home"
        self.base = base
        self._narrow = narrow
        self._resolver = resolver
        # Two forges may number their repositories alike.
        self._base_digest = hashlib.sha256(base.url.encode()).hexdigest()[:8]
        self._credential = credential
        self._environment = closed_environment(self._home, base.scheme)
        self._one_post = OnePost(base.url) if base.takes_credentials else None
        self._lfs = LfsServer(base.url) if base.takes_credentials else None
        self.comparing = Comparing()
        sweep(self._home)

    def close(self) -> None:
        """Close the connections that are kept open, and end the processes that wait."""
        self.comparing.close()
        if self._one_post is not None:
            self._one_post.close()
        if self._lfs is not None:
            self._lfs.close()

    def tend(self, *, quota_bytes: int, spared_since_s: float) -> Tended:
        """Look after all mirrors; see `bot.adapters.git.upkeep`."""
        self.comparing.close()  # a process keeps what is deleted on the disk
        return tend(
            self._directory,
            self._environment,
            quota_bytes=quota_bytes,
            spared_since_s=spared_since_s,
        )

    def of(self, repository: Repository) -> Mirror:
        """Return the mirror of `repository`, found again under a new name of it."""
        return Mirror(
            self._directory / f"{repository.id}-{self._base_digest}.git",
            repository.name,
            Remote(
                self.base.address_of(repository.name),
                self._environment,
                lambda: self._login(repository, self._credential),
                self._quick(repository),
            ),
        )

    def module(self, repository: Repository, place: Ours | Foreign) -> Module:
        """Return where a submodule of `repository` is kept.

        Each repository has mirrors of its own for its submodules: what one may read, another may
        not. Our password goes along only to repositories of the forge, and only if it opens none
        but `repository`: whoever pushes there must not read others by it.

        Raises:
            ValueError: a stranger's host is not on the public Internet.

        """
        match place:
            case Ours(name):
                address, environment = self.base.address_of(name), self._environment
                credential = self._credential if self._narrow else _nobody
                download = self._download(address, repository, credential)
            case Foreign(address):
                environment = self._pinned(place)
                credential, download = _nobody, None
            case _:
                assert_never(place)
        digest = hashlib.sha256(address.encode()).hexdigest()[:16]
        mirror = Mirror(
            self._directory / f"{repository.id}-{self._base_digest}-{digest}.git",
            address,
            Remote(
                address, environment, lambda: self._login(repository, credential), history=False
            ),
        )
        return Module(mirror, address, download)

    def lfs(self, repository: Repository) -> Download | None:
        """Return what downloads files of Git LFS; None when there is no server for that."""
        return self._download(self.base.address_of(repository.name), repository, self._credential)

    def head(self, repository: Repository, branch: Branch) -> CommitSha | None:
        """Ask the server what `branch` points at.

        Raises:
            SourceUnavailable: it could not be asked.

        """
        ref = f"{_BRANCHES}{branch}"
        if not _can_be_asked_for(ref):
            return None
        if self._one_post is not None:
            address = self.base.address_of(repository.name)
            with suppress(Unusual):
                oid = self._one_post.ref(address, self._credential(repository), ref)
                return None if oid is None else commit_sha(oid)
        # ls-remote takes its argument for a pattern's tail.
        return _commits(self._listed(repository, ref)).get(ref)

    def heads(self, repository: Repository) -> dict[str, CommitSha]:
        """Ask the server what all branches point at.

        Raises:
            SourceUnavailable: it could not be asked.

        """
        if self._one_post is not None:
            address = self.base.address_of(repository.name)
            with suppress(Unusual):
                refs = self._one_post.refs(address, self._credential(repository), _BRANCHES)
                commits = {name: commit_sha(oid) for name, oid in refs.items()}
                return {name: commit for name, commit in commits.items() if commit is not None}
        return _commits(self._listed(repository))

    def _listed(self, repository: Repository, *patterns: str) -> bytes:
        """Return git's list of branches, or of those that match a pattern."""
        address = self.base.address_of(repository.name)
        try:
            with self._login(repository, self._credential) as login:
                listing = ClosedGit(self._home, {**self._environment, **login}).ls_remote(
                    "--heads",
                    "--",
                    address,
                    *patterns,
                    kill_after_timeout=_LS_REMOTE_TIMEOUT_S,
                )
        except CommandError as error:
            raise as_ours(error, repository.name) from error
        return cast("bytes", listing)

    def _download(
        self, address: str, repository: Repository, credential: Credential
    ) -> Download | None:
        server = self._lfs
        if server is None:
            return None
        return lambda wanted, receiving: server.download(
            address, credential(repository), wanted, receiving
        )

    def _pinned(self, place: Foreign) -> dict[str, str]:
        """Return the environment for a stranger's host: whatever its name means a moment later.

        Source: https://git-scm.com/docs/git-config#Documentation/git-config.txt-httpcurloptResolve
        """
        addresses = public_addresses(place.host, self._resolver)
        listed = ",".join(f"[{each}]" if each.version == 6 else str(each) for each in addresses)  # noqa: PLR2004
        return {
            **closed_environment(self._home, "https"),
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "http.curloptResolve",
            "GIT_CONFIG_VALUE_0": f"{place.host}:{place.port}:{listed}",
        }

    def _quick(self, repository: Repository) -> Quick | None:
        post = self._one_post
        if post is None:
            return None
        address = self.base.address_of(repository.name)
        return lambda wanted, haves: post.pack(
            address, self._credential(repository), wanted, haves
        )

    @contextmanager
    def _login(
        self, repository: Repository, credential: Credential
    ) -> Iterator[Mapping[str, str]]:
        password = credential(repository) if self.base.takes_credentials else None
        with answering(password, self._home) as environment:
            yield environment


def _nobody(_: Repository) -> None:
    """Know no password."""


def _can_be_asked_for(ref: str) -> bool:
    """Tell whether `ref` can be an argument at all; what cannot is no branch either."""
    try:
        encoded = ref.encode()
    except UnicodeEncodeError:
        return False
    return b"\0" not in encoded and len(encoded) <= _MAX_BRANCH_BYTES


def _commits(listing: bytes) -> dict[str, CommitSha]:
    """Return ref -> commit of git's list."""
    found: dict[str, CommitSha] = {}
    for line in listing.decode(errors="replace").split("\n"):
        oid, _, name = line.partition("\t")
        if (commit := commit_sha(oid)) is not None:
            found[name] = commit
    return found
