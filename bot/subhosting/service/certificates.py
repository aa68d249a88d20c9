"""Certificates of custom domains: uploaded here, or obtained by the TLS proxy in front.

We speak no ACME. The proxy obtains a certificate when somebody first asks it for a host that
`may_serve` allows; `look` is that somebody, and what the proxy then shows is what we store.
docs/tls.md says how the proxy is set up.
"""

import contextlib
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from bot.subhosting.errors import InvalidRequest
from bot.subhosting.identifiers import new_uuid
from bot.subhosting.service import custom_domains
from bot.subhosting.service.services import Services
from bot.subhosting.store import bindings
from bot.subhosting.store import domains as rows
from bot.subhosting.store.domains import (
    CertificateRecord,
    DomainKind,
    DomainRecord,
    Origin,
    Provisioning,
)
from bot.subhosting.trust import certificates as trust
from bot.subhosting.trust.addresses import AddressRefused
from bot.subhosting.trust.sealing import open_seal

_HTTPS = 443

# How often the store is asked whether the host has looked.
_LOOK_EVERY = timedelta(milliseconds=200)

_CURVES = {"secp256r1": "ec-p256", "secp384r1": "ec-p384", "secp521r1": "ec-p521"}

# As v1 spells the fields; v2 hands over its own words.
V1_FIELDS: Mapping[trust.Field, str] = {
    "privateKey": "privateKey",
    "certificateChain": "certificateChain",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """What the first certificate of a chain says."""

    cipher: Literal["rsa", "ec"]
    key_algorithm: str
    names: tuple[str, ...]
    fingerprint_sha256: str
    not_before: datetime
    not_after: datetime


def upload(
    services: Services,
    domain: DomainRecord,
    *,
    private_key: str,
    chain: str,
    fields: Mapping[trust.Field, str] = V1_FIELDS,
) -> DomainRecord:
    """Store a certificate with its key, sealed; the proxy asks for both.

    Raises:
        InvalidRequest: `invalidCertificate`, naming the field, or `domainNotVerified`.

    """
    domain = custom_domains.ensure_verified(services, domain)
    expires_at: datetime | None = None
    for name in domain.names:
        found = trust.check(
            name, private_key=private_key, certificate_chain=chain, clock=services.clock
        )
        match found:
            case trust.CertificateProblem(field=field, message=message):
                raise InvalidRequest("invalidCertificate", f"{fields[field]}: {message}.")
            case trust.CertificateFacts():
                expires_at = found.expires_at
    sealed = open_seal(services.config.data_dir).seal(private_key, purpose=_purpose(domain))
    leaf = read_leaf(x509.load_pem_x509_certificates(chain.encode())[0])
    _store(
        services,
        domain,
        leaf,
        origin="manual",
        chain=chain,
        sealed_key=sealed,
        expires_at=expires_at or leaf.not_after,
    )
    _set_status(services, domain, Provisioning.MANUAL)
    return custom_domains.get(services, domain.organization_id, domain.id)


def request(services: Services, domain: DomainRecord) -> DomainRecord:
    """Have the host look for the proxy's certificate, and return at once: it is `pending` now.

    Raises:
        InvalidRequest: `domainNotVerified`; or `wildcardNotProvisioned`, because a certificate
            for a wildcard needs changes in the zone that we cannot make.

    """
    domain = custom_domains.ensure_verified(services, domain)
    if domain.kind is DomainKind.WILDCARD_ONLY:
        msg = (
            f"domain: the hosts below {domain.domain!r} get certificates one by one, when they"
            " are first visited; upload one for the wildcard itself."
        )
        raise InvalidRequest("wildcardNotProvisioned", msg)
    _set_status(services, domain, Provisioning.PENDING, since=services.clock.now())
    services.host.chores_changed()
    return custom_domains.get(services, domain.organization_id, domain.id)


def provision(services: Services, domain: DomainRecord) -> None:
    """Have the proxy's certificate looked for, and wait for the outcome, as v1 does.

    Raises:
        InvalidRequest: what `request` says, or `provisioningFailed` with the reason.

    """
    domain = request(services, domain)
    # A host that is away must not hold the caller much longer than one that is there.
    give_up = services.clock.now() + services.config.provisioning_timeout + _LOOK_EVERY
    while domain.provisioning_since is not None:
        if services.clock.now() > give_up:
            raise InvalidRequest("provisioningFailed", "The host did not look; try again.")
        services.clock.sleep(_LOOK_EVERY)
        domain = custom_domains.get(services, domain.organization_id, domain.id)
    if domain.provisioning_code is Provisioning.FAILED:
        raise InvalidRequest("provisioningFailed", f"domainId: {domain.provisioning_message}.")


def look(services: Services, domain: DomainRecord) -> None:
    """Ask the proxy for the domain, which makes it obtain a certificate, and store the outcome."""
    try:
        certificate = _shown(services, domain.domain)
    except (OSError, ValueError, AddressRefused) as error:
        reason = error.message if isinstance(error, AddressRefused) else str(error)
        message = f"The TLS proxy showed no certificate for {domain.domain}: {reason}"
        _set_status(services, domain, Provisioning.FAILED, message=message)
        return
    leaf = read_leaf(certificate)
    if not any(trust.covers(name, domain.domain) for name in leaf.names):
        names = ", ".join(leaf.names) or "no name"
        message = f"The TLS proxy showed a certificate for {names}, not for {domain.domain}"
        _set_status(services, domain, Provisioning.FAILED, message=message)
        return
    pem = certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")
    _store(
        services,
        domain,
        leaf,
        origin="automatic",
        chain=pem,
        sealed_key=None,
        expires_at=leaf.not_after,
    )
    _set_status(services, domain, Provisioning.SUCCESS)


def may_serve(services: Services, host: str) -> bool:
    """Return whether the proxy may obtain a certificate for `host`.

    Only for what leads somewhere: verified custom domains themselves, and hosts that answer. Any
    other yes would let strangers use up the certificate authority's limits.
    """
    with services.database.reading() as connection:
        if any(each.domain == host for each in rows.covering_for_anyone(connection, host)):
            return True
        return bool(bindings.load(connection, [host]))


def uploaded_for(services: Services, host: str) -> str | None:
    """Return the newest uploaded certificate for `host` as PEM, chain first and then the key."""
    with services.database.reading() as connection:
        domains = {each.id: each for each in rows.covering_for_anyone(connection, host)}
        found = rows.certificates_of(connection, domains)
    usable = [
        each
        for of_domain in found.values()
        for each in of_domain
        if each.sealed_key is not None
        and each.expires_at > services.clock.now()
        and any(trust.covers(name, host) for name in each.names)
    ]
    if not usable:
        return None
    newest = max(usable, key=lambda each: each.updated_at)
    seal = open_seal(services.config.data_dir)
    key = seal.unseal(newest.sealed_key or b"", purpose=_purpose(domains[newest.domain_id]))
    return f"{newest.chain.strip()}\n{key.strip()}\n"


def read_leaf(certificate: x509.Certificate) -> Leaf:
    """Return what a certificate says.

    Raises:
        ValueError: its key is of a kind that neither API has a word for.

    """
    match certificate.public_key():
        case rsa.RSAPublicKey(key_size=size):
            cipher: Literal["rsa", "ec"] = "rsa"
            # v2 has words for three sizes; the next smaller one is the honest answer between them.
            known = max((each for each in (2048, 3072, 4096) if each <= size), default=2048)
            algorithm = f"rsa-{known}"
        case ec.EllipticCurvePublicKey(curve=curve) if curve.name in _CURVES:
            cipher, algorithm = "ec", _CURVES[curve.name]
        case _:
            msg = "the certificate's key is neither RSA nor one of the NIST curves"
            raise ValueError(msg)
    names: tuple[str, ...] = ()
    with contextlib.suppress(x509.ExtensionNotFound):
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        names = tuple(extension.value.get_values_for_type(x509.DNSName))
    return Leaf(
        cipher=cipher,
        key_algorithm=algorithm,
        names=names,
        fingerprint_sha256=certificate.fingerprint(hashes.SHA256()).hex(),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
    )


def _store(  # noqa: PLR0913 - one row's columns
    services: Services,
    domain: DomainRecord,
    leaf: Leaf,
    *,
    origin: Origin,
    chain: str,
    sealed_key: bytes | None,
    expires_at: datetime,
) -> None:
    now = services.clock.now()
    record = CertificateRecord(
        id=new_uuid(),
        domain_id=domain.id,
        origin=origin,
        cipher=leaf.cipher,
        key_algorithm=leaf.key_algorithm,
        names=leaf.names,
        fingerprint_sha256=leaf.fingerprint_sha256,
        not_before=leaf.not_before,
        expires_at=expires_at,
        chain=chain,
        sealed_key=sealed_key,
        created_at=now,
        updated_at=now,
    )
    with services.database.writing() as connection:
        if rows.find(connection, domain.organization_id, domain.id) is not None:
            rows.put_certificate(connection, record)


def _set_status(
    services: Services,
    domain: DomainRecord,
    code: Provisioning,
    *,
    message: str | None = None,
    since: datetime | None = None,
) -> None:
    changes = {
        "provisioning_code": code,
        "provisioning_message": message,
        "provisioning_since": since,
    }
    with services.database.writing() as connection:
        rows.update(connection, domain.id, services.clock.now(), changes)


def _shown(services: Services, host: str) -> x509.Certificate:
    """Return the certificate that the proxy shows for `host`.

    Raises:
        OSError: it could not be reached, or refused the handshake.
        ValueError: it showed something that is no certificate.
        AddressRefused: the host leads to an address that is not public.

    """
    config = services.config
    if config.tls_proxy is None:
        address = (str(services.addresses.checked(host)[0]), _HTTPS)
    else:
        name, _, port = config.tls_proxy.rpartition(":")
        address = (name.strip("[]"), int(port))
    # Whether browsers would trust it is not asked: the operator's own authority may be wanted.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    # The handshake lasts as long as the proxy needs to obtain the certificate.
    timeout_s = config.provisioning_timeout.total_seconds()
    with (
        socket.create_connection(address, timeout=timeout_s) as connection,
        context.wrap_socket(connection, server_hostname=host) as secured,
    ):
        shown = secured.getpeercert(binary_form=True)
    if shown is None:
        msg = "it has none"
        raise ValueError(msg)
    return x509.load_der_x509_certificate(shown)


def _purpose(domain: DomainRecord) -> str:
    return f"certificate:{domain.id}"
