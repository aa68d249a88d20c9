"""A tiny S3: buckets in memory, and every signature computed anew from what came over the wire."""

import hashlib
import hmac
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast

from typing_extensions import override

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/s3/aws4_request,"
    r"SignedHeaders=([a-z0-9;-]+),Signature=([0-9a-f]{64})"
)


class FakeS3(ThreadingHTTPServer):
    """One account with one secret; `objects` by raw path, as it stood in the request line."""

    daemon_threads = True

    def __init__(self, access_key_id: str, secret: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.access_key_id = access_key_id
        self.secret = secret
        self.objects: dict[str, bytes] = {}
        self.answer_with: tuple[int, str] | None = None
        self.arrived = 0
        self._going_on = threading.Event()
        self._going_on.set()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @contextmanager
    def slow(self) -> Iterator[None]:
        """Answer nothing before the block ends."""
        self._going_on.clear()
        try:
            yield
        finally:
            self._going_on.set()

    def take_in(self) -> None:
        """Wait for the end of `slow`."""
        self.arrived += 1
        self._going_on.wait()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_PUT(self) -> None:
        server = cast("FakeS3", self.server)
        content = self.rfile.read(int(self.headers["Content-Length"]))
        server.take_in()
        status, code = server.answer_with or self._judged(server, content)
        if status == 200:
            server.objects[self.path] = content
        body = f"<Error><Code>{code}</Code></Error>".encode() if code else b""
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _judged(self, server: FakeS3, content: bytes) -> tuple[int, str]:
        digest = hashlib.sha256(content).hexdigest()
        found = _AUTHORIZATION.fullmatch(self.headers["Authorization"])
        if found is None:
            return 400, "AuthorizationHeaderMalformed"
        account, day, region, names, signature = found.groups()
        if account != server.access_key_id:
            return 403, "InvalidAccessKeyId"
        if self.headers["x-amz-content-sha256"] != digest:
            return 400, "XAmzContentSHA256Mismatch"
        listed = "".join(f"{name}:{self.headers[name].strip()}\n" for name in names.split(";"))
        path, _, query = self.path.partition("?")
        request = f"{self.command}\n{path}\n{query}\n{listed}\n{names}\n{digest}"
        moment = self.headers["x-amz-date"]
        hashed = hashlib.sha256(request.encode()).hexdigest()
        text = f"AWS4-HMAC-SHA256\n{moment}\n{day}/{region}/s3/aws4_request\n{hashed}"
        key = b"AWS4" + server.secret.encode()
        for part in (day, region, "s3", "aws4_request", text):
            key = hmac.digest(key, part.encode(), "sha256")
        if key.hex() != signature or not moment.startswith(day) or "host" not in names:
            return 403, "SignatureDoesNotMatch"
        return 200, ""

    @override
    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def running_s3(access_key_id: str, secret: str) -> Iterator[FakeS3]:
    with FakeS3(access_key_id, secret) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()
