"""/setup: make the GitHub App with a few clicks, while there is none.

Opened with the one-time token that the operator was shown at the start. The browser posts the
manifest to GitHub, whose redirect brings a code back; the worker exchanges it, as this process
talks to nobody.
"""

import hmac
import json
import re
import secrets
from dataclasses import dataclass
from urllib.parse import quote, urlencode, urlsplit

import structlog
from flask import Blueprint, Response, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest, Forbidden, Gone, NotFound

from bot.core.decide.github_app import manifest
from bot.ports.setups import SetupState
from bot.web.services import SetupServices

log = structlog.get_logger(__name__)

# https://docs.github.com/en/organizations: letters, digits and single dashes, at most 39.
_OWNER = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})")

MAX_CODE_CHARS = 200

_THERE_IS_ONE = "There is a GitHub App already. To make another: previewbot setup --reset"

LOOPBACK = {"127.0.0.1", "localhost", "::1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    """What the browser posts to GitHub."""

    action: str
    manifest: str


def blueprint(services: SetupServices) -> Blueprint:
    """Return the routes; each of them is closed once there is an App."""
    routes = Blueprint("setup", __name__, url_prefix="/setup")

    @routes.get("")
    def begin() -> ResponseReturnValue:
        _open_only_for(request.args.get("token", ""), services)
        page = render_template(
            "setup.html",
            permissions=services.permissions,
            token=services.token,
            github=services.github_url,
            public_url=services.public_url,
            unreachable=_is_unreachable(services),
        )
        return _posting_to("'self'", page)

    @routes.post("")
    def confirm() -> ResponseReturnValue:
        _open_only_for(request.form.get("token", ""), services)
        return _confirmed(request.form.get("organization", "").strip(), services)

    @routes.get("/callback")
    def callback() -> ResponseReturnValue:
        return _taken(request.args.get("state", ""), request.args.get("code", ""), services)

    @routes.get("/progress")
    def progress() -> ResponseReturnValue:
        return _progress(request.args.get("state", ""), services)

    return routes


def _confirmed(owner: str, services: SetupServices) -> Response:
    """Open an attempt, and return the page whose button leads to GitHub."""
    if _is_unreachable(services):
        raise BadRequest("Set PREVIEWBOT_PUBLIC_URL to an address that GitHub can reach.")
    if owner and not _OWNER.fullmatch(owner):
        raise BadRequest(f"{owner[:50]!r} cannot be the name of an organization.")
    state = secrets.token_urlsafe(32)
    services.setups.open(state)
    form = _Form(action=_new_app_url(services, owner, state), manifest=_manifest(services))
    page = render_template("setup_confirm.html", form=form, owner=owner)
    parts = urlsplit(services.github_url)
    return _posting_to(f"{parts.scheme}://{parts.netloc}", page)


def _taken(state: str, code: str, services: SetupServices) -> ResponseReturnValue:
    """Hand what GitHub's redirect brought to the worker, and lead to where that is waited for."""
    if not 0 < len(code) <= MAX_CODE_CHARS:
        raise BadRequest("GitHub's code is missing. Begin again with the link of the start.")
    if services.app() is not None:
        raise Gone(_THERE_IS_ONE)
    if not services.setups.take(state, code):
        raise Gone("This page was used before, or is older than an hour. Begin again.")
    log.info("setup_code_taken")
    return redirect(f"/setup/progress?{urlencode({'state': state})}", code=303)


def _progress(state: str, services: SetupServices) -> ResponseReturnValue:
    found = services.setups.find(state)
    if found is None or found.state is SetupState.OPEN:
        raise NotFound("There is no such set-up. Begin again with the link of the start.")
    app = services.app() if found.state is SetupState.DONE else None
    return render_template("setup_progress.html", setup=found, app=app)


def _open_only_for(token: str, services: SetupServices) -> None:
    """Let the present request pass if the page is open to it.

    Raises:
        NotFound: there is no token to open it with.
        Gone: there is an App.
        Forbidden: the token is wrong.

    """
    if services.token is None:
        raise NotFound
    if not hmac.compare_digest(token.encode("utf-8", "surrogatepass"), services.token.encode()):
        raise Forbidden("The token is wrong. Open the link that was printed at the last start.")
    if services.app() is not None:
        raise Gone(_THERE_IS_ONE)


def _is_unreachable(services: SetupServices) -> bool:
    """Tell whether webhooks could not come here: to a loopback address, from elsewhere."""
    ours, theirs = (urlsplit(url).hostname for url in (services.public_url, services.github_url))
    return ours in LOOPBACK and theirs not in LOOPBACK


def _new_app_url(services: SetupServices, owner: str, state: str) -> str:
    base = services.github_url.rstrip("/")
    place = f"organizations/{quote(owner)}/settings" if owner else "settings"
    return f"{base}/{place}/apps/new?{urlencode({'state': state})}"


def _manifest(services: SetupServices) -> str:
    return json.dumps(manifest(services.public_url, services.webhook_url, services.permissions))


def _posting_to(place: str, page: str) -> Response:
    """Return a page whose form may be sent to `place`, and nowhere else."""
    response = make_response(page)
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
        f"form-action {place}; frame-ancestors 'none'"
    )
    return response
