"""A commit's files as the platform sees them: path -> asset."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.core.model.ids import BlobSha


@dataclass(frozen=True, slots=True)
class FileAsset:
    """A file by the git SHA-1 of its content."""

    sha1: BlobSha
    executable: bool = False


@dataclass(frozen=True, slots=True)
class SymlinkAsset:
    """A symbolic link; `target` is relative to the link's own folder and stays inside the root."""

    target: str


Asset = FileAsset | SymlinkAsset


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A path of the tree that is not deployed, and why (a submodule, say)."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """All assets of an app at one commit, by their path below its root.

    Every path has passed `bot.kernel.paths.path_problem`.
    """

    assets: Mapping[str, Asset]
    left_out: tuple[LeftOut, ...] = field(default=())
    # The contents of those files of the tree that say which of its files are deployed, by their
    # path in the repository.
    rules: Mapping[str, bytes] = field(default_factory=dict)

    def blobs(self) -> set[BlobSha]:
        """Return the hashes of all files; identical files count once."""
        return {asset.sha1 for asset in self.assets.values() if isinstance(asset, FileAsset)}

    def digest(self) -> str:
        """Return the SHA-256 of all paths with what they are, in 64 hex digits."""
        lines = sorted(f"{path}\0{asset}" for path, asset in self.assets.items())
        return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogatepass")).hexdigest()

    def since(self, earlier: "Manifest") -> tuple["Manifest", tuple[str, ...]]:
        """Return what must be put on top of `earlier`, and the paths that must go from it."""
        before = earlier.assets.get
        # One that was made by patching the other shares nearly all with it.
        changed = {
            path: asset
            for path, asset in self.assets.items()
            if (known := before(path)) is not asset and known != asset
        }
        removed = tuple(sorted(earlier.assets.keys() - self.assets.keys()))
        return Manifest(assets=changed), removed

    def files_total(self) -> int:
        """Return the number of paths, symlinks included."""
        return len(self.assets)
