"""Layers of v2: sets of variables beside the apps, so that what people set there stays theirs.

One layer is shared by the previews of one app of a repository, not of the whole repository:
variables may be meant for one of several apps alone (`previewbot env set --app`), which its
neighbours must not see. A branch's app that has secrets of its own has a second layer for them,
because a revision's own variables are never secret.

The platform does not show a secret's value, so what a layer holds stands in its description as a
keyed hash: nobody without our token learns anything from it, and we see whether it is current.
"""

import hashlib
import hmac
from collections.abc import Collection

import orjson

from bot.adapters.targets.http import Api, Call
from bot.adapters.targets.paths import part
from bot.core.model.environment import Variable
from bot.core.model.errors import TargetRefused
from bot.core.model.ids import AppSlug
from bot.wire import deploy_v2 as wire

_MARK = "made by previewbot"

_NOT_FOUND, _CONFLICT = 404, 409


class Layers:
    """The layers of an organization that are ours."""

    def __init__(self, api: Api, key: bytes) -> None:
        """Take a key for the hashes."""
        self._api = api
        self._key = key
        self._ready: dict[str, str] = {}

    def ready(self, slug: str, variables: Collection[Variable]) -> str:
        """Return `slug` once that layer holds exactly `variables`.

        Raises:
            TargetRefused: a layer of that name is not ours.

        """
        description = f"{_MARK} ({self._digest(variables)})"
        if self._ready.get(slug) == description:
            return slug
        found = self._found(slug) or self._made(slug, description, variables)
        if not _is_ours(found):
            message = f"the layer {slug} was not made by previewbot; rename it or the app"
            raise TargetRefused(
                self._api.name, status=_CONFLICT, code="layerIsNotOurs", message=message
            )
        if found.description != description:
            self._update(found, description, variables)
        self._ready[slug] = description
        return slug

    def remove(self, slug: str) -> None:
        """Delete a layer, if it is there and ours."""
        self.forget(slug)
        found = self._found(slug)
        if found is None or not _is_ours(found):
            return
        try:
            self._api.tell(Call(method="DELETE", url=f"layers/{part(found.id)}"))
        except TargetRefused as refusal:
            # Somebody uses it for an app of theirs.
            if refusal.status not in {_NOT_FOUND, _CONFLICT}:
                raise

    def forget(self, slug: str) -> None:
        """Look at the layer anew next time."""
        self._ready.pop(slug, None)

    def _digest(self, variables: Collection[Variable]) -> str:
        known = sorted((each.key, each.value, each.secret) for each in variables)
        return hmac.new(self._key, orjson.dumps(known), hashlib.sha256).hexdigest()[:32]

    def _found(self, slug: str) -> wire.Layer | None:
        try:
            return self._api.ask(Call(method="GET", url=f"layers/{part(slug)}"), wire.Layer)
        except TargetRefused as refusal:
            if refusal.status != _NOT_FOUND:
                raise
            return None

    def _made(self, slug: str, description: str, variables: Collection[Variable]) -> wire.Layer:
        document = orjson.dumps(
            {
                "slug": slug,
                "description": description,
                "env_vars": [_input(each) for each in variables],
            }
        )
        call = Call(method="POST", url="layers", body=lambda: iter((document,)), repeatable=False)
        try:
            return self._api.ask(call, wire.Layer)
        except TargetRefused:
            # Somebody else may have made it since we looked: another worker of ours, say.
            found = self._found(slug)
            if found is None:
                raise
            return found

    def _update(
        self, found: wire.Layer, description: str, variables: Collection[Variable]
    ) -> None:
        wanted = {each.key for each in variables}
        gone = [each.id for each in found.env_vars if each.key not in wanted]
        document = orjson.dumps(
            {
                "description": description,
                "env_vars": [
                    *({"id": each, "delete": True} for each in gone),
                    *(_input(each) for each in variables),
                ],
            }
        )
        url = f"layers/{part(found.id)}"
        self._api.tell(Call(method="PATCH", url=url, body=lambda: iter((document,))))


def shared_by_previews(project: AppSlug) -> str:
    """Return the name of the layer that all previews of a project share, strangers' excepted.

    A project is one app of one repository, and environments are kept per project.
    """
    return f"{project}-previews"  # without an underscore, which only ids have


def own_of(app: AppSlug) -> str:
    """Return the name of the layer that one app alone has."""
    return f"{app}-own"


def _is_ours(layer: wire.Layer) -> bool:
    return (layer.description or "").startswith(_MARK)


def _input(variable: Variable) -> dict[str, object]:
    # In all contexts: a branch's app is a preview as a whole, and its stable host runs in the
    # platform's context `production`, its builds in `build`.
    return {
        "key": variable.key,
        "value": variable.value,
        "secret": variable.secret,
        "contexts": "all",
    }
