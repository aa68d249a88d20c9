"""Hosts of people's own domains by v1: registered, proved by DNS, secured, attached."""

from collections.abc import Iterator

import orjson

from bot.adapters.targets.http import Api, Call
from bot.adapters.targets.paths import part
from bot.adapters.targets.v1.lists import listed
from bot.core.model.errors import TargetRefused, TargetUnavailable
from bot.core.model.ids import TargetDeploymentId
from bot.ports.target import DnsRecord, Unproven
from bot.wire import subhosting_v1 as wire

_BAD_REQUEST, _NOT_FOUND = 400, 404

# Neither is mended by asking for another certificate.
_SECURED = frozenset({"success", "manual"})


class Domains:
    """The domains of one organization."""

    def __init__(self, api: Api, organization: str) -> None:
        self._api = api
        self._url = f"organizations/{part(organization)}/domains"

    def proved(self, host: str) -> wire.Domain | Unproven:
        """Return the domain that covers `host`, registered if need be, if it is proved."""
        found = self._covering(host) or self._registered(host)
        if found.is_validated:
            return found
        try:
            self._api.tell(Call(method="POST", url=f"domains/{part(found.id)}/verify"))
        except TargetRefused as refusal:
            if refusal.status != _BAD_REQUEST:
                raise
            return Unproven(records=(tuple(map(_record, found.dns_records)),))
        return self._api.ask(Call(method="GET", url=f"domains/{part(found.id)}"), wire.Domain)

    def why_unsecured(self, domain: wire.Domain) -> str | None:
        """Have the platform obtain a certificate if it lacks one; None when it has one.

        The platform answers when it has it, which may take a minute.
        """
        if domain.provisioning_status.code in _SECURED:
            return None
        url = f"domains/{part(domain.id)}/certificates/provision"
        try:
            self._api.tell(Call(method="POST", url=url, repeatable=False))
        except TargetRefused as refusal:
            return refusal.message
        except TargetUnavailable as error:
            return str(error)
        return None

    def detach(self, deployment: TargetDeploymentId, host: str) -> None:
        """Take the host away from the deployment, if it is there."""
        url = f"deployments/{part(deployment)}/domains/{part(host)}"
        try:
            self._api.tell(Call(method="DELETE", url=url))
        except TargetRefused as refusal:
            if refusal.status != _NOT_FOUND:
                raise

    def _covering(self, host: str) -> wire.Domain | None:
        """Return the domain itself, or the wildcard that it lies below by one label."""
        parent = host.partition(".")[2]
        exact = self._named(host, host)
        return next(exact, None) or next(self._named(f"*.{parent}", parent), None)

    def _named(self, name: str, asked: str) -> Iterator[wire.Domain]:
        for domain in listed(self._api, self._url, list[wire.Domain], q=asked):
            if domain.domain == name:  # `q` also finds names that only contain it
                yield domain

    def _registered(self, host: str) -> wire.Domain:
        document = orjson.dumps({"domain": host})
        call = Call(method="POST", url=self._url, body=lambda: iter((document,)), repeatable=False)
        try:
            return self._api.ask(call, wire.Domain)
        except TargetRefused:
            # Somebody else may have registered it since we looked: another worker of ours, say.
            found = self._covering(host)
            if found is None:
                raise
            return found


def _record(record: wire.DnsRecord) -> DnsRecord:
    return DnsRecord(name=record.name, kind=record.type, content=record.content)
