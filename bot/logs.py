"""Logging: one event name and its facts per line, secrets and terminal codes taken out."""

import logging
import sys
from collections.abc import Iterable, MutableMapping
from typing import Any

import structlog
from typing_extensions import override

from bot.core.render.terminal import printable
from bot.kernel.redact import redact

# Libraries that tell at INFO what we tell ourselves, or advertise.
QUIET = ("dbos", "alembic", "httpx", "github", "urllib3", "git")


def configure(process: str, secrets: Iterable[str] = (), *, verbose: bool = False) -> None:
    """Send structured lines to standard error, marked with the name of this process."""
    hidden = tuple(secrets)

    def with_process(
        _logger: object, _method: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        # Not a context variable: threads do not inherit those.
        return {**event, "process": process}

    def made_harmless(
        _logger: object, _method: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        return {
            key: _harmless(value, hidden) if isinstance(value, str) else value
            for key, value in event.items()
        }

    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            with_process,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            made_harmless,
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
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    for handler in logging.getLogger().handlers:
        handler.setFormatter(_Formatter(process, hidden))


class _Formatter(logging.Formatter):
    """The same for lines of libraries, their tracebacks included."""

    def __init__(self, process: str, hidden: tuple[str, ...]) -> None:
        super().__init__(
            f"%(asctime)s process={process} logger=%(name)s level=%(levelname)s %(message)s"
        )
        self.hidden = hidden

    @override
    def format(self, record: logging.LogRecord) -> str:
        """Return the line without secrets and terminal codes."""
        return _harmless(super().format(record), self.hidden)


def _harmless(text: str, hidden: Iterable[str]) -> str:
    """Return `text` without secrets, which codes inside them cannot hide, and terminal codes."""
    return redact(printable(text), hidden)
