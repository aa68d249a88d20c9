"""Where commits come from. Never a checkout."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Protocol

from bot.core.model.ids import BlobSha, Branch, CommitSha, Repository
from bot.core.model.manifest import Manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownManifest:
    """The manifest of an earlier commit, to be patched instead of read anew."""

    commit: CommitSha
    manifest: Manifest


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
        self, repository: Repository, commit: CommitSha, known: KnownManifest | None = None
    ) -> Manifest:
        """Return the files of a fetched commit.

        Raises:
            TreeRefused: a path or symlink is unsafe; the message names it.

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
