"""An app of v2 for each branch, and who may touch it.

Whose app it is stands in its labels: the repository by its number, which survives renames, and by
its name where the forge has no numbers.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import orjson

from bot.adapters.targets.http import Api, Call
from bot.adapters.targets.paths import part
from bot.adapters.targets.v2.layers import Layers, own_of, shared_by_previews
from bot.core.model.environment import Context, Trust, Variable
from bot.core.model.errors import TargetRefused
from bot.core.model.ids import AppSlug, Repository
from bot.ports.target import Order
from bot.wire import deploy_v2 as wire

# Every published example of a label has this prefix; whether others are refused is not known.
MANAGED_BY = "custom.managed-by"
REPOSITORY, REPOSITORY_ID = "custom.repo", "custom.repo-id"
PROJECT = "custom.app"
BRANCH, PULL = "custom.branch", "custom.pr"
US = "previewbot"
OURS = frozenset({MANAGED_BY, REPOSITORY, REPOSITORY_ID, PROJECT, BRANCH, PULL})

PAGE_SIZE = 100
MAX_PAGES = 100

_NOT_FOUND, _CONFLICT = 404, 409


@dataclass(frozen=True, slots=True)
class _Fit:
    """What an app was seen or made to be."""

    repository: Repository
    layers: tuple[str, ...]  # of ours; the last one wins


class Apps:
    """The apps of an organization, and what this process has made sure of."""

    def __init__(self, api: Api, layers: Layers) -> None:
        self._api = api
        self._layers = layers
        self._fits: dict[AppSlug, _Fit] = {}

    def is_known(self, slug: AppSlug) -> bool:
        """Tell whether this process has seen that the app is there."""
        return slug in self._fits

    def forget(self, slug: AppSlug) -> None:
        """Look at the app anew next time."""
        self._fits.pop(slug, None)

    def prepare(self, order: Order) -> bool:
        """Make the branch's app fit for the order; return whether it had to be made.

        A stranger's app has no layer and no variable, whoever put one there.

        Raises:
            TargetRefused: the name belongs to somebody else's app.

        """
        slug = order.branch_app
        wanted = self._wanted(order)
        if order.environment.trust is Trust.OWN and self._fits.get(slug) == wanted:
            return False
        found, made = self._found_or_made(order, wanted)
        self._refuse_if_not_ours(found, order)
        if update := _update(found, order, wanted):
            self._api.tell(_patch(slug, update))
        self._fits[slug] = wanted
        return made

    def remove(self, slug: AppSlug, repository: Repository) -> None:
        """Delete the app with all its revisions and hosts, if it is there and the repository's."""
        self.forget(slug)
        try:
            found = self._get(slug)
        except TargetRefused as refusal:
            if refusal.status != _NOT_FOUND:
                raise
            return
        if belongs_to(found, repository):
            self._delete(found)

    def remove_project(self, project: AppSlug, repository: Repository) -> None:
        """Delete every app of a project, and what they shared."""
        for found in list(self._labelled({MANAGED_BY: US, PROJECT: project})):
            if belongs_to(found, repository):
                self._delete(found)
        self._layers.remove(shared_by_previews(project))

    def _wanted(self, order: Order) -> _Fit:
        """Make the layers ready that the order's app is to have."""
        environment = order.environment
        layers: list[str] = []
        if environment.trust is Trust.OWN and order.branch_app != order.project:
            shared = [each for each in environment.variables if each.context is Context.PREVIEW]
            layers.append(self._layers.ready(shared_by_previews(order.project), shared))
        if secrets := [each for each in _own(order) if each.secret]:
            layers.append(self._layers.ready(own_of(order.branch_app), secrets))
        return _Fit(order.repository, tuple(layers))

    def _found_or_made(self, order: Order, wanted: _Fit) -> tuple[wire.App, bool]:
        try:
            return self._get(order.branch_app), False
        except TargetRefused as refusal:
            if refusal.status != _NOT_FOUND:
                raise
        document = orjson.dumps(
            {
                "slug": order.branch_app,
                "labels": labels_of(order),
                "layers": wanted.layers,
            }
        )
        call = Call(method="POST", url="apps", body=lambda: iter((document,)), repeatable=False)
        try:
            return self._api.ask(call, wire.App), True
        except TargetRefused as refusal:
            if refusal.status != _CONFLICT:
                raise
            # Somebody else made it since we looked: another worker of ours, say.
            return self._get(order.branch_app), False

    def _refuse_if_not_ours(self, found: wire.App, order: Order) -> None:
        if not belongs_to(found, order.repository):
            name, slug = order.repository.name, order.branch_app
            message = f"the app {slug} is not {name}'s; rename the branch or the app"
            raise TargetRefused(
                self._api.name, status=_CONFLICT, code="appIsNotOurs", message=message
            )

    def _get(self, slug: AppSlug) -> wire.App:
        return self._api.ask(Call(method="GET", url=f"apps/{part(slug)}"), wire.App)

    def _delete(self, app: wire.AppListItem) -> None:
        slug = AppSlug(app.slug)
        self.forget(slug)
        try:
            self._api.tell(Call(method="DELETE", url=f"apps/{part(app.id)}"))
        except TargetRefused as refusal:
            if refusal.status != _NOT_FOUND:
                raise
        if any(layer.slug == own_of(slug) for layer in app.layers):
            self._layers.remove(own_of(slug))

    def _labelled(self, labels: Mapping[str, str]) -> Iterator[wire.AppListItem]:
        params: dict[str, str | int] = {f"labels[{key}]": value for key, value in labels.items()}
        params["limit"] = PAGE_SIZE
        call: Call | None = Call(method="GET", url="apps", params=params)
        for _ in range(MAX_PAGES):
            if call is None:
                return
            found, call = self._api.ask_page(call, list[wire.AppListItem])
            yield from found


def belongs_to(app: wire.AppListItem, repository: Repository) -> bool:
    """Tell whether we made the app for this repository."""
    labels = app.labels or {}
    if labels.get(MANAGED_BY) != US:
        return False
    number = labels.get(REPOSITORY_ID)
    if number is not None and repository.id:
        return number == str(repository.id)
    return labels.get(REPOSITORY) == repository.name


def labels_of(order: Order) -> dict[str, str]:
    """Return the labels of the order's app."""
    labels = {MANAGED_BY: US, REPOSITORY: order.repository.name, PROJECT: order.project}
    if order.repository.id:  # 0 where a directory is deployed that no forge knows
        labels[REPOSITORY_ID] = str(order.repository.id)
    if order.pull is not None:
        return {**labels, PULL: str(order.pull)}
    return {**labels, BRANCH: order.branch}


def plain_of(order: Order) -> list[Variable]:
    """Return what the revision itself carries, so that it keeps it when it is rolled back to.

    A revision's variables are never secret, so secret ones stand in a layer of the app's own.
    """
    return [each for each in _own(order) if not each.secret]


def _own(order: Order) -> list[Variable]:
    """Return the variables that are not shared; of two with one key the last."""
    last = {each.key: each for each in order.environment.variables}
    return [each for each in last.values() if each.context is not Context.PREVIEW]


def _update(found: wire.App, order: Order, wanted: _Fit) -> dict[str, object]:
    """Return the PATCH that is needed, empty for none."""
    update: dict[str, object] = {}
    present_labels, labels = found.labels or {}, labels_of(order)
    if {key: value for key, value in present_labels.items() if key in OURS} != labels:
        update["labels"] = _with_theirs(labels, present_labels)
    present = [layer.slug for layer in found.layers]
    if order.environment.trust is Trust.STRANGER:
        layers: list[str] = []
        if found.env_vars:
            update["env_vars"] = [{"id": each.id, "delete": True} for each in found.env_vars]
    else:
        ours = {shared_by_previews(order.project), own_of(order.branch_app)}
        # What people attached themselves stays, and wins.
        layers = [*wanted.layers, *(slug for slug in present if slug not in ours)]
    if present != layers:
        update["layers"] = layers
    return update


def _with_theirs(
    labels: Mapping[str, str], present: Mapping[str, str | list[str]]
) -> dict[str, str | list[str]]:
    """Return our labels and those that people added: a PATCH replaces them all.

    An app has five at most, of which ours are four or five. Where people put theirs in the place
    of one of ours, ours comes back, because by them the app is found.
    """
    theirs = sorted(present.keys() - OURS)[: wire.MAX_LABELS - len(labels)]
    return {**labels, **{key: present[key] for key in theirs}}


def _patch(slug: AppSlug, update: Mapping[str, object]) -> Call:
    document = orjson.dumps(update)
    return Call(method="PATCH", url=f"apps/{part(slug)}", body=lambda: iter((document,)))
