"""`GitSource`: the port over mirrors. Never a checkout, never an address out of a payload."""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from bot.adapters.git.address import clone_base
from bot.adapters.git.looking import looked
from bot.adapters.git.manifests import full, patched
from bot.adapters.git.objects import Objects
from bot.adapters.git.trees import difference, listed
from bot.core.decide.rules import rules_above
from bot.core.model.errors import SourceUnavailable, TreeRefused
from bot.core.model.ids import BlobSha, Branch, CommitSha, Repository
from bot.core.model.manifest import Manifest
from bot.core.model.selection import WHOLE, Selection
from bot.kernel.addresses import HostResolver
from bot.kernel.contents import Content
from bot.kernel.paths import path_problem
from bot.ports.source import KnownManifest, Look

if TYPE_CHECKING:
    from bot.adapters.git.mirror import Mirror
    from bot.adapters.git.upkeep import Tended


class GitSource:
    """Repositories at one base address, read through git."""

    def __init__(
        self,
        mirrors_dir: Path,
        base_url: str,
        credential: Callable[[Repository], str | None],
        *,
        narrow: bool = False,
        resolver: HostResolver | None = None,
    ) -> None:
        """Keep mirrors in `mirrors_dir`; `credential` gives the password for one, or None.

        `narrow` tells that such a password opens the one repository and no other; only then it is
        shown for the repository's submodules. `resolver` says where strangers' hosts are.

        Raises:
            ConfigurationProblem: `base_url` is nothing to clone from.

        """
        base = clone_base(base_url)
        # GitPython runs `git version` in a copy of our environment when it is imported. Whoever
        # constructs a source has read the settings, and with that taken the secrets out of it.
        from bot.adapters.git.mirrors import Mirrors  # noqa: PLC0415

        self._mirrors = Mirrors(mirrors_dir, base, credential, narrow=narrow, resolver=resolver)

    def close(self) -> None:
        """Close the connections that are kept open, and end the processes that wait."""
        self._mirrors.close()

    def tend(self, *, quota_bytes: int, spared_since_s: float) -> "Tended":
        """Make mirrors small and quick again, and remove the least used ones beyond the quota.

        Those used after `spared_since_s` (seconds of the epoch) stay: somebody may be reading.
        """
        return self._mirrors.tend(quota_bytes=quota_bytes, spared_since_s=spared_since_s)

    def head(self, repository: Repository, branch: Branch) -> CommitSha | None:
        """Return what the server says `branch` points at now."""
        return self._mirrors.head(repository, branch)

    def heads(self, repository: Repository) -> Mapping[str, CommitSha]:
        """Return what the server says all branches point at now, by their full names."""
        return self._mirrors.heads(repository)

    def fetch(self, repository: Repository, commit: CommitSha) -> None:
        """Bring `commit` and its trees into the mirror; no network if they are there."""
        self._mirrors.of(repository).fetch(commit)

    def manifest(
        self,
        repository: Repository,
        commit: CommitSha,
        known: KnownManifest | None = None,
        *,
        selection: Selection = WHOLE,
    ) -> Manifest:
        """Return the app's files at a fetched commit: `known` patched, or the whole tree listed.

        Raises:
            TreeRefused: a path or symlink is unsafe, or there is no folder at the root; the
                message names it.
            SourceUnavailable: the commit was not fetched, or a symlink could not be read.

        """
        if selection.root and (problem := path_problem(selection.root)) is not None:
            raise TreeRefused(selection.root, problem)
        if known is not None and not _is_of_use(known, selection):
            known = None
        try:
            return self._manifest(repository, commit, known, selection)
        except SourceUnavailable:
            if not self._mirrors.of(repository).mended(commit):
                raise
        return self._manifest(repository, commit, known, selection)

    def blobs(
        self, repository: Repository, wanted: Collection[BlobSha]
    ) -> Iterator[tuple[BlobSha, Content]]:
        """Yield contents, those at hand first; the missing ones come in one further fetch.

        One content at a time is in memory, and no large one.

        Raises:
            TreeRefused: one has more than 512 MiB; it is named by its SHA-1.
            SourceUnavailable: a blob could not be had.

        """
        return self._objects(repository).contents(wanted)

    def look(
        self,
        repository: Repository,
        commit: CommitSha,
        *,
        files: Collection[str] = (),
        folders: Collection[str] = (),
    ) -> Look:
        """Return the message of a fetched commit, some files' contents and some folders' ids.

        Raises:
            TreeRefused: a file has more than `MAX_LOOK_BYTES`; the message names it.
            SourceUnavailable: the commit was not fetched, or a file could not be had.

        """
        mirror = self._mirrors.of(repository)
        return looked(mirror, commit, files, folders, Objects(mirror).by_oid)

    def changed(
        self, repository: Repository, old: CommitSha, new: CommitSha
    ) -> frozenset[str] | None:
        """Return the paths that differ between two commits; None when they cannot be compared."""
        mirror = self._mirrors.of(repository)
        try:
            found = difference(self._mirrors.comparing.differences(mirror, old, new))
        except (SourceUnavailable, TreeRefused):
            return None
        return frozenset([*(entry.path for entry in found.changed), *found.removed])

    def common_ancestor(
        self, repository: Repository, one: CommitSha, other: CommitSha
    ) -> CommitSha | None:
        """Return the newest commit that both fetched commits build on; None if there is none."""
        return self._mirrors.of(repository).common_ancestor(one, other)

    def _differences(
        self, mirror: "Mirror", old: CommitSha, new: CommitSha, places: Collection[str]
    ) -> Iterator[bytes]:
        if not places:
            return self._mirrors.comparing.differences(mirror, old, new)
        # A process that waits has been told of its places when it was started.
        options = ("-r", "-z", "--no-renames")
        return mirror.records("diff_tree", *options, old, new, "--", *places)

    def _objects(self, repository: Repository) -> Objects:
        return Objects(self._mirrors.of(repository), self._mirrors.lfs(repository))

    def _manifest(
        self,
        repository: Repository,
        commit: CommitSha,
        known: KnownManifest | None,
        selection: Selection,
    ) -> Manifest:
        mirror = self._mirrors.of(repository)
        reading = self._objects(repository)
        places = (selection.root, *rules_above(selection)) if selection.root else ()
        if known is not None:
            # No answer, because the mirror was made anew since, is no harm: the tree is read.
            with suppress(SourceUnavailable):
                differences = self._differences(mirror, known.commit, commit, places)
                manifest = patched(known, differences, reading)
                if manifest is not None:
                    return manifest
        records = mirror.records("ls_tree", "-r", "-z", "--full-tree", "--", commit, *places)
        expand = None
        if selection.submodules:
            from bot.adapters.git.modules import Modules  # noqa: PLC0415 - imports GitPython

            modules = Modules(self._mirrors, repository, mirror, reading)
            expand = modules.expanded
        return full(listed(records), selection, reading, expand)


def _is_of_use(known: KnownManifest, selection: Selection) -> bool:
    """Tell whether a manifest may be patched.

    What could not be fetched for it, when it was to be, may be there by now.
    """
    fetches = selection.lfs or selection.submodules
    return known.selection == selection and not (fetches and known.manifest.left_out)
