"""How many deployments an organization may make in an hour."""

from datetime import timedelta

from sqlalchemy.engine import Connection

from bot.subhosting.errors import TooManyDeployments
from bot.subhosting.service.services import Services
from bot.subhosting.store import links

_HOUR = timedelta(hours=1)
_MINUTE = timedelta(minutes=1)


def check(services: Services, organization_id: str) -> None:
    """Refuse early, before a body is read that would be refused at its end.

    Raises:
        TooManyDeployments: the limit is reached; it says when there is room again.

    """
    with services.database.reading() as connection:
        _check(services, connection, organization_id)


def spend(services: Services, connection: Connection, organization_id: str) -> None:
    """Count one more, in the transaction that stores the deployment.

    Raises:
        TooManyDeployments: others were faster; the transaction must not commit.

    """
    links.lock_counts(connection, organization_id)
    _check(services, connection, organization_id)
    now = services.clock.now()
    minute = now.replace(second=0, microsecond=0)
    links.count(connection, organization_id, minute)
    if minute.minute == 0:
        links.forget_counts(connection, minute - 2 * _HOUR)


def _check(services: Services, connection: Connection, organization_id: str) -> None:
    now = services.clock.now()
    limit = services.config.limits.deployments_per_hour
    counts = links.counted(connection, organization_id, now - _HOUR - _MINUTE)
    too_many = sum(made for _, made in counts) - limit + 1
    if too_many <= 0:
        return
    # Room comes when enough of the oldest are more than an hour ago.
    free_at = now + _HOUR
    for minute, made in counts:
        free_at = minute + _HOUR + _MINUTE
        too_many -= made
        if too_many <= 0:
            break
    raise TooManyDeployments(limit, free_at - now)
