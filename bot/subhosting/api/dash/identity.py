"""Who asks: a token like everywhere, or a workflow run of GitHub Actions for one project.

The Action presents the same signed token at negotiation and deployment. It says which repository
runs; what that repository may do is the operator's word (`previewbot subhosting link`).
"""

from typing import cast

import httpx
from flask import Flask, current_app, g, request

from bot.subhosting.api.requests import services
from bot.subhosting.errors import Forbidden, SubhostingError
from bot.subhosting.service import links
from bot.subhosting.service.services import Services
from bot.subhosting.trust.issuer import IssuerKeys
from bot.subhosting.trust.oidc import Allowed, Refused, TokenVerifier, Untrusted, may_deploy

_SCHEME = "githuboidc"
_VERIFIER = "subhosting-workflow-verifier"

NEGOTIATE = "dash.negotiate"
DEPLOY = "dash.deploy_workflow"
_FOR_WORKFLOWS = frozenset({NEGOTIATE, DEPLOY})


class WorkflowNotTrusted(SubhostingError):  # noqa: N818 - reads as a sentence in `except`
    """A workflow's token proves nothing here."""

    status = 401

    def __init__(self, reason: str) -> None:
        """Say what is wrong with it; its sender made it."""
        super().__init__("invalidToken", f"Authorization: {reason}.")


def install(app: Flask, services: Services) -> None:
    """Make `app` know the issuer; nothing is asked before the first workflow."""
    config = services.config
    keys = IssuerKeys(config.oidc_issuer, httpx.Client(), services.clock)
    app.extensions[_VERIFIER] = TokenVerifier(config.api_url, keys, services.clock)


def presented() -> bool:
    """Return whether a workflow asks for what workflows may ask for."""
    scheme, _, _ = request.headers.get("Authorization", "").partition(" ")
    return request.endpoint in _FOR_WORKFLOWS and scheme.lower() == _SCHEME


def admit() -> str:
    """Return the organization for which the run may deploy to the project in the path.

    Raises:
        WorkflowNotTrusted: the token is none of the issuer's for this project now.
        Forbidden: the project is not linked to that repository, or the event may not deploy.
        IssuerUnavailable: the keys cannot be fetched.

    """
    project = str((request.view_args or {}).get("project", ""))
    _, _, token = request.headers.get("Authorization", "").partition(" ")
    verifier = cast("TokenVerifier", current_app.extensions[_VERIFIER])
    identity = verifier.verify(token.strip(), project)
    if isinstance(identity, Untrusted):
        raise WorkflowNotTrusted(identity.reason)
    organization_id, link = links.for_workflow(services(), project)
    # An unknown project is one that is not linked: strangers learn no names.
    match may_deploy(identity, link):
        case Refused(code=code, message=message):
            raise Forbidden(code, message)
        case Allowed(production=production):
            g.workflow_production = production
    return organization_id


def is_production() -> bool:
    """Return whether the admitted run deploys to production.

    Raises:
        WorkflowNotTrusted: no run was admitted, but somebody with a token of this server.

    """
    if "workflow_production" not in g:
        raise WorkflowNotTrusted("only workflows deploy here, with `GitHubOIDC <token>`")
    return cast("bool", g.workflow_production)
