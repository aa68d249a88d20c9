"""The files of one static site by the path that visitors ask for, each with its git SHA-1.

Only what is listed here is ever opened: a path that climbs, a link that leads away or a hidden
file is simply not there. The list is made once, when the site is put in place; hashes come from
the manifest, or are computed when a build has made the files.
"""

import json
import os
import posixpath
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from bot.kernel.git_hash import blob_hasher
from bot.subhosting.store.records import Manifest

INDEX: Final = "index.html"
NOT_FOUND: Final = "404.html"

# The only name with a dot in front that is meant for visitors. https://www.rfc-editor.org/rfc/rfc8615
_WELL_KNOWN: Final = ".well-known"

# As the kernel.
_MOST_LINKS: Final = 40

_PIECE_BYTES: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Listing:
    """What a site consists of: path -> git SHA-1, and link -> where it leads, both from its root.

    Links that lead out of the site are none of it.
    """

    files: Mapping[str, str]
    links: Mapping[str, str] = field(default_factory=dict)

    def find(self, path: str) -> str | None:
        """Return the path of the file that `path` leads to, or None."""
        if path in self.files:
            return path
        return self._through_links(path) if self.links else None

    def _through_links(self, path: str) -> str | None:
        done: list[str] = []
        todo = path.split("/")[::-1]
        followed = 0
        while todo:
            done.append(todo.pop())
            target = self.links.get("/".join(done))
            if target is None:
                continue
            followed += 1
            if followed > _MOST_LINKS:
                return None
            done = []
            todo.extend(step for step in reversed(target.split("/")) if step != ".")
        real = "/".join(done)
        return real if real in self.files else None


@dataclass(eq=False, slots=True, kw_only=True)
class Site:
    """A static site that is in place."""

    root: Path
    # Whether the files in `root` are called by their hashes: a site that nothing was built of
    # needs no folder of its own.
    by_content: bool = False
    # Unknown paths belong to the app in `index.html`.
    spa: bool
    deployed_at: datetime
    listing: Listing
    # New requests must ask again: its files are gone, or about to be.
    draining: bool = False

    def place_of(self, path: str, sha1: str) -> Path:
        """Return where the file of the listing is, and never where a link is."""
        return self.root / (sha1 if self.by_content else path)


def listing_of(manifest: Manifest, folder: str) -> Listing:
    """Return what a manifest has below `folder`; `.` is all of it."""
    return _listing(manifest.files.items(), manifest.links.items(), folder)


def listing_of_tree(source: Path, folder: str) -> Listing:
    """Return what a build left below `folder` of its tree; reads every file once."""
    files: list[tuple[str, str]] = []
    links: list[tuple[str, str]] = []
    for here, folders, names in os.walk(source / folder):
        # Not even looked into: a `.git` may be larger than everything else.
        folders[:] = [name for name in folders if not name.startswith(".") or name == _WELL_KNOWN]
        for name in (*folders, *names):
            path = Path(here, name)
            inner = path.relative_to(source).as_posix()
            if path.is_symlink():
                links.append((inner, _where_to(path)))
            elif path.is_file() and _is_public(inner.removeprefix(f"{folder}/")):
                files.append((inner, _sha1_of(path)))
    return _listing(files, links, folder)


def save(place: Path, listing: Listing) -> None:
    """Write a listing down at `place`, whole or not at all."""
    draft = place.with_name(f"{place.name}.{secrets.token_hex(4)}")
    document = {"files": dict(listing.files), "links": dict(listing.links)}
    draft.write_text(json.dumps(document), encoding="utf-8", errors="surrogateescape")
    draft.rename(place)


def load(place: Path) -> Listing | None:
    """Return the listing that was written down at `place`, or None if there is none."""
    try:
        document = json.loads(place.read_text(encoding="utf-8", errors="surrogateescape"))
    except FileNotFoundError:
        return None
    return Listing(document["files"], document["links"])


def whole_seconds(moment: datetime) -> datetime:
    """Return a moment as exactly as HTTP can say it."""
    return moment.astimezone(UTC).replace(microsecond=0)


def _listing(
    files: Iterable[tuple[str, str]], links: Iterable[tuple[str, str]], folder: str
) -> Listing:
    prefix = "" if folder == "." else f"{folder}/"
    found = {
        path.removeprefix(prefix): sha1
        for path, sha1 in files
        if path.startswith(prefix) and _is_public(path.removeprefix(prefix))
    }
    leading = {}
    for path, target in links:
        inner = path.removeprefix(prefix)
        end = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
        if path.startswith(prefix) and _is_public(inner) and _is_below(end, folder):
            leading[inner] = posixpath.relpath(end, folder)
    return Listing(found, leading)


def _is_below(path: str, folder: str) -> bool:
    if path == ".." or path.startswith(("../", "/")):
        return False
    return folder in {".", path} or path.startswith(f"{folder}/")


def _is_public(path: str) -> bool:
    first, *others = path.split("/")
    hidden = first.startswith(".") and first != _WELL_KNOWN
    return not hidden and not any(step.startswith(".") for step in others)


def _where_to(link: Path) -> str:
    """Return where a link leads, from its own folder; builds write absolute ones, too."""
    target = link.readlink()
    return os.path.relpath(target, link.parent) if target.is_absolute() else target.as_posix()


def _sha1_of(path: Path) -> str:
    with path.open("rb") as file:
        hasher = blob_hasher(os.fstat(file.fileno()).st_size)
        while piece := file.read(_PIECE_BYTES):
            hasher.update(piece)
    return hasher.hexdigest()
