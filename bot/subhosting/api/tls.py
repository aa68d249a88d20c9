"""What the TLS proxy in front asks us: may a host have a certificate, and which was uploaded?

Made for Caddy (`on_demand_tls { ask ... }` and `get_certificate http ...`), see docs/tls.md. Caddy
sends no headers of ours with either question, so neither has a token: the first answer is a bare
yes or no, and the second, which holds a private key, needs a secret in its path.
"""

import hmac

from flask import Blueprint, Response, request

from bot.subhosting.api.requests import services
from bot.subhosting.errors import NotFound
from bot.subhosting.service import certificates

NAME = "tls"
PREFIX = "/internal/tls"

_PEM = "application/x-pem-file"


def blueprint() -> Blueprint:
    """Return the routes, without a prefix."""
    tls = Blueprint(NAME, __name__)
    tls.get("/ask")(ask)
    tls.get("/certificate/<secret>")(certificate)
    return tls


def ask() -> Response:
    """GET /internal/tls/ask?domain=: 200 or 404.

    https://caddyserver.com/docs/caddyfile/options#on-demand-tls
    """
    host = _host("domain")
    if not certificates.may_serve(services(), host):
        raise NotFound("host", host)
    return Response(b"", status=200)


def certificate(secret: str) -> Response:
    """GET /internal/tls/certificate/{secret}?server_name=: PEM, or 204 when there is none.

    https://caddyserver.com/docs/caddyfile/directives/tls#http
    """
    expected = services().config.tls_proxy_secret
    if not expected or not hmac.compare_digest(secret.encode(), expected.encode()):
        raise NotFound("path", "certificate")
    found = certificates.uploaded_for(services(), _host("server_name"))
    if found is None:
        return Response(b"", status=204)
    return Response(found, content_type=_PEM)


def _host(parameter: str) -> str:
    return request.args.get(parameter, "").lower().rstrip(".").replace("\0", "")
