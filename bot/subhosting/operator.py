"""What the operator does at the command line, beside a running server or without one."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from bot.subhosting.config import SubhostingConfig
from bot.subhosting.errors import InvalidRequest, NotFound
from bot.subhosting.service import links, projects
from bot.subhosting.service.services import services_for
from bot.subhosting.setup import Organization, create_token, prepare
from bot.subhosting.store.engine import Database
from bot.subhosting.store.links import LinkRecord
from bot.subhosting.store.tables import tokens

# Of a token's hash: enough to tell tokens apart, useless for finding one.
_ID_LENGTH = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The owner of everything, and the token that its first start made; None later."""

    organization: Organization
    token: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token as one may show it: by the start of its hash, never itself."""

    id: str
    name: str
    created_at: datetime


def start(config: SubhostingConfig) -> Started:
    """Bring the store up to date; the first time with a token, which is shown this once."""
    organization = prepare(config)
    fresh = None if list_tokens(config) else create_token(config, "first start")
    return Started(organization=organization, token=fresh)


def list_tokens(config: SubhostingConfig) -> list[Token]:
    """Return all tokens, oldest first."""
    prepare(config)
    database = Database(config.database)
    try:
        with database.reading() as connection:
            rows = connection.execute(sa.select(tokens).order_by(tokens.c.created_at)).all()
    finally:
        database.close()
    return [
        Token(id=row.hash[:_ID_LENGTH], name=row.name, created_at=row.created_at) for row in rows
    ]


def revoke_token(config: SubhostingConfig, token_id: str) -> Token:
    """Refuse a token from now on; `token_id` is what `list_tokens` shows.

    Raises:
        NotFound: there is no such token.

    """
    found = next((token for token in list_tokens(config) if token.id == token_id), None)
    if found is None:
        raise NotFound("token", token_id)
    database = Database(config.database)
    try:
        with database.writing() as connection:
            connection.execute(
                tokens.delete().where(sa.func.substr(tokens.c.hash, 1, _ID_LENGTH) == token_id)
            )
    finally:
        database.close()
    return found


def link_repository(
    config: SubhostingConfig, project: str, repository_id: int, default_branch: str | None
) -> LinkRecord:
    """Let workflows of a GitHub repository deploy to a project, given by name or id.

    What runs on `default_branch` goes to production; without one nothing does.

    Raises:
        NotFound: there is no such project.
        InvalidRequest: the number is none that GitHub gives.

    """
    if not 0 < repository_id < 2**63:
        msg = f"REPOSITORY_ID: {repository_id} is not a repository's number."
        raise InvalidRequest("invalidRequest", msg)
    organization = prepare(config)
    services = services_for(config)
    try:
        found = projects.get_by_name_or_id(services, organization.id, project)
        return links.link(services, found, repository_id, default_branch)
    finally:
        services.database.close()


def unlink_repository(config: SubhostingConfig, project: str) -> bool:
    """Take a project's link away; False if it had none.

    Raises:
        NotFound: there is no such project.

    """
    organization = prepare(config)
    services = services_for(config)
    try:
        return links.unlink(
            services, projects.get_by_name_or_id(services, organization.id, project)
        )
    finally:
        services.database.close()
