"""The command-line tools of other platforms, each pointed at a stub of ours.

Pinned in `package-lock.json` beside this file. How each takes another address than its own:
- `vercel deploy --api`, TLS only;
- `netlify deploy` with `NETLIFY_API_URL`;
- `wrangler pages deploy` with `CLOUDFLARE_API_BASE_URL`.
"""

import json
import re
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.redeploy.stubs import Netlify, Stub, Vercel, Wrangler

PACKAGES = Path(__file__).parent

# Nothing may ask the network: these three look for newer versions and send how they are used.
_QUIET = {"CI": "1", "NO_UPDATE_NOTIFIER": "1", "DO_NOT_TRACK": "1", "NO_COLOR": "1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A tool, its stub, and how it is started."""

    name: str
    program: str
    package: str
    stub: Callable[[], Stub]
    arguments: Callable[[int], list[str]]
    environment: Callable[[int], Mapping[str, str]]
    tls: bool = False

    @property
    def path(self) -> Path:
        """Return the installed program."""
        return PACKAGES / "node_modules" / ".bin" / self.program

    @property
    def version(self) -> str:
        """Return the installed version."""
        manifest = PACKAGES / "node_modules" / self.package / "package.json"
        return str(json.loads(manifest.read_text())["version"])


PEERS = (
    Peer(
        name="vercel",
        program="vercel",
        package="vercel",
        stub=Vercel,
        arguments=lambda port: [
            "deploy",
            "--yes",
            "--token",
            "tok",
            "--api",
            f"https://127.0.0.1:{port}",
        ],
        environment=lambda _: {"VERCEL_TELEMETRY_DISABLED": "1"},
        tls=True,
    ),
    Peer(
        name="netlify",
        program="netlify",
        package="netlify-cli",
        stub=Netlify,
        arguments=lambda _: ["deploy", "--no-build", "--dir=.", "--site", "s", "--auth", "tok"],
        environment=lambda port: {
            "NETLIFY_API_URL": f"http://127.0.0.1:{port}",
            "NETLIFY_TELEMETRY_DISABLED": "1",
        },
    ),
    Peer(
        name="wrangler pages",
        program="wrangler",
        package="wrangler",
        stub=Wrangler,
        arguments=lambda _: [
            "pages",
            "deploy",
            ".",
            "--project-name",
            "p",
            "--branch",
            "b",
            "--commit-dirty=true",
        ],
        environment=lambda port: {
            "CLOUDFLARE_API_BASE_URL": f"http://127.0.0.1:{port}/client/v4",
            "CLOUDFLARE_API_TOKEN": "t",
            "CLOUDFLARE_ACCOUNT_ID": "acc",
            "WRANGLER_SEND_METRICS": "false",
        },
    ),
)


# Why a peer is not measured that is not there.
INSTALLING = "Not installed; `npm ci --ignore-scripts` in `benchmarks/redeploy` does that."

_SHOWN_CHARS = 200
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def tried(
    peer: Peer,
    port: int,
    error: subprocess.CalledProcessError | subprocess.TimeoutExpired | None,
) -> str:
    """Return how `peer` was started for a stub at `port`, and what came of it, as a sentence."""
    words = [f"{key}={value}" for key, value in peer.environment(port).items()]
    command = " ".join([*words, peer.program, *peer.arguments(port)])
    match error:
        case None:
            outcome = "it ended well, and had asked the stub nothing"
        case subprocess.TimeoutExpired():
            outcome = f"no end within {error.timeout:.0f} s"
        case _:
            said = _COLOUR.sub("", f"{error.stderr or ''} {error.stdout or ''}")
            said = " ".join(said.replace("`", "'").split())
            outcome = f"exit code {error.returncode}: {said[:_SHOWN_CHARS]}"
    return f"Tried: `{command}`; {outcome}."


def run(peer: Peer, site: Path, home: Path, port: int, certificate: Path) -> None:
    """Deploy `site` once.

    Raises:
        subprocess.CalledProcessError: it failed; what it said is in the error.

    """
    subprocess.run(
        [peer.path, *peer.arguments(port)],
        cwd=site,
        env={
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": str(home),
            "NODE_EXTRA_CA_CERTS": str(certificate),
            **_QUIET,
            **peer.environment(port),
        },
        stdin=subprocess.DEVNULL,
        check=True,
        capture_output=True,
        text=True,
        timeout=300,
    )
