"""Where commits come from. Never a checkout."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Protocol

from bot.core.model.ids import BlobSha, Branch, CommitSha, Repository
from bot.core.model.manifest import Manifest
from bot.core.model.selection import WHOLE, Selection


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownManifest:
    """The manifest of an earlier commit, to be patched instead of read anew."""

    commit: CommitSha
    manifest: Manifest
    selection: Selection = WHOLE


class Source(Protocol):
    """A place that has commits."""

    def head(self, repository: Repository, branch: Branch) -> CommitSha | None:
        """Return what the branch points at now, asked anew; None when there is no such branch.

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
    ) -> Iterator[tuple[BlobSha, bytes]]:
        """Yield the content of each of `wanted` once, in any order, fetching what is missing.

        Raises:
            SourceUnavailable: a blob could not be had.

        """
        ...
