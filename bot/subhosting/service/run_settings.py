"""How a deployment of v1 is run, beyond its files and variables: checked wishes of the client.

What is asked for is done or refused by the name of its field, never dropped: an app must not run
with more rights, or other modules, than its owner asked for.
"""

import re
from collections.abc import Mapping, Sequence
from urllib.parse import unquote

from bot.subhosting.config import SOURCE_URL
from bot.subhosting.errors import InvalidRequest, NotFound, TooLarge
from bot.subhosting.service import databases
from bot.subhosting.service.remote_modules import checked_url
from bot.subhosting.service.services import Services
from bot.subhosting.store.databases import DEFAULT
from bot.subhosting.store.records import Manifest
from bot.subhosting.store.settings import Settings
from bot.wire.subhosting_v1 import CreateDeploymentRequest, Permissions

# v1: an IPv4 address, an IPv6 address in brackets, a host name, or `*`; Deno takes a port as well.
# Nothing else, because the value becomes one element of Deno's comma-separated list.
_HOST = re.compile(
    r"\*|(?:[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,251}[A-Za-z0-9_])?|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?"
)
# A command line has an end, and this is far from it.
_MAX_HOSTS = 500


def read(
    services: Services, organization_id: str, request: CreateDeploymentRequest, manifest: Manifest
) -> Settings:
    """Return what a create asks for.

    Raises:
        InvalidRequest: a wish cannot be fulfilled; names the field.
        TooLarge: too many hosts.

    """
    options = request.compiler_options
    wanted = {str(name): each for name, each in (request.databases or {}).items()}
    linked = checked_databases(services, organization_id, wanted)
    if request.enable_cron and DEFAULT not in linked:
        # V1SPEC: crons are kept in the database.
        msg = "enableCron: needs a database, which `databases` names as `default`."
        raise InvalidRequest("cronNeedsDatabase", msg)
    return Settings(
        net=checked_net(request.permissions),
        import_map=_module("importMapUrl", request.import_map_url, services, manifest),
        lock_file=_module("lockFileUrl", request.lock_file_url, services, manifest),
        compiler_options=(
            None if options is None else options.model_dump(by_alias=True, exclude_none=True)
        ),
        enable_cron=bool(request.enable_cron),
        min_isolation=None if request.isolation is None else request.isolation.minimum,
        databases=linked,
    )


def checked_net(permissions: Permissions | None) -> tuple[str, ...] | None:
    """Return the hosts that an app may reach; None is all of them.

    Raises:
        InvalidRequest: one of them is no host.
        TooLarge: there are too many.

    """
    hosts: Sequence[str] | None = None if permissions is None else permissions.net
    if hosts is None:
        return None
    if len(hosts) > _MAX_HOSTS:
        msg = f"permissions.net: {len(hosts)} are more than the limit of {_MAX_HOSTS}."
        raise TooLarge("tooManyHosts", msg)
    for host in hosts:
        if _HOST.fullmatch(host) is None:
            msg = (
                f"permissions.net: {host[:300]!r} is neither a host name, nor an IPv4 address, nor"
                " an IPv6 address in brackets, nor `*`."
            )
            raise InvalidRequest("invalidHost", msg)
    return tuple(dict.fromkeys(hosts))


def checked_databases(
    services: Services, organization_id: str, wanted: Mapping[str, str]
) -> dict[str, str]:
    """Return `wanted`, all of which are databases of the organization.

    Raises:
        InvalidRequest: one is not.

    """
    for name, database_id in wanted.items():
        try:
            databases.get(services, organization_id, database_id)
        except NotFound as error:
            msg = f"databases.{name}: there is no database {database_id[:300]!r} here."
            raise InvalidRequest("databaseNotFound", msg) from error
    return dict(wanted)


def _module(field: str, url: str | None, services: Services, manifest: Manifest) -> str | None:
    """Return a URL or the path of an asset; the empty string and None are answers of their own.

    Raises:
        InvalidRequest: no asset has that path, or the URL leads elsewhere.

    """
    if not url:
        return url
    if remote := checked_url(field, "unsupportedUrl", url, services.addresses.allowed):
        return remote
    path = unquote(url.removeprefix(SOURCE_URL)) if url.startswith(SOURCE_URL) else url
    path = path.removeprefix("./").removeprefix("/src/")
    if "://" in path or path.startswith("data:"):
        msg = f"{field}: {url[:300]!r} is neither an asset nor an https URL."
        raise InvalidRequest("unsupportedUrl", msg)
    if path not in manifest.files and path not in manifest.links:
        raise InvalidRequest(
            "assetPathNotFound", f"{field}: no asset has the path {path[:300]!r}."
        )
    return path
