"""Logging: one event name and its facts per line, secrets taken out on the way."""

import logging
import sys
from collections.abc import Iterable, MutableMapping
from typing import Any

import structlog
from typing_extensions import override

from bot.kernel.redact import redact

# Libraries that tell at INFO what we tell ourselves, or advertise.
QUIET = ("dbos", "alembic", "httpx", "github", "urllib3", "git")


def configure(process: str, secrets: Iterable[str] = (), *, verbose: bool = False) -> None:
    """Send structured lines to standard error, marked with the name of this process."""
    hidden = tuple(secrets)

    def without_secrets(
        _logger: object, _method: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        return {
            key: redact(value, hidden) if isinstance(value, str) else value
            for key, value in event.items()
        }

    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            without_secrets,
            structlog.processors.LogfmtRenderer(
                key_order=["timestamp", "level", "process", "event"]
            ),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.DEBUG if verbose else logging.INFO
        ),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(process=process)
    logging.basicConfig(
        level=logging.INFO,
        stream=sys.stderr,
        format=f"%(asctime)s process={process} logger=%(name)s level=%(levelname)s %(message)s",
        force=True,
    )
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    for handler in logging.getLogger().handlers:
        handler.addFilter(_Redaction(hidden))


class _Redaction(logging.Filter):
    """The same for lines of libraries."""

    def __init__(self, secrets: tuple[str, ...]) -> None:
        super().__init__()
        self.secrets = secrets

    @override
    def filter(self, record: logging.LogRecord) -> bool:
        """Let every line through, without secrets."""
        record.msg = redact(record.getMessage(), self.secrets)
        record.args = ()
        return True
