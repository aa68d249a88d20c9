"""Attempts to make a GitHub App, and the App; secrets and codes sealed.

Functions that the engine needs in a transaction of its own take the connection; bootstrap hands it
a `SetupTable` (`bot.adapters.engine.setups.Attempts` is the shape it must have).
"""

import hashlib
import json
from datetime import timedelta

import sqlalchemy as sa

from bot.adapters.storage.connect import Engines
from bot.adapters.storage.tables import github_apps, setups
from bot.adapters.storage.vault import Vault
from bot.core.model.apps import GithubApp
from bot.kernel.clock import Clock
from bot.ports.setups import Setup, SetupState

# GitHub's code is good for as long.
# https://docs.github.com/en/apps/sharing-github-apps/registering-a-github-app-from-a-manifest
GOOD_FOR = timedelta(hours=1)


class SetupTable:
    """The attempts and the App; implements `bot.ports.setups.Exchanges`."""

    def __init__(self, engines: Engines, vault: Vault, clock: Clock) -> None:
        self._read = engines.read
        self._write = engines.write
        self._vault = vault
        self._clock = clock

    def open(self, state: str) -> None:
        """Begin an attempt, and forget those that are long over."""
        now = self._clock.now()
        with self._write.begin() as connection:
            long_ago = setups.c.opened_at < now - 24 * GOOD_FOR
            connection.execute(sa.delete(setups).where(long_ago))
            connection.execute(
                sa.insert(setups).values(
                    key=key_of(state), state=str(SetupState.OPEN), opened_at=now, problem=""
                )
            )

    def take(self, connection: sa.Connection, state: str, code: str) -> str | None:
        """Keep `code` for the exchange and return the attempt's key; None when it is not good.

        An attempt is taken once, within `GOOD_FOR` of its opening.
        """
        columns, key = setups.c, key_of(state)
        usable = sa.and_(
            columns.key == key,
            columns.state == str(SetupState.OPEN),
            columns.opened_at >= self._clock.now() - GOOD_FOR,
        )
        taken = sa.update(setups).where(usable)
        changed = connection.execute(
            taken.values(state=str(SetupState.EXCHANGING), sealed_code=self._vault.seal(code))
        ).rowcount
        return key if changed else None

    def find(self, state: str) -> Setup | None:
        """Return the attempt of `state` as it stands."""
        with self._read.connect() as connection:
            row = connection.execute(
                sa.select(setups).where(setups.c.key == key_of(state))
            ).first()
        if row is None:
            return None
        return Setup(key=row.key, state=SetupState(row.state), problem=row.problem)

    def code(self, key: str) -> str | None:
        """Return the code that is to be exchanged; None when that is done, or was never asked."""
        waiting = sa.and_(setups.c.key == key, setups.c.state == str(SetupState.EXCHANGING))
        with self._read.connect() as connection:
            sealed = connection.scalar(sa.select(setups.c.sealed_code).where(waiting))
        return None if sealed is None else self._vault.open(sealed)

    def finish(self, key: str, app: GithubApp) -> None:
        """Store the App as this installation's, and the attempt as done; the code is forgotten."""
        sealed = self._vault.seal(
            json.dumps({"private_key": app.private_key, "webhook_secret": app.webhook_secret})
        )
        with self._write.begin() as connection:
            connection.execute(sa.delete(github_apps))
            connection.execute(
                sa.insert(github_apps).values(
                    id=app.id,
                    slug=app.slug,
                    html_url=app.html_url,
                    sealed=sealed,
                    made_at=self._clock.now(),
                )
            )
            _end(connection, key, SetupState.DONE, "")

    def fail(self, key: str, problem: str) -> None:
        """Store why the attempt failed; the code is forgotten."""
        with self._write.begin() as connection:
            _end(connection, key, SetupState.FAILED, problem)

    def app(self) -> GithubApp | None:
        """Return the App that this installation made, None as long as there is none.

        Raises:
            ConfigurationProblem: the vault's key does not open its secrets.

        """
        with self._read.connect() as connection:
            row = connection.execute(sa.select(github_apps)).first()
        if row is None:
            return None
        secrets: dict[str, str] = json.loads(self._vault.open(row.sealed))
        return GithubApp(id=row.id, slug=row.slug, html_url=row.html_url, **secrets)

    def forget_app(self) -> bool:
        """Forget the App; False when there was none."""
        with self._write.begin() as connection:
            return bool(connection.execute(sa.delete(github_apps)).rowcount)


def key_of(state: str) -> str:
    """Return what is kept of a state: who reads the database cannot use it."""
    return hashlib.sha256(state.encode("utf-8", "surrogatepass")).hexdigest()


def _end(connection: sa.Connection, key: str, state: SetupState, problem: str) -> None:
    ended = sa.update(setups).where(setups.c.key == key)
    connection.execute(ended.values(state=str(state), sealed_code=None, problem=problem))
