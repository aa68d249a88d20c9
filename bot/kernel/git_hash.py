"""Git's name for a file's content, which is also the Subhosting API's `gitSha1`."""

import hashlib

from bot.kernel.contents import Content


def blob_sha1(content: bytes) -> str:
    """Return the git blob SHA-1 of `content` as 40 lower-case hex digits.

    Source: https://git-scm.com/book/en/v2/Git-Internals-Git-Objects ("blob", a space, the length,
    a NUL, then the bytes).
    """
    return blob_hasher(len(content), content).hexdigest()


def content_sha1(content: Content) -> str:
    """Return the same for a content of either kind."""
    if isinstance(content, bytes):
        return blob_sha1(content)
    digest = blob_hasher(content.size_bytes)
    for piece in content.pieces():
        digest.update(piece)
    return digest.hexdigest()


def blob_hasher(size_bytes: int, start: bytes = b"") -> "hashlib._Hash":
    """Return a running hash for a blob of `size_bytes`, already fed with `start`."""
    # Git's identity, not a signature: a SHA-256 stands beside it wherever trust is at stake.
    return hashlib.sha1(b"blob %d\0" % size_bytes + start, usedforsecurity=False)
