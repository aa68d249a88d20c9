"""Hosts of people's own domains by v2: registered, proved by DNS, secured, bound.

Bindings add up, and of several revisions with one host the last one made is served: Deno's
document, "domains". So an earlier one gets it only when the later ones have let go.
"""

import orjson

from bot.adapters.targets.http import Api, Call
from bot.adapters.targets.paths import part
from bot.adapters.targets.v2.watching import Builds, hosts_of
from bot.core.model.errors import TargetRefused, TargetUnavailable
from bot.core.model.ids import AppSlug, TargetDeploymentId
from bot.ports.target import DnsRecord, Unproven
from bot.wire import deploy_v2_domains as wire
from bot.wire import deploy_v2_revisions as revisions

_BAD_REQUEST, _NOT_FOUND = 400, 404

PAGE_SIZE = 100
MAX_PAGES = 20

# Neither is mended by asking for another certificate.
_SECURED = frozenset({wire.ProvisioningCode.SUCCESS, wire.ProvisioningCode.MANUAL})
_BELOW = frozenset({wire.DomainKind.WILDCARD_ONLY, wire.DomainKind.BASE_AND_WILDCARD})


class Domains:
    """The domains of one organization."""

    def __init__(self, api: Api, builds: Builds) -> None:
        self._api = api
        self._builds = builds

    def proved(self, host: str) -> wire.Domain | Unproven:
        """Return the domain that covers `host`, registered if need be, if it is proved."""
        found = self._covering(host) or self._registered(host)
        if found.is_validated:
            return found
        try:
            call = Call(method="POST", url=f"domains/{part(found.id)}/verify")
            found = self._api.ask(call, wire.Domain)
        except TargetRefused as refusal:
            # A 400 names the record that is missing.
            if refusal.status != _BAD_REQUEST:
                raise
        if found.is_validated:
            return found
        return Unproven(records=tuple(tuple(map(_record, one)) for one in found.dns_records))

    def bind(self, app: AppSlug, deployment: TargetDeploymentId, host: str) -> None:
        """Lead a proved host to the revision, also when later ones of its app have it.

        Raises:
            TargetUnavailable: the platform does not lead it there yet; repeating is harmless.

        """
        document = orjson.dumps({"production": [host]})
        url = f"revisions/{part(deployment)}/domains"
        self._api.tell(Call(method="PUT", url=url, body=lambda: iter((document,))))
        if self._leads(deployment, host):
            return
        self._let_go(app, deployment, host)
        if not self._leads(deployment, host):
            raise TargetUnavailable(self._api.name, f"it does not lead {host} there yet")

    def why_unsecured(self, domain: wire.Domain) -> str | None:
        """Have the platform obtain a certificate if it lacks one; None when it has one."""
        status = domain.provisioning_status
        if status.code in _SECURED:
            return None
        url = f"domains/{part(domain.id)}/certificates/provision"
        try:
            self._api.tell(Call(method="POST", url=url, repeatable=False))
        except TargetRefused as refusal:
            return refusal.message
        return status.message or "the platform is obtaining its certificate"

    def detach(self, deployment: TargetDeploymentId, host: str) -> None:
        """Take the host away from the revision, if it is there."""
        url = f"revisions/{part(deployment)}/domains/{part(host)}"
        try:
            self._api.tell(Call(method="DELETE", url=url))
        except TargetRefused as refusal:
            if refusal.status != _NOT_FOUND:
                raise

    def _leads(self, deployment: TargetDeploymentId, host: str) -> bool:
        return host in hosts_of(self._builds.revision(deployment))

    def _let_go(self, app: AppSlug, deployment: TargetDeploymentId, host: str) -> None:
        """Take the host away from all later revisions of the app."""
        made_at = self._builds.revision(deployment).created_at
        url = f"apps/{part(app)}/revisions"
        call: Call | None = Call(method="GET", url=url, params={"limit": PAGE_SIZE})
        for _ in range(MAX_PAGES):
            if call is None:
                return
            page, call = self._api.ask_page(call, list[revisions.RevisionListItem])
            for item in page:
                if item.created_at >= made_at and item.id != deployment:
                    self.detach(TargetDeploymentId(item.id), host)

    def _covering(self, host: str) -> wire.Domain | None:
        """Return the domain itself, or the wildcard that it lies below by one label."""
        found = self._found(host)
        if found is not None and found.kind is not wire.DomainKind.WILDCARD_ONLY:
            return found
        above = self._found(host.partition(".")[2])
        return above if above is not None and above.kind in _BELOW else None

    def _found(self, name: str) -> wire.Domain | None:
        try:
            return self._api.ask(Call(method="GET", url=f"domains/{part(name)}"), wire.Domain)
        except TargetRefused as refusal:
            if refusal.status != _NOT_FOUND:
                raise
            return None

    def _registered(self, host: str) -> wire.Domain:
        document = orjson.dumps({"domain": host, "kind": wire.DomainKind.BASE_ONLY})
        call = Call(method="POST", url="domains", body=lambda: iter((document,)), repeatable=False)
        try:
            return self._api.ask(call, wire.Domain)
        except TargetRefused:
            # Somebody else may have registered it since we looked: another worker of ours, say.
            found = self._covering(host)
            if found is None:
                raise
            return found


def _record(record: wire.DnsRecord) -> DnsRecord:
    at_base = record.name in {"", "@"}
    name = record.base if at_base else f"{record.name}.{record.base}"
    return DnsRecord(name=name, kind=record.type, content=record.value)
