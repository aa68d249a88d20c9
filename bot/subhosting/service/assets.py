"""What a client sends as files: checked, decoded, and told apart from what it only names."""

import base64
import binascii
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from urllib.parse import unquote

from bot.kernel.paths import escaping_symlinks, path_problem
from bot.subhosting.config import SOURCE_URL, Limits
from bot.subhosting.errors import InvalidRequest, TooLarge
from bot.subhosting.store.blobs import Blob
from bot.subhosting.store.content import Ground
from bot.subhosting.store.records import Manifest
from bot.wire.subhosting_v1 import (
    Asset,
    FileContentAsset,
    FileHashAsset,
    NegotiateDirectory,
    NegotiateEntry,
    NegotiateFile,
    SymlinkAsset,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What an upload has otherwise than the deployment that it was patched from."""

    ground: Ground
    added: Mapping[str, str]  # path -> git SHA-1, of files that are new or have other content
    replaced: Mapping[str, str]  # the same of files that went, or had other content
    touched: AbstractSet[str]  # all paths that are not what they were, those of links as well


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A request's files: the whole manifest, and the contents that came along."""

    manifest: Manifest
    sent: Mapping[str, Blob]
    change: Change | None = None  # None: it stands for itself


def read(
    assets: Mapping[str, Asset], limits: Limits, received: Mapping[str, Blob] | None = None
) -> Upload:
    """Check `assets`, and decode those that still have their content.

    `received` are contents that came along and were replaced by their hash already, as
    `bot.subhosting.api.streaming_assets` does.

    Raises:
        InvalidRequest: a path is unsafe, two paths collide, a link leaves the root, or a content
            is not what its encoding says; the message names the path.
        TooLarge: more files than the limit allows.

    """
    if len(assets) > limits.files:
        msg = f"assets: {len(assets)} are more than the limit of {limits.files}."
        raise TooLarge("tooManyAssets", msg)
    files: dict[str, str] = {}
    links: dict[str, str] = {}
    sent: dict[str, Blob] = dict(received or {})
    for path, asset in assets.items():
        if (problem := path_problem(path)) is not None:
            raise InvalidRequest("invalidAssetPath", f"assets: the path {path!r} {problem}.")
        match asset:
            case FileContentAsset():
                blob = Blob.of(_decoded(path, asset))
                sent[blob.git_sha1] = blob
                files[path] = blob.git_sha1
            case FileHashAsset():
                files[path] = asset.git_sha1
            case SymlinkAsset():
                links[path] = asset.target
    _check_folders((*files, *links), files, links)
    _check_links(links)
    return Upload(manifest=Manifest(files=files, links=links), sent=sent)


def patched(base: Ground, upload: Upload, removed: Iterable[str], limits: Limits) -> Upload:
    """Return `upload` on top of `base`, without the paths of `removed`.

    Raises:
        InvalidRequest: a removed path is not in the base, or what comes out is no tree.
        TooLarge: it has more files than the limit allows.

    """
    before, put = base.manifest, upload.manifest
    files, links = dict(before.files), dict(before.links)
    gone = list(removed)
    for path in gone:
        if files.pop(path, None) is None and links.pop(path, None) is None:
            msg = f"removed: the base has no file with the path {path!r}."
            raise InvalidRequest("removedPathNotFound", msg)
    for path in put.files.keys() | put.links.keys():
        # A file may become a link, and the other way round.
        files.pop(path, None)
        links.pop(path, None)
    files |= put.files
    links |= put.links
    if len(files) + len(links) > limits.files:
        count = len(files) + len(links)
        msg = f"changed: {count} files are more than the limit of {limits.files}."
        raise TooLarge("tooManyAssets", msg)
    touched = {*gone, *put.files, *put.links}
    _check_folders((*put.files, *put.links), files, links)
    _check_below(touched - before.files.keys() - before.links.keys(), files, links)
    _check_links(links)
    change = Change(
        ground=base,
        added=put.files,
        replaced={path: before.files[path] for path in touched if path in before.files},
        touched=touched,
    )
    return Upload(manifest=Manifest(files=files, links=links), sent=upload.sent, change=change)


def entry_point(url: str, manifest: Manifest) -> str:
    """Return the asset path that `entryPointUrl` names.

    Accepts a path relative to the assets and the same below `file:///src/`.

    Raises:
        InvalidRequest: `unsupportedEntryPoint` for any other URL, `entryPointNotFound` when no
            file or link has that path. There are no others.

    """
    path = url
    if url.startswith(SOURCE_URL):
        path = unquote(url.removeprefix(SOURCE_URL))
    elif "://" in url:
        msg = f"entryPointUrl: {url!r} is not an asset; only paths and {SOURCE_URL}... work here."
        raise InvalidRequest("unsupportedEntryPoint", msg)
    path = path.removeprefix("./").removeprefix("/src/")
    if path not in manifest.files and path not in manifest.links:
        msg = f"entryPointUrl: no asset has the path {path!r}."
        raise InvalidRequest("entryPointNotFound", msg)
    return path


def flattened(entries: Mapping[str, NegotiateEntry]) -> dict[str, Asset]:
    """Return a nested manifest by path, each file by its hash; folders only hold things."""
    found: dict[str, Asset] = {}
    todo: list[tuple[str, Mapping[str, NegotiateEntry]]] = [("", entries)]
    while todo:
        prefix, here = todo.pop()
        for name, entry in here.items():
            match entry:
                case NegotiateDirectory():
                    todo.append((f"{prefix}{name}/", entry.entries))
                case NegotiateFile():
                    found[f"{prefix}{name}"] = FileHashAsset(git_sha1=entry.git_sha1)
                case SymlinkAsset():
                    found[f"{prefix}{name}"] = entry
    return found


def wanted_hashes(entries: Mapping[str, NegotiateEntry]) -> Iterator[str]:
    """Yield the git SHA-1 of every file in a nested manifest, in its order."""
    stack: list[Iterable[NegotiateEntry]] = [entries.values()]
    while stack:
        for entry in stack.pop():
            if isinstance(entry, NegotiateDirectory):
                stack.append(entry.entries.values())
            elif isinstance(entry, NegotiateFile):
                yield entry.git_sha1


def _decoded(path: str, asset: FileContentAsset) -> bytes:
    try:
        if asset.encoding == "base64":
            return base64.b64decode(asset.content, validate=True)
        return asset.content.encode()
    except (binascii.Error, ValueError) as error:
        msg = f"assets: the content of {path!r} is not valid {asset.encoding}."
        raise InvalidRequest("invalidAssetContent", msg) from error


def _check_folders(
    paths: Iterable[str], files: Mapping[str, str], links: Mapping[str, str]
) -> None:
    """Refuse `paths` below a file or link: no file system could hold them."""
    for path in paths:
        folder = path
        while "/" in folder:
            folder = folder.rpartition("/")[0]
            if folder in files or folder in links:
                raise _below(path, folder)


def _check_below(paths: Iterable[str], files: Mapping[str, str], links: Mapping[str, str]) -> None:
    """Refuse new `paths` that are folders already."""
    if folders := tuple(f"{path}/" for path in paths):
        for path in (*files, *links):
            if path.startswith(folders):
                raise _below(path, next(each for each in folders if path.startswith(each))[:-1])


def _check_links(links: Mapping[str, str]) -> None:
    if escaping := escaping_symlinks(links):
        msg = f"assets: the symlink {escaping[0]!r} leads outside the deployment."
        raise InvalidRequest("invalidSymlink", msg)


def _below(path: str, folder: str) -> InvalidRequest:
    msg = f"assets: {path!r} lies below {folder!r}, which is not a folder."
    return InvalidRequest("invalidAssetPath", msg)
