"""Is an uploaded certificate usable for a domain? Facts if so, else the field that is wrong."""

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Literal

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from bot.kernel.clock import Clock

Field = Literal["privateKey", "certificateChain"]

# An RSA key of 8192 bits has 6.4 KB; checking larger ones takes seconds.
MAX_KEY_BYTES = 8_192
MAX_CHAIN_BYTES = 65_536
MAX_CERTIFICATES = 10

# https://cabforum.org/working-groups/server/baseline-requirements/ (section 6.1.5)
MIN_RSA_BITS = 2048

# Certificates are parsed bit by bit, as they are asked.
_UNREADABLE = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateFacts:
    """What v1's DomainCertificate shows, and the fingerprint that tells two uploads apart."""

    cipher: Literal["rsa", "ec"]
    expires_at: datetime
    created_at: datetime
    fingerprint_sha256: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateProblem:
    """A 400: the field, and what is wrong with it. Never any of its content."""

    field: Field
    message: str


def check(
    domain: str, *, private_key: str, certificate_chain: str, clock: Clock
) -> CertificateFacts | CertificateProblem:
    """Return the facts about a PEM chain (leaf first) and its PEM key, or the first problem.

    Whether browsers trust the chain's root is not asked: a company's own may be wanted.
    """
    key = _read_key(private_key)
    if isinstance(key, CertificateProblem):
        return key
    chain = _read_chain(certificate_chain)
    if isinstance(chain, CertificateProblem):
        return chain
    now = clock.now()
    leaf = chain[0]
    try:
        message = _chain_problem(chain, now) or _leaf_problem(leaf, domain)
        if message is not None:
            return CertificateProblem(field="certificateChain", message=message)
        if leaf.public_key() != key.public_key():
            message = "is not the key of the first certificate"
            return CertificateProblem(field="privateKey", message=message)
        return CertificateFacts(
            cipher="rsa" if isinstance(key, rsa.RSAPrivateKey) else "ec",
            expires_at=min(certificate.not_valid_after_utc for certificate in chain),
            created_at=now,
            fingerprint_sha256=leaf.fingerprint(hashes.SHA256()).hex(),
            names=_dns_names(leaf),
        )
    except _UNREADABLE:
        return CertificateProblem(field="certificateChain", message="cannot be read")


def covers(name: str, domain: str) -> bool:
    """Return whether a certificate's `name` is good for `domain`.

    A wildcard stands for exactly one whole label, and a wildcard domain needs the same wildcard.
    https://www.rfc-editor.org/rfc/rfc9525#section-6.3
    """
    name, domain = name.lower().rstrip("."), domain.lower().rstrip(".")
    if name == domain:
        return True
    first, _, rest = domain.partition(".")
    return name.startswith("*.") and first not in {"", "*"} and "." in rest and name[2:] == rest


def _read_key(pem: str) -> rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | CertificateProblem:
    def problem(message: str) -> CertificateProblem:
        return CertificateProblem(field="privateKey", message=message)

    content = pem.encode("utf-8", "replace")
    if len(content) > MAX_KEY_BYTES:
        return problem(f"is longer than {MAX_KEY_BYTES} bytes")
    try:
        key = serialization.load_pem_private_key(content, password=None)
    except _UNREADABLE:
        return problem("is not an unencrypted private key in PEM form")
    match key:
        case rsa.RSAPrivateKey() if key.key_size < MIN_RSA_BITS:
            return problem(f"is an RSA key of less than {MIN_RSA_BITS} bits")
        case rsa.RSAPrivateKey():
            return key
        case ec.EllipticCurvePrivateKey() if isinstance(key.curve, ec.SECP256R1):
            return key
        case _:
            return problem("must be an RSA key or an elliptic curve key on P-256")


def _read_chain(pem: str) -> list[x509.Certificate] | CertificateProblem:
    def problem(message: str) -> CertificateProblem:
        return CertificateProblem(field="certificateChain", message=message)

    content = pem.encode("utf-8", "replace")
    if len(content) > MAX_CHAIN_BYTES:
        return problem(f"is longer than {MAX_CHAIN_BYTES} bytes")
    # It would be stored and shown as something public.
    if b"PRIVATE KEY" in content:
        return problem("holds a private key, which belongs into privateKey")
    try:
        chain = x509.load_pem_x509_certificates(content)
    except _UNREADABLE:
        return problem("is not a list of certificates in PEM form")
    if len(chain) > MAX_CERTIFICATES:
        return problem(f"has more than {MAX_CERTIFICATES} certificates")
    return chain


def _chain_problem(chain: list[x509.Certificate], now: datetime) -> str | None:
    """Return what is wrong with the dates or the order; each one is signed by the next."""
    for number, certificate in enumerate(chain, start=1):
        if certificate.not_valid_after_utc <= now:
            return f"certificate {number} has expired"
        if certificate.not_valid_before_utc > now:
            return f"certificate {number} is not valid yet"
    for number, (certificate, issuer) in enumerate(pairwise(chain), start=1):
        try:
            certificate.verify_directly_issued_by(issuer)
        except (*_UNREADABLE, InvalidSignature):
            return f"certificate {number} is not signed by the one behind it; the leaf is first"
        if not _is_authority(issuer):
            return f"certificate {number + 1} is not that of an authority"
    return None


def _leaf_problem(leaf: x509.Certificate, domain: str) -> str | None:
    names = _dns_names(leaf)
    if not any(covers(name, domain) for name in names):
        return f"does not cover {domain}, only {', '.join(names) or 'no names'}"
    try:
        usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return None
    if ExtendedKeyUsageOID.SERVER_AUTH not in usage:
        return "is not meant for servers"
    return None


def _dns_names(leaf: x509.Certificate) -> tuple[str, ...]:
    """Return the subject's alternative names; the common name is history (RFC 9525)."""
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(names.get_values_for_type(x509.DNSName))


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    except x509.ExtensionNotFound:
        return False
    return constraints.value.ca
