"""Custom domains of the fake v1 server: proved when the test says so."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from tests.fakes.subhosting.refused import Json, Refused

AT = datetime(2026, 11, 20, 12, tzinfo=UTC).isoformat()


@dataclass
class Domain:
    id: str
    name: str  # "*.example.com" is a wildcard
    organization: str
    validated: bool = False
    code: str = "pending"

    def covers(self, host: str) -> bool:
        return self.name in {host, f"*.{host.partition('.')[2]}"}

    def shown(self) -> Json:
        return {
            "id": self.id,
            "organizationId": self.organization,
            "domain": self.name,
            "token": f"token-{self.id}",
            "isValidated": self.validated,
            "certificates": [],
            "provisioningStatus": {"code": self.code},
            "createdAt": AT,
            "updatedAt": AT,
            "dnsRecords": [
                {"type": "A", "name": self.name, "content": "192.0.2.1"},
                {
                    "type": "CNAME",
                    "name": f"_acme-challenge.{self.name}",
                    "content": f"token-{self.id}._acme.example.",
                },
            ],
        }


@dataclass
class Domains:
    """The domains of an organization; `published` are those that their owners have proved."""

    all: dict[str, Domain] = field(default_factory=dict)
    published: set[str] = field(default_factory=set)
    unsecurable: set[str] = field(default_factory=set)  # no certificate is to be had

    def register(self, name: str, organization: str) -> Domain:
        if any(each.name == name for each in self.all.values()):
            raise Refused(400, "domainTaken")
        key = f"44444444-4444-4444-8444-{len(self.all) + 1:012d}"
        self.all[key] = Domain(id=key, name=name, organization=organization)
        return self.all[key]

    def found(self, key: str) -> Domain:
        if key not in self.all:
            raise Refused(404, "domainNotFound")
        return self.all[key]

    def verify(self, key: str) -> None:
        domain = self.found(key)
        if domain.name not in self.published:
            raise Refused(400, "domainNotVerified", "a record is missing")
        domain.validated = True

    def provision(self, key: str) -> None:
        domain = self.found(key)
        if domain.name in self.unsecurable:
            domain.code = "failed"
            raise Refused(400, "provisioningFailed", "the authority says no")
        domain.code = "success"

    def allows(self, host: str) -> bool:
        return any(each.validated and each.covers(host) for each in self.all.values())
