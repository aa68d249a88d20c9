"""Custom domains and certificates of v2."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, Response

from bot.subhosting.api import answers, parameters
from bot.subhosting.api.requests import json_body, organization_id, parsed, services
from bot.subhosting.api.v2 import paging
from bot.subhosting.service import certificates, custom_domains
from bot.subhosting.store import domains as rows
from bot.subhosting.store.domains import (
    CertificateRecord,
    DomainKind,
    DomainRecord,
    Provisioning,
)
from bot.subhosting.store.records import After
from bot.subhosting.trust.certificates import Field
from bot.subhosting.trust.dns import DnsRecord, RecordKind
from bot.wire import deploy_v2_domains as wire

_FIELDS: Mapping[Field, str] = {"privateKey": "private_key", "certificateChain": "certificate"}

# The zone's own name in a record that is relative to it.
_APEX = "@"


def register(v2: Blueprint) -> None:
    """Add the routes."""
    v2.get("/domains")(list_domains)
    v2.post("/domains")(create_domain)
    v2.get("/domains/<domain>")(get_domain)
    v2.delete("/domains/<domain>")(delete_domain)
    v2.post("/domains/<domain>/verify")(verify_domain)
    v2.post("/domains/<domain>/certificates")(upload_certificate)
    v2.get("/domains/<domain>/certificates")(list_certificates)
    v2.post("/domains/<domain>/certificates/provision")(provision_certificate)


def list_domains() -> Response:
    """GET /domains: newest first."""
    limit = paging.limit()
    search, after = parameters.text("search"), paging.after()
    with services().database.reading() as connection:
        found = rows.newest(
            connection, organization_id(), search=search, after=after, limit=limit + 1
        )
    documents = {document["id"]: document for document in _documents(found)}
    return paging.page(found, limit, lambda each: documents[each.id], _place)


def create_domain() -> Response:
    """POST /domains: 200, not verified yet."""
    body = parsed(wire.DomainInit, json_body())
    kind = DomainKind(body.kind.value)
    made = custom_domains.register(services(), organization_id(), body.domain, kind)
    return answers.json(_documents([made])[0])


def get_domain(domain: str) -> Response:
    """GET /domains/{domain}, by id or name."""
    return answers.json(_documents([_found(domain)])[0])


def delete_domain(domain: str) -> Response:
    """DELETE /domains/{domain}: its bindings go with it."""
    custom_domains.delete(services(), _found(domain), remember_hosts=False)
    return Response(status=204)


def verify_domain(domain: str) -> Response:
    """POST /domains/{domain}/verify: a 400 names the record that is missing."""
    return answers.json(_documents([custom_domains.verify(services(), _found(domain))])[0])


def upload_certificate(domain: str) -> Response:
    """POST /domains/{domain}/certificates."""
    found = _found(domain)
    body = parsed(wire.CertificateUpload, json_body())
    changed = certificates.upload(
        services(),
        found,
        private_key=body.private_key.get_secret_value(),
        chain=body.certificate,
        fields=_FIELDS,
    )
    return answers.json(_documents([changed])[0])


def list_certificates(domain: str) -> Response:
    """GET /domains/{domain}/certificates, with how far their provisioning is."""
    found = _found(domain)
    with services().database.reading() as connection:
        held = rows.certificates_of(connection, [found.id])[found.id]
    document = wire.CertificateList(
        certificates=[_certificate(each) for each in held],
        provisioning_status=_provisioning(found),
    )
    return answers.json(document.model_dump(mode="json"))


def provision_certificate(domain: str) -> Response:
    """POST /domains/{domain}/certificates/provision: 202; the list of certificates tells more."""
    certificates.request(services(), _found(domain))
    return answers.json(wire.ProvisioningAccepted().model_dump(mode="json"), 202)


def _found(domain: str) -> DomainRecord:
    return custom_domains.get(services(), organization_id(), domain)


def _documents(found: Sequence[DomainRecord]) -> list[dict[str, Any]]:
    with services().database.reading() as connection:
        held = rows.certificates_of(connection, [each.id for each in found])
    return [_document(each, held[each.id]) for each in found]


def _document(record: DomainRecord, held: Sequence[CertificateRecord]) -> dict[str, Any]:
    document = wire.Domain(
        id=record.id,
        organization_id=record.organization_id,
        domain=record.domain,
        kind=wire.DomainKind(record.kind.value),
        verification_token=record.token,
        is_validated=record.is_validated,
        dns_records=_alternatives(record),
        provisioning_status=_provisioning(record),
        certificates=[_certificate(each) for each in held],
        created_at=record.created_at,
        updated_at=record.updated_at,
    )
    return document.model_dump(mode="json")


def _alternatives(record: DomainRecord) -> list[list[wire.DnsRecord]]:
    """Return the two ways to publish the proof, each with the records that lead here."""
    records = custom_domains.dns_records(services(), record)
    leading = [each for each in records if each.kind is not RecordKind.CNAME]
    proofs = [each for each in records if each.kind is RecordKind.CNAME]
    texts = [
        DnsRecord(kind=RecordKind.TXT, name=each.name, content=record.token) for each in proofs
    ]
    return [
        [_relative(each, record.domain) for each in (*leading, *alternative)]
        for alternative in (proofs, texts)
    ]


def _relative(record: DnsRecord, base: str) -> wire.DnsRecord:
    name = record.name.removesuffix(base).rstrip(".") or _APEX
    return wire.DnsRecord(name=name, base=base, type=record.kind.value, value=record.content)


def _provisioning(record: DomainRecord) -> wire.ProvisioningStatus:
    failed = record.provisioning_code is Provisioning.FAILED
    return wire.ProvisioningStatus(
        code=wire.ProvisioningCode(record.provisioning_code.value),
        message=(record.provisioning_message or "") if failed else None,
    )


def _certificate(record: CertificateRecord) -> wire.DomainCertificate:
    return wire.DomainCertificate(
        id=record.id,
        kind=record.origin,
        subject_alt_names=list(record.names),
        private_key_algorithm=wire.KeyAlgorithm(record.key_algorithm),
        not_valid_before=record.not_before,
        not_valid_after=record.expires_at,
        created_at=record.created_at,
    )


def _place(record: DomainRecord) -> After:
    return After(created_at=record.created_at, id=record.id)
