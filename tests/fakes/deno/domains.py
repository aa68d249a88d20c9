"""Custom domains of the fake Deno Deploy, and the hosts that its revisions have of them."""

from dataclasses import dataclass, field

from tests.fakes.deno.records import START, Revision
from tests.fakes.subhosting.refused import Json, Refused


@dataclass
class Domain:
    id: str
    name: str
    kind: str
    validated: bool = False
    code: str = "pending"

    def covers(self, host: str) -> bool:
        itself = self.kind != "wildcard_only" and host == self.name
        below = self.kind != "base_only" and host.partition(".")[2] == self.name
        return itself or below

    def shown(self) -> Json:
        at = START.isoformat()
        proof = {"base": self.name, "name": "_acme-challenge"}
        return {
            "id": self.id,
            "organization_id": "org",
            "domain": self.name,
            "kind": self.kind,
            "verification_token": f"token-{self.id}",
            "is_validated": self.validated,
            "dns_records": [
                [{**proof, "type": "CNAME", "value": f"token-{self.id}._acme.example."}],
                [{**proof, "type": "TXT", "value": f"token-{self.id}"}],
            ],
            "provisioning_status": {"code": self.code},
            "certificates": [],
            "created_at": at,
            "updated_at": at,
        }


@dataclass
class Domains:
    """The domains of an organization; `published` are those that their owners have proved."""

    all: dict[str, Domain] = field(default_factory=dict)
    published: set[str] = field(default_factory=set)

    def register(self, name: str, kind: str) -> Domain:
        if any(each.name == name for each in self.all.values()):
            raise Refused(400, "DOMAIN_TAKEN")
        key = f"dom_{len(self.all) + 1}"
        self.all[key] = Domain(id=key, name=name, kind=kind)
        return self.all[key]

    def found(self, key: str) -> Domain:
        for domain in self.all.values():
            if key in {domain.id, domain.name}:
                return domain
        raise Refused(404, "DOMAIN_NOT_FOUND")

    def verify(self, key: str) -> Domain:
        domain = self.found(key)
        if domain.name not in self.published:
            raise Refused(400, "DOMAIN_NOT_VERIFIED", "a record is missing")
        domain.validated = True
        return domain

    def bind(self, revision: Revision, hosts: list[str]) -> None:
        for host in hosts:
            if not any(each.validated and each.covers(host) for each in self.all.values()):
                raise Refused(400, "DOMAIN_NOT_ALLOWED")
            revision.own_hosts.add(host)

    def unbind(self, revision: Revision, host: str) -> None:
        if host not in revision.own_hosts:
            raise Refused(404, "DOMAIN_NOT_FOUND")
        revision.own_hosts.discard(host)
