"""Real git over smart HTTP: `git http-backend` as a CGI, with GitHub's way of logging in."""

import base64
import binascii
import subprocess
from collections.abc import Iterator
from typing import IO

from werkzeug.wrappers import Request, Response

from tests.fakes.github.access import Caller, require
from tests.fakes.github.refusals import Refusal
from tests.fakes.github.repository import FakeRepository, git_environment
from tests.fakes.github.store import Store

CHUNK_BYTES = 64 * 1024


def serve(request: Request, full_name: str, rest: str, store: Store) -> Response:
    """Answer `<owner>/<name>.git/<rest>`."""
    caller = Caller()
    with store.changing():
        store.git_requests.append(f"{full_name}/{rest}")
    try:
        caller = _login(request, store)
        repository = store.repository(full_name)
        writing = "git-receive-pack" in (rest, request.args.get("service"))
        require(caller, repository, "contents", "write" if writing else "read", store)
    except Refusal as refusal:
        if caller.token is None:  # git asks for a password after a 401 only
            return Response(
                "Repository not found.", 401, {"WWW-Authenticate": 'Basic realm="GitHub"'}
            )
        return Response(refusal.message, refusal.status)
    return _backend(request, repository, rest, caller)


def _login(request: Request, store: Store) -> Caller:
    header = request.headers.get("Authorization")
    if header is None:
        return Caller()
    scheme, _, value = header.partition(" ")
    if scheme.lower() != "basic":
        raise Refusal(401, "Bad credentials")
    try:
        _, _, password = base64.b64decode(value).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise Refusal(401, "Bad credentials") from None
    return Caller(token=store.token(password))


def _backend(request: Request, repository: FakeRepository, rest: str, caller: Caller) -> Response:
    body = request.get_data()  # whole: the CGI wants a length, git sends large ones in chunks
    environment = git_environment(repository.path.parent) | {
        "GIT_PROJECT_ROOT": str(repository.path),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": f"/{rest}",
        "QUERY_STRING": request.query_string.decode(),
        "REQUEST_METHOD": request.method,
        "CONTENT_TYPE": request.headers.get("Content-Type", ""),
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding", ""),
        "REMOTE_USER": caller.name,
        "REMOTE_ADDR": request.remote_addr or "",
        # Without it everything silently becomes protocol v0, and bare SHAs cannot be fetched.
        "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
    }
    child = subprocess.Popen(
        ["git", "http-backend"],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        child.stdin.write(body)
        child.stdin.close()
    except BrokenPipeError:
        pass  # it answers without reading, for example an error
    status, headers = _head(child.stdout)
    return Response(_rest(child, child.stdout), status, headers)


def _head(output: IO[bytes]) -> tuple[str, list[tuple[str, str]]]:
    status, headers = "200 OK", []
    while line := output.readline().decode().strip():
        name, _, value = line.partition(": ")
        if name.lower() == "status":
            status = value
        else:
            headers.append((name, value))
    return status, headers


def _rest(child: subprocess.Popen[bytes], output: IO[bytes]) -> Iterator[bytes]:
    try:
        while chunk := output.read1(CHUNK_BYTES):  # type: ignore[attr-defined]
            yield chunk
    finally:
        output.close()
        child.wait()
