"""Custom domains and certificates of v1."""

from collections.abc import Sequence
from typing import Any, cast

from flask import Blueprint, Response, current_app

from bot.subhosting.api import answers, paging
from bot.subhosting.api.requests import json_body, organization_id, parsed, services
from bot.subhosting.api.streams import WAITING_ROOM, WaitingRoom
from bot.subhosting.errors import InvalidRequest, NotFound
from bot.subhosting.service import certificates, custom_domains, deployments
from bot.subhosting.service import domains as hosts
from bot.subhosting.store import domains as rows
from bot.subhosting.store.domains import DomainKind, DomainRecord, Provisioning
from bot.wire import subhosting_v1 as wire


def register(v1: Blueprint) -> None:
    """Add the routes."""
    v1.get("/organizations/<organization>/domains")(list_domains)
    v1.post("/organizations/<organization>/domains")(create_domain)
    v1.get("/domains/<domain_id>")(get_domain)
    v1.patch("/domains/<domain_id>")(associate_domain)
    v1.delete("/domains/<domain_id>")(delete_domain)
    v1.post("/domains/<domain_id>/verify")(verify_domain)
    v1.post("/domains/<domain_id>/certificates")(add_certificate)
    v1.post("/domains/<domain_id>/certificates/provision")(provision_certificates)


def list_domains(organization: str) -> Response:
    """GET /organizations/{id}/domains: sorted by updated_at, ascending, unless told otherwise."""
    _check_organization(organization)
    page = paging.requested_page(rows.SORTABLE, "updated_at")
    with services().database.reading() as connection:
        found, total = rows.listed(connection, organization, page)
    return paging.link(answers.json(_documents(found)), page, total)


def create_domain(organization: str) -> Response:
    """POST /organizations/{id}/domains: `*.example.com` registers a wildcard."""
    _check_organization(organization)
    body = parsed(wire.CreateDomainRequest, json_body())
    name, kind = custom_domains.split_wildcard(body.domain)
    made = custom_domains.register(services(), organization, name, kind)
    return answers.json(_documents([made])[0])


def get_domain(domain_id: str) -> Response:
    """GET /domains/{id}."""
    return answers.json(_documents([_found(domain_id)])[0])


def associate_domain(domain_id: str) -> Response:
    """PATCH /domains/{id}, deprecated: lead the domain to a deployment, or to none."""
    domain = _found(domain_id)
    body = parsed(wire.UpdateDomainRequest, json_body())
    if body.deployment_id is None:
        custom_domains.detach(services(), domain)
        return answers.empty()
    if domain.kind is DomainKind.WILDCARD_ONLY:
        msg = "deploymentId: a wildcard leads nowhere itself; attach a host below it instead."
        raise InvalidRequest("domainNotAllowed", msg)
    located = deployments.get(services(), organization_id(), body.deployment_id)
    custom_domains.ensure_verified(services(), domain)
    hosts.attach(services(), located.project, located.deployment, domain.domain, None)
    return answers.empty()


def delete_domain(domain_id: str) -> Response:
    """DELETE /domains/{id}: attachments come back when it is added and verified again."""
    custom_domains.delete(services(), _found(domain_id), remember_hosts=True)
    return answers.empty()


def verify_domain(domain_id: str) -> Response:
    """POST /domains/{id}/verify: 400 says which record is missing."""
    custom_domains.verify(services(), _found(domain_id))
    return answers.empty()


def add_certificate(domain_id: str) -> Response:
    """POST /domains/{id}/certificates."""
    domain = _found(domain_id)
    body = parsed(wire.AddCertificateRequest, json_body())
    certificates.upload(
        services(),
        domain,
        private_key=body.private_key.get_secret_value(),
        chain=body.certificate_chain,
    )
    return answers.empty()


def provision_certificates(domain_id: str) -> Response:
    """POST /domains/{id}/certificates/provision: waits until the proxy shows one, or does not."""
    room = cast("WaitingRoom", current_app.extensions[WAITING_ROOM])
    with room.place():
        certificates.provision(services(), _found(domain_id))
    return answers.empty()


def _found(domain_id: str) -> DomainRecord:
    return custom_domains.get(services(), organization_id(), domain_id)


def _documents(found: Sequence[DomainRecord]) -> list[dict[str, Any]]:
    with services().database.reading() as connection:
        held = rows.certificates_of(connection, [each.id for each in found])
        bound = rows.bound_to(connection, [each.domain for each in found])
    documents = []
    for each in found:
        wildcard = each.kind is DomainKind.WILDCARD_ONLY
        project_id, deployment_id = (
            (None, None) if wildcard else bound.get(each.domain, (None,) * 2)
        )
        document = wire.Domain(
            id=each.id,
            organization_id=each.organization_id,
            # v1 has no kinds: a wildcard is spelled as one.
            domain=f"*.{each.domain}" if wildcard else each.domain,
            token=each.token,
            is_validated=each.is_validated,
            certificates=[
                wire.DomainCertificate(
                    cipher=one.cipher,
                    expires_at=one.expires_at,
                    created_at=one.created_at,
                    updated_at=one.updated_at,
                )
                for one in held[each.id]
            ],
            provisioning_status=wire.ProvisioningStatus(
                code=each.provisioning_code.value,
                message=(each.provisioning_message or "")
                if each.provisioning_code is Provisioning.FAILED
                else None,
            ),
            project_id=project_id,
            deployment_id=deployment_id,
            created_at=each.created_at,
            updated_at=each.updated_at,
            dns_records=[
                wire.DnsRecord(type=record.kind.value, name=record.name, content=record.content)
                for record in custom_domains.dns_records(services(), each)
            ],
        )
        documents.append(document.model_dump(mode="json", by_alias=True))
    return documents


def _check_organization(organization: str) -> None:
    if organization != organization_id():
        raise NotFound("organization", organization)
