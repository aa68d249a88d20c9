"""The bundle of things that every use case needs."""

from dataclasses import dataclass, field

from bot.kernel.clock import Clock, SystemClock
from bot.kernel.ids import Ids, RandomIds
from bot.subhosting.config import SubhostingConfig
from bot.subhosting.host_link import HostLink
from bot.subhosting.store.blobs import BlobStore
from bot.subhosting.store.engine import Database
from bot.subhosting.trust.addresses import AddressPolicy, AllowList
from bot.subhosting.trust.dns import DnsPythonResolver, DnsResolver


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Store, clock, ids and the way to the host process."""

    config: SubhostingConfig
    database: Database
    blobs: BlobStore
    host: HostLink
    clock: Clock
    ids: Ids
    dns: DnsResolver = field(default_factory=DnsPythonResolver)
    addresses: AddressPolicy = field(default_factory=AddressPolicy)


def services_for(config: SubhostingConfig) -> Services:
    """Return the real services; nothing is opened before its first use."""
    return Services(
        config=config,
        database=Database(config.database),
        blobs=BlobStore(config.blobs_dir),
        host=HostLink(config.data_dir),
        clock=SystemClock(),
        ids=RandomIds(),
        dns=DnsPythonResolver(config.name_servers or None, port=config.name_server_port),
        addresses=AddressPolicy(allowed=AllowList.of(config.open_addresses)),
    )
