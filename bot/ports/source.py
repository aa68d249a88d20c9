"""Where commits come from. Never a checkout."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from bot.core.model.ids import BlobSha, Branch, CommitSha, Repository
from bot.core.model.manifest import Manifest
from bot.core.model.selection import WHOLE, Selection
from bot.kernel.contents import Content


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownManifest:
    """The manifest of an earlier commit, to be patched instead of read anew."""

    commit: CommitSha
    manifest: Manifest
    selection: Selection = WHOLE


# More than any configuration file or commit message that somebody wrote.
MAX_LOOK_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A few things about a commit, without its manifest."""

    message: str = ""
    files: Mapping[str, bytes] = field(default_factory=dict)  # those asked for that are files
    # git's own ids of those folders asked for that are folders; the same id, the same content.
    # Empty for a source without a history.
    folders: Mapping[str, str] = field(default_factory=dict)


class Source(Protocol):
    """A place that has commits."""

    def head(self, repository: Repository, branch: Branch) -> CommitSha | None:
        """Return what the branch points at now, asked anew; None when there is no such branch.

        Raises:
            SourceUnavailable: the repository could not be asked.

        """
        ...

    def heads(self, repository: Repository) -> Mapping[str, CommitSha]:
        """Return what all branches point at now, by their full names (`refs/heads/...`).

        Raises:
            SourceUnavailable: the repository could not be asked.

        """
        ...

    def fetch(self, repository: Repository, commit: CommitSha) -> None:
        """Make `commit` and its trees available locally; harmless when they already are.

        Raises:
            CommitGone: the server does not have it.
            SourceUnavailable: the repository could not be read.

        """
        ...

    def manifest(
        self,
        repository: Repository,
        commit: CommitSha,
        known: KnownManifest | None = None,
        *,
        selection: Selection = WHOLE,
    ) -> Manifest:
        """Return those files of a fetched commit that `selection` and the tree itself take.

        A tree takes files away by `.previewignore` at the app's root, and by `export-ignore` in
        its `.gitattributes`. A link to a file that was taken away leads nowhere.

        Raises:
            TreeRefused: a path or symlink is unsafe, or there is no folder at the selection's
                root; the message names it, as the repository does.
            SourceUnavailable: what the manifest needs could not be read.

        """
        ...

    def blobs(
        self, repository: Repository, wanted: Collection[BlobSha]
    ) -> Iterator[tuple[BlobSha, Content]]:
        """Yield the content of each of `wanted` once, in any order, fetching what is missing.

        A content is of use until the next one is asked for: large ones lie in files, which are
        closed then.

        Raises:
            TreeRefused: one is larger than any platform takes; it is named by its SHA-1.
            SourceUnavailable: a blob could not be had.

        """
        ...

    def look(
        self,
        repository: Repository,
        commit: CommitSha,
        *,
        files: Collection[str] = (),
        folders: Collection[str] = (),
    ) -> Look:
        """Return the message of a fetched commit, some files' contents and some folders' ids.

        Paths count from the top of the repository, "" is the top itself. A symbolic link is no
        file here.

        Raises:
            TreeRefused: a file has more than `MAX_LOOK_BYTES`; the message names it.
            SourceUnavailable: the commit was not fetched, or a file could not be had.

        """
        ...

    def changed(
        self, repository: Repository, old: CommitSha, new: CommitSha
    ) -> frozenset[str] | None:
        """Return the paths that differ between two commits; None when they cannot be compared.

        Both have to be here: an old one may have been forced away, and the mirror made anew.
        """
        ...

    def common_ancestor(
        self, repository: Repository, one: CommitSha, other: CommitSha
    ) -> CommitSha | None:
        """Return the newest commit that both fetched commits build on; None if there is none."""
        ...
