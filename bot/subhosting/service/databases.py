"""KV databases: v1's, and the logical databases of v2's instances, which are the same thing."""

from collections.abc import Mapping
from typing import Literal

from sqlalchemy.exc import IntegrityError

from bot.subhosting.errors import InvalidRequest, NotFound
from bot.subhosting.identifiers import new_uuid
from bot.subhosting.service.services import Services
from bot.subhosting.store import databases as rows
from bot.subhosting.store.databases import DatabaseRecord, InstanceRecord
from bot.subhosting.store.records import Context
from bot.wire.deploy_v2_revisions import Target

DENO_KV: Literal["denokv"] = "denokv"

_MAX_NAME_LENGTH = 255


def create(services: Services, organization_id: str, description: str | None) -> DatabaseRecord:
    """Make an empty database; its file appears when an app first opens it.

    Raises:
        InvalidRequest: the description cannot be stored.

    """
    record = _new(services, organization_id, _text(description or ""))
    with services.database.writing() as connection:
        rows.insert(connection, record)
    return record


def get(services: Services, organization_id: str, database_id: str) -> DatabaseRecord:
    """Return a database by id.

    Raises:
        NotFound: there is none, or it is another organization's.

    """
    with services.database.reading() as connection:
        found = rows.find(connection, organization_id, database_id)
    if found is None:
        raise NotFound("database", database_id)
    return found


def describe(
    services: Services, database: DatabaseRecord, description: str | None
) -> DatabaseRecord:
    """Change the description unless it is None, and return the database as it is then.

    Raises:
        InvalidRequest: the description cannot be stored.

    """
    if description is not None:
        with services.database.writing() as connection:
            now = services.clock.now()
            rows.describe(connection, database.id, _text(description), now)
    return get(services, database.organization_id, database.id)


def create_instance(
    services: Services, organization_id: str, slug: str, engine: str
) -> InstanceRecord:
    """Make a server of databases, which for Deno KV is only a name for a group of them.

    Raises:
        InvalidRequest: `slugAlreadyInUse`, or `engineNotSupported` for what would run elsewhere.

    """
    if engine != DENO_KV:
        msg = (
            f"connection.engine: {engine!r} is not supported by this server, only {DENO_KV!r};"
            " give apps the address of another database as an environment variable."
        )
        raise InvalidRequest("engineNotSupported", msg)
    record = InstanceRecord(
        id=new_uuid(),
        organization_id=organization_id,
        slug=_text(slug, field="slug"),
        engine=engine,
        created_at=services.clock.now(),
    )
    try:
        with services.database.writing() as connection:
            rows.insert_instance(connection, record)
    except IntegrityError as error:
        msg = f"slug: a database instance {slug!r} exists already."
        raise InvalidRequest("slugAlreadyInUse", msg) from error
    return record


def of_reference(
    services: Services, organization_id: str, instance: str, name: str
) -> DatabaseRecord:
    """Return the database `name` of an instance (id or slug), made at its first mention.

    This is what `production.databases` and `preview.databases` of a v2 deploy refer to.

    Raises:
        InvalidRequest: `databaseInstanceNotFound`, or the name is not a literal one.

    """
    if not name or len(name) > _MAX_NAME_LENGTH or any(each in name for each in "{}\0"):
        msg = f"databases.name: {name[:300]!r} must be a literal name, without braces."
        raise InvalidRequest("invalidDatabaseName", msg)
    with services.database.reading() as connection:
        owner = rows.find_instance(connection, organization_id, instance)
        found = None if owner is None else rows.find_named(connection, owner, name)
    if owner is None:
        msg = f"databases.instance: there is no database instance {instance[:300]!r} here."
        raise InvalidRequest("databaseInstanceNotFound", msg)
    if found is not None:
        return found
    made = _new(services, organization_id, "", instance=owner, name=name)
    try:
        with services.database.writing() as connection:
            rows.insert(connection, made)
    except IntegrityError:
        # Somebody else mentioned it first.
        return of_reference(services, organization_id, instance, name)
    return made


def of_targets(
    services: Services, organization_id: str, targets: Mapping[Context, Target]
) -> dict[Context, dict[str, str]]:
    """Return what the targets of a v2 deploy bind: context -> name -> database id.

    Raises:
        InvalidRequest: as `of_reference`; or there are two, of which an app could open one only.

    """
    found: dict[Context, dict[str, str]] = {}
    for context, target in targets.items():
        references = [] if isinstance(target, bool) else target.databases or []
        if len(references) > 1:
            msg = f"{context}.databases: at most one, because `Deno.openKv()` opens one."
            raise InvalidRequest("tooManyDatabases", msg)
        for each in references:
            database = of_reference(services, organization_id, each.instance, each.name)
            found.setdefault(context, {})[each.name] = database.id
    return found


def _new(
    services: Services,
    organization_id: str,
    description: str,
    *,
    instance: InstanceRecord | None = None,
    name: str | None = None,
) -> DatabaseRecord:
    now = services.clock.now()
    return DatabaseRecord(
        id=new_uuid(),
        organization_id=organization_id,
        description=description,
        instance_id=None if instance is None else instance.id,
        name=name,
        created_at=now,
        updated_at=now,
    )


def _text(text: str, field: str = "description") -> str:
    # PostgreSQL cannot store it.
    if "\0" in text:
        raise InvalidRequest("invalidRequest", f"{field}: must not hold a NUL character.")
    return text
