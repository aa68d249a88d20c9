"""The fast path: one POST on a connection that stays open, where `git fetch` takes three spawns.

A push to a repository that we mirror needs a handful of objects, and both ends of the difference
are known. Measured in docs/benchmarks.md against `git fetch`, which remains the way whenever
anything is out of the ordinary: whatever goes wrong here is `Unusual`, and nothing is lost by it.
"""

import base64
import io
import ssl
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

import httpx

from bot.adapters.git.credentials import USERNAME
from bot.adapters.git.pkt_line import Unusual, fetch_request, ls_refs_request, pack_of, refs_of

# More is no everyday push, and git has better ways of being patient with it.
MAX_ANSWER_BYTES = 64 * 1024 * 1024

_TIMEOUT = httpx.Timeout(60.0, connect=5.0)
# GitHub's front ends close idle connections after some minutes; we do so first.
_KEEPALIVE_S = 55.0

_IN_MEMORY_BYTES = 1024 * 1024

_CONTENT = "application/x-git-upload-pack"
_SHA1_DIGITS = 40


class OnePost:
    """`git-upload-pack` of one server over HTTP; may be used from several threads."""

    def __init__(self, base_url: str) -> None:
        """Keep one client for all repositories at `base_url`."""
        self._client = httpx.Client(
            headers={"User-Agent": "git/previewbot", "Git-Protocol": "version=2"},
            timeout=_TIMEOUT,
            limits=httpx.Limits(keepalive_expiry=_KEEPALIVE_S),
            follow_redirects=False,  # the credential stays with the host it was made for
            trust_env=False,
            verify=True
            if base_url.startswith("https:")
            else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
        )

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    @contextmanager
    def pack(
        self, address: str, password: str | None, wanted: str, haves: Iterable[str]
    ) -> Iterator[Iterator[bytes]]:
        """Yield the pack with `wanted` and what it needs beyond `haves`, piece by piece.

        Raises:
            Unusual: it cannot be had this way, at the latest while the pieces are read.

        """
        body = fetch_request(wanted, haves, object_format=_object_format(wanted))
        with self._answer(address, password, body) as answer:
            yield pack_of(answer)

    def ref(self, address: str, password: str | None, ref: str) -> str | None:
        """Return what `ref` points at, None when there is no such ref.

        Raises:
            Unusual: it cannot be had this way.

        """
        with self._answer(address, password, ls_refs_request(ref)) as answer:
            return refs_of(answer).get(ref)

    def refs(self, address: str, password: str | None, prefix: str) -> dict[str, str]:
        """Return what all refs that begin with `prefix` point at.

        Raises:
            Unusual: it cannot be had this way.

        """
        with self._answer(address, password, ls_refs_request(prefix)) as answer:
            return refs_of(answer)

    @contextmanager
    def _answer(self, address: str, password: str | None, body: bytes) -> Iterator[BinaryIO]:
        headers = {"Content-Type": f"{_CONTENT}-request", "Accept": f"{_CONTENT}-result"}
        if password is not None:
            login = base64.b64encode(f"{USERNAME}:{password}".encode()).decode()
            headers["Authorization"] = f"Basic {login}"
        # To disk beyond a megabyte: the parser wants a file, and memory stays flat.
        with tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES) as spool:
            try:
                self._read(f"{address}/git-upload-pack", headers, body, cast("BinaryIO", spool))
            except httpx.HTTPError as error:
                raise Unusual("no answer") from error
            spool.seek(0, io.SEEK_SET)
            yield cast("BinaryIO", spool)

    def _read(self, url: str, headers: dict[str, str], body: bytes, into: BinaryIO) -> None:
        with self._client.stream("POST", url, headers=headers, content=body) as response:
            kind = response.headers.get("Content-Type", "")
            if response.status_code != httpx.codes.OK or kind != f"{_CONTENT}-result":
                raise Unusual("not an upload-pack")
            size = 0
            for piece in response.iter_bytes():
                size += len(piece)
                if size > MAX_ANSWER_BYTES:
                    raise Unusual("too much for a shortcut")
                into.write(piece)


def _object_format(oid: str) -> str:
    return "sha1" if len(oid) == _SHA1_DIGITS else "sha256"
