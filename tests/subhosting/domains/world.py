"""What stands around a server with custom domains: a name server and a TLS proxy, both ours."""

import socketserver
import ssl
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import cast

import dns.message
import dns.rcode
import dns.rrset
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from typing_extensions import override

from bot.kernel.clock import SystemClock
from tests.subhosting.server import Answer, Json, RunningSubhosting, request

SECRET = "proxy-secret"


@dataclass(frozen=True)
class Pair:
    """A certificate that signed itself, and its key, in PEM."""

    chain: str
    key: str


def pair(*names: str, rsa_bits: int | None = None) -> Pair:
    key = (
        ec.generate_private_key(ec.SECP256R1())
        if rsa_bits is None
        else rsa.generate_private_key(public_exponent=65_537, key_size=rsa_bits)
    )
    now = SystemClock().now()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=90))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName(n) for n in names]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    return Pair(
        certificate.public_bytes(serialization.Encoding.PEM).decode(),
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode(),
    )


class NameServer(socketserver.ThreadingUDPServer):
    """Knows what is in `records`: (name, kind) -> content; nothing else exists."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Lookup)
        self.records: dict[tuple[str, str], str] = {}


class _Lookup(socketserver.BaseRequestHandler):
    @override
    def handle(self) -> None:
        query = dns.message.from_wire(self.request[0])
        (question,) = query.question
        records = cast("NameServer", self.server).records
        name, kind = question.name.to_text(omit_final_dot=True), question.rdtype.name
        answer = dns.message.make_response(query)
        if not any(owner == name for owner, _ in records):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        elif (content := records.get((name, kind))) is not None:
            answer.answer.append(dns.rrset.from_text(f"{name}.", 1, "IN", kind, content))
        self.request[1].sendto(answer.to_wire(), self.client_address)


class TlsProxy(socketserver.ThreadingTCPServer):
    """Shows the certificate of `pairs` for the name that a client asks for, or hangs up.

    As a real one does, it asks the server first whether it may: the answers are in `asked`.
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handshake)
        self.folder = folder
        self.pairs: dict[str, Pair] = {}
        self.asked: dict[str, int] = {}
        self.api_port = 0


class _Handshake(socketserver.BaseRequestHandler):
    @override
    def handle(self) -> None:
        proxy = cast("TlsProxy", self.server)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        # Replaced as soon as the name is known.
        _load(context, proxy.folder, "default", pair("default.invalid"))

        def chosen(connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> int | None:
            path = f"/internal/tls/ask?domain={name}"
            proxy.asked[name or ""] = request(proxy.api_port, "GET", path, headers={}).status
            if name not in proxy.pairs or proxy.asked[name] != 200:
                return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
            found = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            _load(found, proxy.folder, name, proxy.pairs[name])
            connection.context = found
            return None

        context.sni_callback = chosen
        with (
            suppress(OSError),
            context.wrap_socket(self.request, server_side=True) as secured,
        ):
            secured.recv(1)


def _load(context: ssl.SSLContext, folder: Path, name: str, found: Pair) -> None:
    file = folder / f"{name}.pem"
    file.write_text(found.chain + found.key)
    context.load_cert_chain(file)


@dataclass
class World:
    """A server, its name server and its proxy."""

    server: RunningSubhosting
    names: NameServer
    proxy: TlsProxy

    def v1(self, method: str, path: str, body: object = None) -> Answer:
        return self.server.call(method, f"/v1{path}", body)

    def v2(self, method: str, path: str, body: object = None) -> Answer:
        return self.server.call(method, f"/v2{path}", body)

    def new_domain(self, domain: str) -> Json:
        made = self.v1(
            "POST", f"/organizations/{self.server.organization}/domains", {"domain": domain}
        )
        assert made.status == 200, made
        document: Json = made.json
        return document

    def prove(self, domain: Json) -> None:
        """Put the published proof into the zone."""
        records = domain["dnsRecords"]
        (proof,) = [each for each in records if each["type"] == "CNAME"]
        self.names.records[proof["name"], "CNAME"] = proof["content"]

    def verified(self, domain: str) -> Json:
        made = self.new_domain(domain)
        self.prove(made)
        assert self.v1("POST", f"/domains/{made['id']}/verify").status == 200
        document: Json = self.v1("GET", f"/domains/{made['id']}").json
        return document


@contextmanager
def running_world(data_dir: Path) -> Iterator[World]:
    with ExitStack() as stack:
        names = stack.enter_context(NameServer())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        proxy = stack.enter_context(TlsProxy(folder))
        for each in (names, proxy):
            threading.Thread(target=each.serve_forever, daemon=True).start()
            stack.callback(each.shutdown)
        server = stack.enter_context(
            RunningSubhosting(
                data_dir,
                warm_up=3,
                name_servers=["127.0.0.1"],
                name_server_port=names.server_address[1],
                public_addresses=["192.0.2.1", "2001:db8::1"],
                tls_proxy=f"127.0.0.1:{proxy.server_address[1]}",
                tls_proxy_secret=SECRET,
                provisioning_timeout=10,
            )
        )
        proxy.api_port = server.api_port
        yield World(server, names, proxy)
