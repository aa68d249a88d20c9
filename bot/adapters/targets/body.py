"""The JSON bodies of requests with files, made piece by piece so that no app is held whole.

v1 and v2 write an inline file and a symlink in the same words. Whether a file is text is said
before its content and certain only at its end: a large one counts as text while it looks like it,
and a body with one that turns out to be none is begun again. What is no text nearly always shows
it at once, and reading large files twice takes a third of the time that git needs for them.
"""

import base64
import codecs
from collections.abc import Collection, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from itertools import islice

import orjson

from bot.adapters.targets import building
from bot.adapters.targets.outgoing import BeginAgain
from bot.core.model.environment import Trust
from bot.core.model.errors import SourceUnavailable
from bot.core.model.ids import BlobSha, TargetDeploymentId
from bot.core.model.manifest import FileAsset, Manifest, SymlinkAsset
from bot.kernel.contents import PIECE_BYTES, Content, LargeContent, pieces_of
from bot.kernel.counting import counted
from bot.ports.target import BlobReader, Order

# About 100 bytes each.
_REFERENCES_AT_ONCE = 1000

_TEXT = b'{"kind":"file","encoding":"utf-8","content":'

# Apps of their own user in namespaces of their own: `docs/security.md`.
STRANGERS_ISOLATION = "L2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """The files that a request names: all of them, or what differs from a base."""

    named: Manifest
    base: TargetDeploymentId | None = None
    removed: tuple[str, ...] = ()
    # Whether the platform is ours: it builds what the files or their deno.json want built, and
    # can be told how well to isolate.
    ours: bool = False


@dataclass(frozen=True, slots=True)
class Contents:
    """Where files' contents come from, for all tries of one request."""

    read: BlobReader
    # Large files that began as text and turned out to be none.
    no_texts: set[BlobSha] = field(default_factory=set)


def create_body(
    order: Order,
    files: Files,
    *,
    description: str,
    database: str | None,
    inline: AbstractSet[BlobSha],
    contents: Contents,
) -> Iterator[bytes]:
    """Yield a CreateDeploymentRequest: the files of `inline` with content, others by hash.

    With a base it is the extension of `docs/extensions.md`, and as large as the change.
    `domains` is empty: hosts are bound explicitly, after the preview has answered.

    Raises:
        SourceUnavailable: `contents` did not give all of `inline`.
        BeginAgain: a file is no text after all, which `contents` knows now.

    """
    head: dict[str, object] = {
        "entryPointUrl": order.entrypoint,
        "envVars": order.environment.values(),
        "description": description,
        "domains": [],
    }
    if database is not None:
        head["databases"] = {"default": database}
    if files.ours:
        # An empty one leaves it to the app's own deno.json, its files and its entry point.
        head["config"] = building.by_recipe(order) or {}
        if order.environment.trust is Trust.STRANGER:
            head["isolation"] = {"minimum": STRANGERS_ISOLATION}
    if files.base is not None:
        head |= {"assets": {}, "base": files.base, "removed": files.removed}
    member = b"assets" if files.base is None else b"changed"
    yield orjson.dumps(head)[:-1] + b',"%b":{' % member
    yield from inline_assets(files.named, inline, contents)
    yield b"}}"


def inline_assets(
    manifest: Manifest, inline: AbstractSet[BlobSha], contents: Contents
) -> Iterator[bytes]:
    """Yield the members of an `assets` object: `inline` with content, other files by hash.

    Raises:
        SourceUnavailable: `contents` did not give all of `inline`.
        BeginAgain: a file is no text after all, which `contents` knows now.

    """
    separator = b""
    references = _references(manifest, inline)
    while some := dict(islice(references, _REFERENCES_AT_ONCE)):
        yield separator + orjson.dumps(some)[1:-1]
        separator = b","
    paths = _paths_of(manifest, inline)
    for sha1, content, path in _read(paths, contents.read):
        yield separator + orjson.dumps(path) + b":"
        if isinstance(content, bytes):
            yield from _small(content)
        elif sha1 in contents.no_texts or not _begins_as_text(content):
            yield from _binary(content)
        else:
            yield from _text(content, sha1, contents.no_texts)
        separator = b","


def negotiate_body(manifest: Manifest, asked: AbstractSet[BlobSha]) -> bytes:
    """Return the nested manifest of those files whose hash is in `asked`, each hash once."""
    root: dict[str, object] = {}
    folders = {"": root}
    left = set(asked)
    for path, asset in manifest.assets.items():
        if isinstance(asset, FileAsset) and asset.sha1 in left:
            left.discard(asset.sha1)
            folder, _, name = path.rpartition("/")
            _folder(folder, folders)[name] = {"kind": "file", "gitSha1": asset.sha1}
    return orjson.dumps({"entries": root})


def _references(
    manifest: Manifest, inline: AbstractSet[BlobSha]
) -> Iterator[tuple[str, Mapping[str, str]]]:
    for path, asset in manifest.assets.items():
        match asset:
            case SymlinkAsset(target=target):
                yield path, {"kind": "symlink", "target": target}
            case FileAsset(sha1=sha1) if sha1 not in inline:
                yield path, {"kind": "file", "gitSha1": sha1}
            case FileAsset():
                pass


def _paths_of(manifest: Manifest, inline: AbstractSet[BlobSha]) -> dict[BlobSha, list[str]]:
    paths: dict[BlobSha, list[str]] = {}
    for path, asset in manifest.assets.items():
        if isinstance(asset, FileAsset) and asset.sha1 in inline:
            paths.setdefault(asset.sha1, []).append(path)
    return paths


def _read(
    paths: Mapping[BlobSha, Collection[str]], read: BlobReader
) -> Iterator[tuple[BlobSha, Content, str]]:
    left = set(paths)
    for sha1, content in read(tuple(paths)) if paths else ():
        left.discard(sha1)
        for path in paths[sha1]:  # v1 has no way to say "the same as that one" within a request
            yield sha1, content, path
    if left:
        msg = f"{counted(len(left), 'file')} could not be read: blob {min(left)}"
        msg += " among them" if len(left) > 1 else ""
        raise SourceUnavailable(msg)


def _small(content: bytes) -> Iterator[bytes]:
    """Yield a file asset as JSON: as text if it is that, else in base64."""
    # A NUL takes six bytes in JSON, and a file that has one is no text anyway.
    text = None if b"\0" in content else _utf8(content)
    if text is None:
        yield from _binary(content)
    elif len(text) <= PIECE_BYTES:  # as nearly every file is
        yield _TEXT + orjson.dumps(text) + b"}"
    else:
        yield _TEXT + b'"'
        for start in range(0, len(text), PIECE_BYTES):
            yield orjson.dumps(text[start : start + PIECE_BYTES])[1:-1]
        yield b'"}'


def _utf8(content: bytes) -> str | None:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None


def _binary(content: Content) -> Iterator[bytes]:
    yield b'{"kind":"file","encoding":"base64","content":"'
    for piece in pieces_of(content):
        yield base64.b64encode(piece)
    yield b'"}'


def _text(content: LargeContent, sha1: BlobSha, no_texts: set[BlobSha]) -> Iterator[bytes]:
    """Yield a file asset as JSON, as text.

    Raises:
        BeginAgain: it is none, which `no_texts` knows now.

    """
    yield _TEXT + b'"'
    try:
        for text in _texts(content):
            yield orjson.dumps(text)[1:-1]
    except UnicodeError:
        no_texts.add(sha1)
        raise BeginAgain from None
    yield b'"}'


def _begins_as_text(content: LargeContent) -> bool:
    try:
        next(_texts(content))
    except UnicodeError:
        return False
    return True


def _texts(content: LargeContent) -> Iterator[str]:
    """Yield UTF-8 as text, a piece at a time: Python's texts take up to four bytes a character.

    Raises:
        UnicodeError: it is something else, or has a NUL.

    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    for piece in content.pieces():
        text = decoder.decode(piece)
        if "\0" in text:
            raise UnicodeError
        yield text
    decoder.decode(b"", final=True)


def _folder(path: str, folders: dict[str, dict[str, object]]) -> dict[str, object]:
    """Return the entries of a folder, which is made on first sight, with those above it."""
    found = folders.get(path)
    if found is None:
        above, _, name = path.rpartition("/")
        found = folders[path] = {}
        _folder(above, folders)[name] = {"kind": "directory", "entries": found}
    return found
