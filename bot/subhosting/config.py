"""What the embedded server is told: plain values, given by whoever starts it.

Nothing below `bot.subhosting` reads the environment, so that the room can be tested, embedded and,
one day, taken out alone.
"""

import sys
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

MIB = 1024 * 1024

# Where sources live as far as clients can see: recorded in Deno's own build logs.
SOURCE_URL = "file:///src/"


def deno_beside_python() -> Path:
    """Return where the `deno` wheel puts its binary: in the folder of the running interpreter."""
    return Path(sys.executable).parent / "deno"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a client may send; beyond them the answer is a 4xx that names the limit."""

    # One JSON body, read into memory as a whole.
    body_bytes: int = 512 * MIB
    # Deno's: source and assets "under 1 GB". docs.deno.com/subhosting/manual/pricing_and_limits
    total_bytes: int = 1024 * MIB
    files: int = 100_000
    domains: int = 50
    env_vars: int = 500
    # The v2 document's numbers; Linux refuses a single environment string above 128 KiB.
    env_key_bytes: int = 128
    env_value_bytes: int = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeLimits:
    """What a running deployment may use."""

    # V8's old space. Array buffers do not count, hence `data_bytes`.
    heap_mib: int = 512
    # RLIMIT_DATA: 1 GB kills apps that start one Web Worker, because V8 reserves 512 MB of code
    # range per isolate; 2 GB is a coarse cap that all measured apps lived with.
    data_bytes: int = 2048 * MIB
    open_files: int = 4096
    file_bytes: int = 256 * MIB
    # What an app may write to stdout and stderr before lines are dropped.
    log_bytes_per_s: int = MIB
    # What of it is kept on disk, twice: the current file and the one before it.
    log_file_bytes: int = 8 * MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class SubhostingConfig:
    """Everything the control API and the host process need to know.

    `data_dir` must be absolute. `api_url` is the public origin of the API, without `/v1`; links in
    answers start with it. Previews answer on `*.<base_domain>:<previews_port>`.
    """

    data_dir: Path
    api_url: str = "http://127.0.0.1:8000"
    base_domain: str = "localhost"
    previews_port: int = 8001
    # The scheme that visitors use, and so the one in `req.url`; `https` behind a TLS proxy.
    previews_scheme: str = "http"
    database_url: str | None = None
    organization_name: str = "previews"
    # The id it is made with at the first start; None for a random one.
    organization_id: str | None = None
    deno: Path = field(default_factory=deno_beside_python)
    limits: Limits = field(default_factory=Limits)
    runtime: RuntimeLimits = field(default_factory=RuntimeLimits)
    # How long a deployment may take from its start to its first answer.
    warm_up: timedelta = timedelta(seconds=10)
    # How long `deno install` may take.
    install_timeout: timedelta = timedelta(minutes=5)
    # How long requests in flight may go on after an instance was told to stop.
    drain: timedelta = timedelta(seconds=10)
    # How long an app may take to begin its answer, unless the deployment has a limit of its own.
    answer_within: timedelta = timedelta(minutes=5)
    # How many deployments are built at the same moment.
    concurrent_builds: int = 4
    # Where packages come from, if not from npmjs.org and jsr.io. Apps see these addresses, because
    # Deno finds a cached package by its registry; so they may not hold a password.
    npm_registry: str | None = None
    jsr_registry: str | None = None
    # Given to `deno install` alone: proxies, certificate stores.
    installer_environment: tuple[tuple[str, str], ...] = ()
    # Whether a 502 page shows the end of the app's own log to whoever asked.
    show_log_on_error_pages: bool = True

    def __post_init__(self) -> None:
        """Refuse a relative data directory, by which two processes would mean two places."""
        if not self.data_dir.is_absolute():
            msg = f"data_dir must be absolute, not {self.data_dir}"
            raise ValueError(msg)
        for address in self.registries.values():
            if "@" in address:
                msg = "a registry's address must not hold a password: every app can read it"
                raise ValueError(msg)

    @property
    def registries(self) -> dict[str, str]:
        """The variables that tell Deno where packages come from."""
        # They win over an app's own `.npmrc`, so that no app chooses where the installer goes.
        variables = {"NPM_CONFIG_REGISTRY": self.npm_registry, "JSR_URL": self.jsr_registry}
        return {name: address for name, address in variables.items() if address is not None}

    @property
    def database(self) -> str:
        """The SQLAlchemy URL of the store."""
        return self.database_url or f"sqlite:///{self.data_dir / 'subhosting.db'}"

    @property
    def blobs_dir(self) -> Path:
        """The folder of the content-addressed files."""
        return self.data_dir / "blobs"

    @property
    def deployments_dir(self) -> Path:
        """The folder with one subfolder per materialised deployment."""
        return self.data_dir / "deployments"
