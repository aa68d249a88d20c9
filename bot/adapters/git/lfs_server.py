"""The batch API of Git LFS at a forge: where files are, and the files.

The address is the forge's own, made from the clone URL; what a tree says in `.lfsconfig` is never
read. Our password goes to the forge alone: storage elsewhere gets what the forge says it shall.
"""

import base64
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from urllib.parse import SplitResult, urlsplit

import httpx
from pydantic import ValidationError

from bot.adapters.git.credentials import USERNAME
from bot.adapters.git.lfs import Receiving
from bot.adapters.git.lfs_files import Receiver, Spoilt
from bot.core.model.errors import SourceUnavailable
from bot.kernel.lfs_pointer import Pointer
from bot.wire import git_lfs as wire

# As many as git-lfs itself asks for at a time.
BATCH = 100

_NO_ADDRESS = "cannot be had: the LFS server names no proper address"

_MAX_ANSWER_BYTES = 4 * 1024 * 1024
_PIECE_BYTES = 256 * 1024
_TIMEOUT = httpx.Timeout(60.0, connect=10.0)
_BUSY = frozenset({429, 500, 502, 503, 504, 507, 509})


class Refused(Exception):  # noqa: N818 - reads as a sentence in `except`
    """The server will not give it; the message says why, in words that follow a file's name."""


class LfsServer:
    """One forge; may be used from several threads."""

    def __init__(self, base_url: str) -> None:
        """Keep one client for everything at `base_url`."""
        self._is_secure = base_url.startswith("https:")
        self._client = httpx.Client(
            headers={"User-Agent": "git-lfs/previewbot", "Accept-Encoding": "identity"},
            timeout=_TIMEOUT,
            follow_redirects=False,  # the credential stays with the host it was made for
            trust_env=False,
            verify=True if self._is_secure else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
        )

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def download(
        self,
        address: str,
        password: str | None,
        wanted: Sequence[Pointer],
        receiving: Receiving,
    ) -> dict[str, str]:
        """Receive what is `wanted` of the repository at `address`; return why not, by SHA-256.

        Raises:
            SourceUnavailable: the server, or what it names, may answer later.

        """
        own = {} if password is None else {"Authorization": _basic(password)}
        problems: dict[str, str] = {}
        for start in range(0, len(wanted), BATCH):
            part = wanted[start : start + BATCH]
            try:
                places = self._places(address, own, part)
            except Refused as refusal:
                problems |= {pointer.oid: str(refusal) for pointer in part}
                continue
            for pointer in part:
                try:
                    action = _action(places.get(pointer.oid))
                    where = self._checked(action.href)
                    login = own if _same_server(urlsplit(address), where) else {}
                    self._receive(action, login, receiving(pointer))
                except Refused as refusal:
                    problems[pointer.oid] = str(refusal)
                except Spoilt:
                    problems[pointer.oid] = "came from the LFS server as something else"
        return problems

    def _places(
        self, address: str, own: Mapping[str, str], wanted: Sequence[Pointer]
    ) -> Mapping[str, wire.ObjectAnswer]:
        request = wire.BatchRequest(
            objects=tuple(
                wire.ObjectRequest(oid=each.oid, size=each.size_bytes) for each in wanted
            )
        )
        headers = {"Content-Type": wire.MEDIA_TYPE, "Accept": wire.MEDIA_TYPE, **own}
        url = f"{address.removesuffix('/')}/info/lfs/objects/batch"
        body = request.model_dump_json().encode()
        with self._answer("POST", url, headers, content=body) as response:
            document = b""
            for piece in response.iter_bytes():
                document += piece
                if len(document) > _MAX_ANSWER_BYTES:
                    raise Refused("cannot be had: the LFS server's answer has no end")
        try:
            answer = wire.BatchAnswer.model_validate_json(document)
        except ValidationError as error:
            raise Refused("cannot be had: the LFS server's answer is not understood") from error
        return {each.oid: each for each in answer.objects}

    def _checked(self, href: str) -> SplitResult:
        """Return where a file is said to be, if it may be asked for there."""
        try:
            parts = urlsplit(href)
        except ValueError as error:
            raise Refused(_NO_ADDRESS) from error
        if not parts.hostname or parts.scheme not in {"https", "http"}:
            raise Refused(_NO_ADDRESS)
        if self._is_secure and parts.scheme != "https":
            raise Refused("cannot be had: the LFS server sends us where nothing is encrypted")
        return parts

    def _receive(
        self,
        action: wire.Action,
        own: Mapping[str, str],
        receiving: AbstractContextManager[Receiver],
    ) -> None:
        given = {name.lower() for name in action.header}
        headers = {**action.header, **(own if "authorization" not in given else {})}
        with self._answer("GET", action.href, headers) as response, receiving as receiver:
            for piece in response.iter_bytes(_PIECE_BYTES):
                receiver.take(piece)

    @contextmanager
    def _answer(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes | None = None
    ) -> Iterator[httpx.Response]:
        """Yield a good answer.

        Raises:
            Refused: it is none, and will not be.
            SourceUnavailable: it may be one later.

        """
        try:
            with self._client.stream(method, url, headers=headers, content=content) as response:
                if response.status_code in _BUSY:
                    msg = f"Git LFS answered with status {response.status_code}"
                    raise SourceUnavailable(msg)
                if response.status_code != httpx.codes.OK:
                    raise Refused(f"is refused by Git LFS with status {response.status_code}")
                yield response
        except (httpx.LocalProtocolError, httpx.InvalidURL, ValueError) as error:
            raise Refused(_NO_ADDRESS) from error
        except httpx.HTTPError as error:
            # Not the error's own words: an address may carry a signature.
            msg = f"Git LFS did not answer ({type(error).__name__})"
            raise SourceUnavailable(msg) from error


def _action(answer: wire.ObjectAnswer | None) -> wire.Action:
    if answer is not None and answer.error is not None:
        raise Refused(f"is refused by Git LFS with code {answer.error.code}")
    if answer is None or answer.actions.download is None:
        raise Refused("is not on the LFS server")
    return answer.actions.download


def _same_server(one: SplitResult, other: SplitResult) -> bool:
    """Tell whether our password may go there; a default port that is spelled out is another."""
    return (one.scheme, one.netloc.lower()) == (other.scheme, other.netloc.lower())


def _basic(password: str) -> str:
    return f"Basic {base64.b64encode(f'{USERNAME}:{password}'.encode()).decode()}"
