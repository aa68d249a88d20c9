"""Endpoints of Apps, installations, repositories, refs and collaborators."""

from tests.fakes.github.access import require_app
from tests.fakes.github.call import Answer, Call, Route
from tests.fakes.github.documents import stamp
from tests.fakes.github.entities import TokenKind
from tests.fakes.github.refusals import Refusal, not_found

METADATA = ("metadata", "read")


def get_app(call: Call) -> Answer:
    """GET /app."""
    app = require_app(call.caller)
    return Answer(document=call.documents.app(app))


def get_hook_config(call: Call) -> Answer:
    """GET where the App's hook leads."""
    require_app(call.caller)
    url = call.store.app_hook_url or "https://example.com/"
    return Answer(document={"url": url, "content_type": "json", "insecure_ssl": "0"})


def list_installations(call: Call) -> Answer:
    """GET where the App is installed."""
    app = require_app(call.caller)
    mine = [each for each in call.store.installations.values() if each.app.id == app.id]
    page, headers = call.page(mine)
    documents = [call.documents.installation(each) for each in page]
    for document in documents:
        # GitHub's description wants an account to be a user and an enterprise, both at once here.
        moments = {"created_at": document["created_at"], "updated_at": document["updated_at"]}
        names = {"name": document["account"]["login"], "slug": document["account"]["login"]}
        document["account"] |= names | moments
    return Answer(document=documents, headers=headers)


def get_user(call: Call) -> Answer:
    """GET /user: whose token it is; an App's has no such account."""
    token = call.caller.token
    if token is None or token.kind is not TokenKind.PERSONAL:
        raise Refusal(403, "Resource not accessible by integration")
    scopes = {} if token.scopes is None else {"X-OAuth-Scopes": token.scopes}
    return Answer(document=call.documents.public_user(token.login), headers=scopes)


def list_given(call: Call) -> Answer:
    """GET what an installation was given, by its own token."""
    token = call.caller.token
    if token is None or token.kind is not TokenKind.INSTALLATION:
        raise Refusal(403, "You must authenticate with an installation access token")
    given = [each for each in call.store.repositories.values() if each.id in token.repositories]
    page, headers = call.page(given)
    return Answer(
        document={
            "total_count": len(given),
            "repositories": [call.documents.repository(each) for each in page],
        },
        headers=headers,
    )


def get_installation(call: Call) -> Answer:
    """GET the installation of the calling App on a repository."""
    app = require_app(call.caller)
    installation = call.store.installation_of(call.repository, app.id)
    if installation is None:
        raise not_found()
    return Answer(document=call.documents.installation(installation))


def create_token(call: Call) -> Answer:
    """POST a new installation token."""
    app = require_app(call.caller)
    installation = call.store.installations.get(int(call.parameters["installation_id"]))
    if installation is None or installation.app.id != app.id:
        raise not_found()
    ids = call.body.get("repository_ids")
    token = call.store.mint(
        installation,
        call.body.get("permissions"),
        None if ids is None else frozenset(ids),
    )
    return Answer(
        status=201,
        document={
            "token": token.value,
            "expires_at": stamp(token.expires_at),
            "permissions": dict(token.permissions),
            "repository_selection": "selected",
        },
    )


def get_repository(call: Call) -> Answer:
    """GET a repository."""
    return Answer(document=call.documents.full_repository(call.repository))


def get_ref(call: Call) -> Answer:
    """GET a ref, read from the real repository."""
    ref = f"refs/{call.parameters['ref']}"
    sha = call.repository.resolve(ref)
    if sha is None:
        raise not_found()
    base = f"{call.documents.api_url}/repos/{call.repository.full_name}/git"
    return Answer(
        document={
            "ref": ref,
            "node_id": f"REF_{sha[:12]}",
            "url": f"{base}/{ref}",
            "object": {"type": "commit", "sha": sha, "url": f"{base}/commits/{sha}"},
        }
    )


# `permission` knows four words; maintain, triage and an organization's own roles, which here are
# as good as write, show only in role_name.
_PERMISSION_OF_ROLE = {"maintain": "write", "triage": "read", "release manager": "write"}


def get_permission(call: Call) -> Answer:
    """GET what a collaborator may do."""
    login = call.parameters["username"]
    role = call.store.collaborators.get((call.repository.full_name, login))
    if role is None and call.repository.private:
        raise Refusal(404, f"{login} is not a user")
    role = role or "read"  # anybody may read what is public
    user = call.documents.user(login) | {"role_name": role}
    return Answer(
        document={
            "permission": _PERMISSION_OF_ROLE.get(role, role),
            "role_name": role,
            "user": user,
        }
    )


_REPOSITORY = "/repos/{owner}/{repo}"

ROUTES = [
    Route(method="GET", pattern="/app", permission=None, handler=get_app),
    Route(method="GET", pattern="/user", permission=None, handler=get_user),
    Route(method="GET", pattern="/app/hook/config", permission=None, handler=get_hook_config),
    Route(method="GET", pattern="/app/installations", permission=None, handler=list_installations),
    Route(method="GET", pattern="/installation/repositories", permission=None, handler=list_given),
    Route(
        method="POST",
        pattern="/app/installations/{installation_id}/access_tokens",
        permission=None,
        handler=create_token,
    ),
    Route(
        method="GET",
        pattern=f"{_REPOSITORY}/installation",
        permission=None,
        handler=get_installation,
    ),
    Route(method="GET", pattern=_REPOSITORY, permission=METADATA, handler=get_repository),
    Route(
        method="GET",
        pattern=f"{_REPOSITORY}/git/ref/{{ref}}",
        permission=("contents", "read"),
        handler=get_ref,
    ),
    Route(
        method="GET",
        pattern=f"{_REPOSITORY}/collaborators/{{username}}/permission",
        permission=METADATA,
        handler=get_permission,
    ),
]
