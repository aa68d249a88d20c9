"""A server with limits small enough to meet, and bodies of any size that nobody holds whole."""

import base64
import hashlib
import http.client
import json
from collections.abc import Iterator

from tests.subhosting.server import Answer, RunningSubhosting

LIMITS = {
    "body_bytes": 8_000_000,
    "json_bytes": 300_000,
    "file_bytes": 3_000_000,
    "total_bytes": 5_000_000,
    "files": 40,
    "path_bytes": 200,
    "env_vars": 5,
    "env_key_bytes": 20,
    "env_value_bytes": 100,
    "env_total_bytes": 150,
}
HELLO = 'Deno.serve(() => new Response("hello"));'


def git_sha1(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()  # noqa: S324 - git's


def create_body(size: int, *, piece: bytes = b"abc" * 20_000) -> Iterator[bytes]:
    """Yield a create with a file of `size` random-looking bytes in base64, encoding last."""
    head = {"entryPointUrl": "main.ts", "envVars": {}, "domains": []}
    main = json.dumps({"kind": "file", "content": HELLO}).encode()
    yield json.dumps(head).encode()[:-1] + b',"assets":{"main.ts":' + main
    yield b',"big.bin":{"kind":"file","content":"'
    encoded = base64.b64encode(piece)
    for _ in range(size // len(piece)):
        yield encoded
    yield b'","encoding":"base64"}}}'


def post(
    server: RunningSubhosting, project: str, body: Iterator[bytes] | bytes, **headers: str
) -> Answer:
    """Send a create, chunked when it is made of pieces."""
    connection = http.client.HTTPConnection("127.0.0.1", server.api_port, timeout=60)
    sent = {"Authorization": f"Bearer {server.token}", **headers}
    path = f"/v1/projects/{project}/deployments"
    try:
        connection.request(
            "POST", path, body=body, headers=sent, encode_chunked=not isinstance(body, bytes)
        )
        response = connection.getresponse()
        found = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, found, response.read())
    finally:
        connection.close()
