"""What the embedded server is told: plain values, given by whoever starts it.

Nothing below `bot.subhosting` reads the environment, so that the room can be tested, embedded and,
one day, taken out alone.
"""

import sys
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from bot.subhosting.router_config import RouterConfig
from bot.subhosting.sandbox.confinement import OUTSIDE_PORTS
from bot.subhosting.sandbox.level import Level
from bot.subhosting.sandbox.user_ids import COUNT, FIRST

MIB = 1024 * 1024

# Where sources live as far as clients can see: recorded in Deno's own build logs.
SOURCE_URL = "file:///src/"


def deno_beside_python() -> Path:
    """Return where the `deno` wheel puts its binary: in the folder of the running interpreter."""
    return Path(sys.executable).parent / "deno"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a client may send; beyond them the answer is a 4xx that names the limit."""

    # Bodies are counted uncompressed. One with files goes to disk as it comes, and base64 makes a
    # third more of them.
    body_bytes: int = 1536 * MIB
    # Any other JSON body is read into memory: a negotiation about 100,000 files fits.
    json_bytes: int = 32 * MIB
    # Deno's: source and assets "under 1 GB". docs.deno.com/subhosting/manual/pricing_and_limits
    total_bytes: int = 1024 * MIB
    # One file.
    file_bytes: int = 512 * MIB
    files: int = 100_000
    # The kernel's own limit, with room for our folders; more would not work.
    path_bytes: int = 1024
    # Created by an organization. Deno's plans have 60 and 300 for v1; one's own server may more.
    deployments_per_hour: int = 10_000
    domains: int = 50
    # Registered by an organization.
    custom_domains: int = 1_000
    env_vars: int = 500
    # The v2 document's numbers; Linux refuses a single environment string above 128 KiB.
    env_key_bytes: int = 128
    env_value_bytes: int = 65_536
    # All together. Linux gives arguments and environment of a process 2 MB by default.
    env_total_bytes: int = MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionLimits:
    """How long a revision stays that nobody visits, if its retention is v2's `auto`.

    Deno's numbers: https://docs.deno.com/deploy/changelog/ (30 days, and 7 more).
    """

    # Without a visitor; then its own address says that it is disabled.
    disable_after: timedelta = timedelta(days=30)
    # Disabled and not enabled again.
    delete_after: timedelta = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeLimits:
    """What a running deployment may use."""

    # V8's old space. Array buffers do not count, hence `data_bytes`.
    heap_mib: int = 512
    # What a deno.json may ask for in `deploy.runtime.memoryLimit`; more counts as this.
    most_heap_mib: int = 1024
    # RLIMIT_DATA: 1 GB kills apps that start one Web Worker, because V8 reserves 512 MB of code
    # range per isolate; 2 GB is a coarse cap that all measured apps lived with.
    data_bytes: int = 2048 * MIB
    # What a process may use beside V8's old space: buffers, workers, Deno itself (60 MB). One
    # whose resident memory exceeds both together is ended.
    beside_heap_bytes: int = 512 * MIB
    # What an app may keep in the Cache API, localStorage and a KV database in its own cache; one
    # that keeps more is ended, and all of that is deleted.
    stored_bytes: int = 512 * MIB
    # What a KV database may hold; a write beyond it fails. Deno's beta included "up to 1GB".
    # https://docs.deno.com/deploy/kv/manual/on_deploy
    kv_bytes: int = 1024 * MIB
    # How long an event loop may be blocked while requests wait; then the process is ended. v1
    # allows 1 s, which a busy machine of one's own can exceed without anybody's fault.
    # https://docs.deno.com/subhosting/manual/pricing_and_limits
    hang_after: timedelta = timedelta(seconds=10)
    # Of an app with all its threads, where there are control groups.
    processes: int | None = 256
    cpus: float | None = None
    open_files: int = 4096
    file_bytes: int = 256 * MIB
    # What an app may write to stdout, stderr and its console before lines are dropped.
    log_bytes_per_s: int = MIB
    # How often its console may say something; more waits in the app, up to 131,072 lines. Each
    # costs the host 30 to 100 us.
    log_lines_per_s: int = 5_000
    # What of it is kept on disk, twice: the current file and the one before it.
    log_file_bytes: int = 8 * MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildLimits:
    """What the commands of one build may use, all together."""

    # Deno's numbers: 5 minutes, up to 30 for those who ask, 3 GB of memory, 8 GB of disk.
    # https://docs.deno.com/deploy/reference/builds/
    timeout: timedelta = timedelta(minutes=5)
    # A wish in deno.json counts up to this.
    longest: timedelta = timedelta(minutes=30)
    memory_bytes: int = 3072 * MIB
    # Of the tree that a build leaves behind, installed packages included.
    tree_bytes: int = 8192 * MIB
    # Of output that is kept; the rest is dropped, and the log says so.
    log_bytes: int = 4 * MIB
    open_files: int = 65_536
    file_bytes: int = 2048 * MIB
    # At once, threads included, where the machine has control groups.
    processes: int = 2048
    # Of packages that are kept for the next builds: of all apps, and of one.
    caches_bytes: int = 8192 * MIB
    cache_bytes: int = 2048 * MIB


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
    # How many processes route; 1 is the host's own, which costs no memory of its own.
    routers: int = 1
    # The scheme that visitors use, and so the one in `req.url`; `https` behind a TLS proxy.
    previews_scheme: str = "http"
    database_url: str | None = None
    organization_name: str = "previews"
    # The id it is made with at the first start; None for a random one.
    organization_id: str | None = None
    deno: Path = field(default_factory=deno_beside_python)
    limits: Limits = field(default_factory=Limits)
    retention: RetentionLimits = field(default_factory=RetentionLimits)
    runtime: RuntimeLimits = field(default_factory=RuntimeLimits)
    # Children are confined by every level that this machine can reach, up to this one.
    highest_isolation: str = "L3"
    # Below this level no app is run at all.
    min_isolation: str = "L0"
    # User ids for apps, one for each deployment, where the server runs as root: nobody else's.
    first_user_id: int = FIRST
    user_id_count: int = COUNT
    # Where apps may connect to by TCP at L1 and L2, whatever the address.
    outgoing_ports: tuple[int, ...] = OUTSIDE_PORTS
    build: BuildLimits = field(default_factory=BuildLimits)
    # How long a deployment may take from its start to its first answer.
    warm_up: timedelta = timedelta(seconds=10)
    # How long `deno install` may take where it is all there is to do.
    install_timeout: timedelta = timedelta(minutes=5)
    # How long requests in flight may go on after an instance was told to stop.
    drain: timedelta = timedelta(seconds=10)
    # How long an app may take to begin its answer, unless the deployment has a limit of its own.
    answer_within: timedelta = timedelta(minutes=5)
    # What an upload must move on by meanwhile; see `RouterConfig`.
    upload_bytes_per_s: int = 1024
    # From a request's first byte to the end of its head; against those who send a byte a minute.
    head_within: timedelta = timedelta(seconds=10)
    # Addresses and networks of the proxies in front whose X-Forwarded-For is believed.
    trusted_proxies: tuple[str, ...] = ()
    # An instance that nobody asks for rests after this; its next request wakes it in some 30 ms.
    idle_after: timedelta = timedelta(minutes=15)
    # Beyond so many live instances the longest unused rests at once; each takes 10 to 60 MB.
    live_instances: int = 200
    # How many deployments are built at the same moment.
    concurrent_builds: int = 4
    # How often requests and use are stored for analytics: what a crash of the host may lose.
    analytics_every: timedelta = timedelta(seconds=10)
    # Where packages come from, if not from npmjs.org and jsr.io. Apps see these addresses, because
    # Deno finds a cached package by its registry; so they may not hold a password.
    npm_registry: str | None = None
    jsr_registry: str | None = None
    # Given to `deno install` alone: proxies, certificate stores.
    installer_environment: tuple[tuple[str, str], ...] = ()
    # Where custom domains are to lead: shown as A and AAAA records.
    public_addresses: tuple[str, ...] = ()
    # Who is asked whether a domain holds its proof; empty means the machine's own name servers.
    name_servers: tuple[str, ...] = ()
    name_server_port: int = 53
    # Hosts and networks that clients may name (backup endpoints) although they are not public.
    open_addresses: tuple[str, ...] = ()
    # `host:port` of the TLS proxy in front; None means port 443 of the domain's own address.
    tls_proxy: str | None = None
    # What the proxy must send to be given uploaded certificates with their keys; None: nobody is.
    tls_proxy_secret: str | None = None
    # How long a certificate may take from its request until the proxy shows it.
    provisioning_timeout: timedelta = timedelta(minutes=1)
    # Whether apps reach KV databases by our KV Connect server, which counts what they do. Without
    # it they open files, one process at a time, have queues, and nobody counts. The server needs a
    # loopback address of its own, which only Linux has without being told.
    kv_connect: bool = sys.platform == "linux"
    # The operator's own folder for backups, which clients name as `file:///`; None: there is none.
    backup_dir: Path | None = None
    # How often a KV database is copied, if it changed.
    backup_every: timedelta = timedelta(hours=1)
    # How long a content stays that no deployment uses, and how often the host looks for such, and
    # for revisions that nobody visits.
    blob_grace: timedelta = timedelta(hours=24)
    collect_every: timedelta = timedelta(hours=1)
    # Messages from the API come at once; a look at all this often finds what a lost one would have
    # said, and what is due.
    scan_every: timedelta = timedelta(seconds=10)
    # Whose workflows may deploy by deployctl's Action; an own GitHub server has another.
    oidc_issuer: str = "https://token.actions.githubusercontent.com"
    # Where error pages send for the whole log, with `{deployment}` for its id; None: our own API.
    log_url: str | None = None
    # Whether a 502 page shows the end of the app's own log to whoever asked.
    show_log_on_error_pages: bool = True

    def __post_init__(self) -> None:
        """Refuse a relative data directory, by which two processes would mean two places."""
        if not self.data_dir.is_absolute():
            msg = f"data_dir must be absolute, not {self.data_dir}"
            raise ValueError(msg)
        for level in (self.highest_isolation, self.min_isolation):
            Level.named(level)
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
    def router(self) -> RouterConfig:
        """What a router is told."""
        return RouterConfig(
            scheme=self.previews_scheme,
            head_within=self.head_within,
            answer_within=self.answer_within,
            upload_bytes_per_s=self.upload_bytes_per_s,
            drain=self.drain,
            shows_logs=self.show_log_on_error_pages,
            log_url=self.log_url or f"{self.api_url}/v1/deployments/{{deployment}}/app_logs",
            trusted_proxies=self.trusted_proxies,
        )

    @property
    def blobs_dir(self) -> Path:
        """The folder of the content-addressed files."""
        return self.data_dir / "blobs"

    def kv_file(self, database_id: str) -> Path:
        """Return the file of a KV database, alone in its folder; neither may exist yet."""
        return self.data_dir / "databases" / database_id / "kv.sqlite"

    @property
    def deployments_dir(self) -> Path:
        """The folder with one subfolder per materialised deployment."""
        return self.data_dir / "deployments"

    @property
    def spares_dir(self) -> Path:
        """The folder of trees that are laid out before anybody asks for them."""
        return self.data_dir / "spares"

    @property
    def tools_dir(self) -> Path:
        """The folder of the programs that builds find beside the machine's own."""
        return self.data_dir / "tools"

    @property
    def caches_dir(self) -> Path:
        """The folder of the packages that builds leave for the next ones."""
        return self.data_dir / "caches"
