"""What a router is told, in the host's process or in one of its own."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class RouterConfig:
    """Plain values; a router needs nothing else of the server's settings."""

    # The scheme that visitors use, and so the one in `req.url`.
    scheme: str = "http"
    # From a request's first byte to the end of its head; against those who send a byte a minute.
    head_within: timedelta = timedelta(seconds=10)
    # How long an app may take to begin its answer, unless the deployment has a limit of its own.
    answer_within: timedelta = timedelta(minutes=5)
    # What a body must move on by while an app waits for it, without such a limit of its own: so
    # many bytes win a second of that time again, up to the whole. 0: any byte wins it all.
    upload_bytes_per_s: int = 1024
    # How long requests in flight may go on after the router was told to stop.
    drain: timedelta = timedelta(seconds=10)
    # Whether a 502 page shows the end of the app's own log to whoever asked.
    shows_logs: bool = True
    # Where the whole log of a deployment is, with `{deployment}` for its id; None: not said.
    log_url: str | None = None
    # Addresses and networks of the proxies in front whose X-Forwarded-For is believed.
    trusted_proxies: tuple[str, ...] = ()
