"""`previewbot subhosting`: the server without the bot, its tokens and its links."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.subhosting.intake.limited import HELLO
from tests.subhosting.server import Json, request

COMMAND = [sys.executable, "-m", "bot", "subhosting"]


@contextmanager
def serving(data_dir: Path, **variables: str) -> Iterator[Json]:
    """Serve as the documentation says and give the line that it prints."""
    flags = ["--data", str(data_dir), "--port", "0", "--preview-port", "0", "--json"]
    parent = ["--parent-pid", str(os.getpid())]
    with subprocess.Popen(
        [*COMMAND, "serve", *flags, *parent],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **variables},
    ) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def said(data_dir: Path, *words: str) -> Any:  # noqa: ANN401 - JSON is anything
    done = subprocess.run(
        [*COMMAND, *words, "--data", str(data_dir), "--json"], check=True, capture_output=True
    )
    return json.loads(done.stdout)


def status(address: Json, path: str, token: str) -> int:
    port = int(address["api_url"].rpartition(":")[2])
    return request(port, "GET", path, headers={"Authorization": f"Bearer {token}"}).status


def test_a_first_start_makes_what_is_needed_and_says_it_once(tmp_path: Path) -> None:
    with serving(tmp_path) as first:
        assert list(first) == ["api_url", "previews_url", "organization", "token"]
        assert first["token"].startswith("ddo_")
        path = f"/v1/organizations/{first['organization']}/projects"
        port = int(first["api_url"].rpartition(":")[2])
        headers = {"Authorization": f"Bearer {first['token']}"}
        made = json.loads(
            request(port, "POST", path, headers=headers, body=b'{"name":"shop"}').body
        )
        body = {
            "entryPointUrl": "main.ts",
            "envVars": {},
            "assets": {"main.ts": {"content": HELLO}},
            "domains": ["shop.localhost"],
        }
        path = f"/v1/projects/{made['id']}/deployments"
        sent = json.dumps(body).encode()
        deployment = json.loads(request(port, "POST", path, headers=headers, body=sent).body)
        request(port, "GET", f"/v1/deployments/{deployment['id']}/build_logs", headers=headers)
        previews = int(first["previews_url"].rpartition(":")[2])
        shown = request(previews, "GET", "/", headers={"Host": f"shop.localhost:{previews}"})
        assert shown.text == "hello"
        linked = said(tmp_path, "link", "shop", "42", "--default-branch", "main")
        assert linked == {
            "project": made["id"],
            "repository_id": 42,
            "default_branch": "main",
        }
    with serving(tmp_path) as second:
        assert (second["organization"], second["token"]) == (first["organization"], None)
        assert status(second, f"/v1/projects/{made['id']}", first["token"]) == 200


def test_tokens_are_made_listed_and_revoked_and_limits_are_the_operators(tmp_path: Path) -> None:
    limits = tmp_path / "platform.toml"
    limits.write_text("[limits]\njson_bytes = 1000\n")
    with serving(tmp_path, PREVIEWBOT_PLATFORM_FILE=str(limits)) as address:
        path = f"/v1/organizations/{address['organization']}"
        made = said(tmp_path, "token", "create", "--name", "ci")["token"]
        assert status(address, path, made) == 200
        listed = said(tmp_path, "token", "list")
        names = {each["name"]: each["id"] for each in listed}
        assert set(names) == {"first start", "ci"}
        assert made not in str(listed)
        port = int(address["api_url"].rpartition(":")[2])
        long = json.dumps({"name": "x" * 1000}).encode()
        headers = {"Authorization": f"Bearer {made}"}
        refused = request(port, "POST", f"{path}/projects", headers=headers, body=long)
        assert (refused.status, refused.json["code"]) == (413, "bodyTooLarge")

        said(tmp_path, "token", "revoke", names["ci"])

        assert status(address, path, made) == 401
        assert status(address, path, address["token"]) == 200


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    for words in (["token", "revoke", "nothing"], ["link", "nobody", "7"], ["unlink", "nobody"]):
        done = subprocess.run(
            [*COMMAND, *words, "--data", str(tmp_path)], check=False, capture_output=True
        )
        assert done.returncode == 1
        assert words[-1].encode() in done.stderr or b"nobody" in done.stderr
