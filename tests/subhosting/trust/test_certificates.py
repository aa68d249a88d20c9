"""Uploaded certificates: what is accepted, and which field is named when one is not."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.subhosting.trust.certificates import (
    CertificateFacts,
    CertificateProblem,
    check,
    covers,
)
from tests.fakes.clock import NOON, FakeClock

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey


@dataclass(frozen=True)
class Issued:
    """A certificate and its key."""

    key: Key
    certificate: x509.Certificate

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()


def pem_of(key: Key, password: bytes | None = None) -> str:
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if password is not None:
        encryption = serialization.BestAvailableEncryption(password)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
    ).decode()


def issue(
    name: str,
    *,
    by: Issued | None = None,
    key: Key | None = None,
    names: Sequence[str] = (),
    authority: bool = False,
    ends: datetime = NOON + timedelta(days=90),
    begins: datetime = NOON - timedelta(days=1),
    usage: x509.ObjectIdentifier = ExtendedKeyUsageOID.SERVER_AUTH,
) -> Issued:
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if by is None else by.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if names:
        listed = x509.SubjectAlternativeName([x509.DNSName(each) for each in names])
        builder = builder.add_extension(listed, critical=False)
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    signer = key if by is None else by.key
    algorithm = None if isinstance(signer, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return Issued(key, builder.sign(signer, algorithm))


ROOT = issue("root", authority=True)
MIDDLE = issue("middle", by=ROOT, authority=True)
LEAF = issue("leaf", by=MIDDLE, names=["shop.example", "*.shop.example"])
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def upload(
    *chain: Issued, key: str | None = None, domain: str = "shop.example"
) -> CertificateFacts | CertificateProblem:
    return check(
        domain,
        private_key=pem_of(chain[0].key) if key is None else key,
        certificate_chain="".join(each.pem for each in chain),
        clock=FakeClock(),
    )


def problem(found: CertificateFacts | CertificateProblem) -> tuple[str, str]:
    assert isinstance(found, CertificateProblem)
    return found.field, found.message


def test_a_chain_with_its_key_gives_the_facts() -> None:
    assert upload(LEAF, MIDDLE, ROOT) == CertificateFacts(
        cipher="ec",
        expires_at=NOON + timedelta(days=90),
        created_at=NOON,
        fingerprint_sha256=LEAF.certificate.fingerprint(hashes.SHA256()).hex(),
        names=("shop.example", "*.shop.example"),
    )


def test_an_rsa_certificate_says_so() -> None:
    found = upload(issue("leaf", key=RSA_KEY, names=["shop.example"]))

    assert isinstance(found, CertificateFacts)
    assert found.cipher == "rsa"


def test_it_expires_with_the_first_of_the_chain() -> None:
    middle = issue("middle", by=ROOT, authority=True, ends=NOON + timedelta(days=5))
    found = upload(issue("leaf", by=middle, names=["shop.example"]), middle)

    assert isinstance(found, CertificateFacts)
    assert found.expires_at == NOON + timedelta(days=5)


def test_the_key_of_another_certificate_is_refused() -> None:
    for other in (MIDDLE.key, RSA_KEY):
        assert problem(upload(LEAF, MIDDLE, key=pem_of(other)))[0] == "privateKey"


@pytest.mark.parametrize(
    ("key", "message"),
    [
        (
            rsa.generate_private_key(public_exponent=65537, key_size=1024),  # noqa: S505 - refused
            "is an RSA key of less than 2048 bits",
        ),
        (
            ec.generate_private_key(ec.SECP384R1()),
            "must be an RSA key or an elliptic curve key on P-256",
        ),
        (
            ed25519.Ed25519PrivateKey.generate(),
            "must be an RSA key or an elliptic curve key on P-256",
        ),
    ],
    ids=["rsa-1024", "p-384", "ed25519"],
)
def test_a_weak_or_unusual_key_is_refused(key: Key, message: str) -> None:
    assert problem(upload(LEAF, key=pem_of(key))) == ("privateKey", message)


def test_an_encrypted_key_is_refused() -> None:
    found = upload(LEAF, key=pem_of(LEAF.key, b"secret"))

    assert problem(found) == ("privateKey", "is not an unencrypted private key in PEM form")


def test_a_private_key_among_the_certificates_is_refused() -> None:
    key = pem_of(LEAF.key)
    found = check(
        "shop.example", private_key=key, certificate_chain=LEAF.pem + key, clock=FakeClock()
    )

    assert problem(found)[0] == "certificateChain"


@pytest.mark.parametrize(
    ("ends", "begins", "message"),
    [
        (NOON, NOON - timedelta(days=1), "certificate 1 has expired"),
        (
            NOON + timedelta(days=9),
            NOON + timedelta(seconds=1),
            "certificate 1 is not valid yet",
        ),
    ],
)
def test_a_certificate_counts_in_its_time_only(
    ends: datetime, begins: datetime, message: str
) -> None:
    leaf = issue("leaf", names=["shop.example"], ends=ends, begins=begins)

    assert problem(upload(leaf)) == ("certificateChain", message)


def test_an_expired_intermediate_is_refused() -> None:
    middle = issue("middle", by=ROOT, authority=True, ends=NOON - timedelta(hours=1))
    found = upload(issue("leaf", by=middle, names=["shop.example"]), middle)

    assert problem(found) == ("certificateChain", "certificate 2 has expired")


def test_the_order_is_from_the_leaf_to_the_root() -> None:
    message = "is not signed by the one behind it; the leaf is first"

    assert problem(upload(LEAF, ROOT, MIDDLE))[1] == f"certificate 1 {message}"
    assert problem(upload(LEAF, MIDDLE, LEAF))[1] == f"certificate 2 {message}"


def test_an_intermediate_must_be_an_authority() -> None:
    middle = issue("middle", by=ROOT)
    found = upload(issue("leaf", by=middle, names=["shop.example"]), middle)

    assert problem(found) == ("certificateChain", "certificate 2 is not that of an authority")


def test_the_domain_must_be_among_the_names() -> None:
    assert problem(upload(LEAF, domain="other.example")) == (
        "certificateChain",
        "does not cover other.example, only shop.example, *.shop.example",
    )


def test_the_common_name_does_not_count() -> None:
    assert "no names" in problem(upload(issue("shop.example")))[1]


def test_a_certificate_for_clients_is_refused() -> None:
    leaf = issue("leaf", names=["shop.example"], usage=ExtendedKeyUsageOID.CLIENT_AUTH)

    assert problem(upload(leaf)) == ("certificateChain", "is not meant for servers")


@pytest.mark.parametrize(
    ("name", "domain", "expected"),
    [
        ("shop.example", "SHOP.example.", True),
        ("*.shop.example", "a.shop.example", True),
        ("*.shop.example", "a.b.shop.example", False),
        ("*.shop.example", "shop.example", False),
        ("*.shop.example", ".shop.example", False),
        ("*.shop.example", "*.shop.example", True),
        ("a.shop.example", "*.shop.example", False),
        ("*.*.example", "a.b.example", False),
        ("s*.example", "shop.example", False),
        ("*.example", "shop.example", False),
        ("*", "example", False),
    ],
)
def test_a_wildcard_is_one_label(name: str, domain: str, *, expected: bool) -> None:
    assert covers(name, domain) is expected


def test_oversized_fields_are_refused_unread() -> None:
    assert problem(upload(LEAF, key="x" * 10_000))[0] == "privateKey"
    assert problem(upload(*[LEAF] * 300))[0] == "certificateChain"
    assert "more than 10" in problem(upload(*[LEAF] * 11))[1]


# A serial number of zero, for example, is a warning in the server's log and no more.
@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
@given(at=st.integers(0, len(LEAF.der) - 1), byte=st.integers(0, 255))
@settings(max_examples=200, deadline=None)
def test_a_damaged_certificate_never_raises(at: int, byte: int) -> None:
    damaged = LEAF.der[:at] + bytes([byte]) + LEAF.der[at + 1 :]
    pem = (
        f"-----BEGIN CERTIFICATE-----\n{b64encode(damaged).decode()}\n-----END CERTIFICATE-----\n"
    )
    key = pem_of(LEAF.key)

    check("shop.example", private_key=key, certificate_chain=pem + MIDDLE.pem, clock=FakeClock())
    check("shop.example", private_key=key, certificate_chain=LEAF.pem + pem, clock=FakeClock())


@given(key=st.text(), chain=st.text())
@settings(deadline=None)
def test_any_text_gets_an_answer(key: str, chain: str) -> None:
    found = check("a.example", private_key=key, certificate_chain=chain, clock=FakeClock())

    assert problem(found)[0] == "privateKey"
