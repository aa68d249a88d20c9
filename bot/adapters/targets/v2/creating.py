"""Creating a revision: looked for before it is made, and every file in one streamed body."""

from collections.abc import Iterator
from datetime import timedelta

import orjson

from bot.adapters.targets import body, building
from bot.adapters.targets.http import Api, Call
from bot.adapters.targets.outgoing import Meter
from bot.adapters.targets.paths import part
from bot.adapters.targets.v2.apps import Apps, plain_of
from bot.core.model.environment import Trust
from bot.core.model.errors import TargetRefused, TargetUnavailable
from bot.core.model.ids import DeploymentId, TargetDeploymentId
from bot.core.model.preview import Transfer
from bot.kernel.clock import Clock
from bot.ports.target import BlobReader, Created, Order
from bot.wire import deploy_v2_revisions as wire

# The natural key of a revision: v2 has no idempotency key.
DEPLOYMENT = "custom.deployment"

# Where a lost answer is looked for: the newest revisions of the app, as many as one page holds.
PAGE_SIZE = 100
MAX_PAGES = 20

# What was made is listed some seconds later at most.
LISTED_WITHIN = timedelta(seconds=2)

# A group of logical databases; each order names the one of the group that it uses.
DATABASES = "previewbot"

_NOT_FOUND, _CONFLICT = 404, 409
# 409 by its meaning; our own server says 400 `slugAlreadyInUse`.
_TAKEN = frozenset({400, 409})


class Creates:
    """Creates on one organization."""

    def __init__(self, api: Api, apps: Apps, clock: Clock) -> None:
        self._api = api
        self._apps = apps
        self._clock = clock
        self._has_databases = False
        # Those whose last try may have made a revision without our knowing.
        self._unsure: set[DeploymentId] = set()

    def create(self, order: Order, read: BlobReader) -> Created:
        """Create the revision, or find the one that `order.key` made before."""
        known = self._apps.is_known(order.branch_app)
        try:
            return self._create(order, read)
        except TargetRefused as refusal:
            # The app was deleted behind our back.
            if refusal.status != _NOT_FOUND or not known:
                raise
        self._apps.forget(order.branch_app)
        return self._create(order, read)

    def abandon(self, deployment: TargetDeploymentId) -> None:
        """Stop a build or remove a revision that nobody will use; harmless when repeated."""
        revision = f"revisions/{part(deployment)}"
        self._tell_if_there(Call(method="POST", url=f"{revision}/cancel"))
        # Refused while the build is ending: what is cancelled and has no host harms nobody.
        self._tell_if_there(Call(method="DELETE", url=revision))

    def _create(self, order: Order, read: BlobReader) -> Created:
        total = order.manifest.files_total()
        made_app = self._apps.prepare(order)
        if not made_app and (earlier := self._earlier_or_later(order)) is not None:
            self._unsure.discard(order.key)
            nothing = Transfer(files_total=total, files_sent=0, bytes_sent=0)
            return Created(id=earlier, transfer=nothing)
        if order.environment.database is not None:
            self._make_databases()
        meter, contents = Meter(), body.Contents(read)
        call = Call(
            method="POST",
            url=f"apps/{part(order.branch_app)}/deploy",
            body=lambda: _deploy_body(order, contents),
            # What a lost answer made is looked for first: by the next call of this method.
            repeatable=False,
        )
        try:
            made = TargetDeploymentId(self._api.ask(call, wire.RevisionListItem, meter).id)
        except TargetUnavailable:
            self._unsure.add(order.key)
            raise
        if order.key in self._unsure:
            # What the try before made may have come to light meanwhile.
            made = self._earlier(order) or made
            self._unsure.discard(order.key)
        sent = Transfer(files_total=total, files_sent=total, bytes_sent=meter.sent_bytes)
        return Created(id=made, transfer=sent)

    def _earlier_or_later(self, order: Order) -> TargetDeploymentId | None:
        """Return what the order made before, after a while if it is unsure whether it did."""
        found = self._earlier(order)
        if found is None and order.key in self._unsure:
            self._clock.sleep(LISTED_WITHIN)
            found = self._earlier(order)
        return found

    def _earlier(self, order: Order) -> TargetDeploymentId | None:
        """Return the revision that this order made before, if its answer was lost.

        Of several the first one made stays: two tries may have looked before either had made one.
        """
        ours = [
            item
            for item in self._recent(order)
            if (item.labels or {}).get(DEPLOYMENT) == order.key
        ]
        if not ours:
            return None
        first, *others = sorted(ours, key=lambda item: (item.created_at, item.id))
        for loser in others:
            self.abandon(TargetDeploymentId(loser.id))
        return TargetDeploymentId(first.id)

    def _recent(self, order: Order) -> Iterator[wire.RevisionListItem]:
        """Yield the newest revisions of the order's app, a page of them.

        In which order a server lists them is not published. From one that begins with the oldest,
        every page is taken.
        """
        url = f"apps/{part(order.branch_app)}/revisions"
        call: Call | None = Call(method="GET", url=url, params={"limit": PAGE_SIZE})
        for _ in range(MAX_PAGES):
            if call is None:
                return
            page, call = self._api.ask_page(call, list[wire.RevisionListItem])
            yield from page
            if page and page[0].created_at > page[-1].created_at:
                return

    def _tell_if_there(self, call: Call) -> None:
        try:
            self._api.tell(call)
        except TargetRefused as refusal:
            if refusal.status not in {_NOT_FOUND, _CONFLICT}:
                raise

    def _make_databases(self) -> None:
        """Make the group of databases once; the platform has no way to ask whether it is there."""
        if self._has_databases:
            return
        document = orjson.dumps({"slug": DATABASES, "connection": {"engine": "denokv"}})
        call = Call(
            method="POST",
            url="database_instances",
            body=lambda: iter((document,)),
            repeatable=False,
        )
        try:
            self._api.tell(call)
        except TargetRefused as refusal:
            if refusal.status not in _TAKEN:
                raise
        self._has_databases = True


def _deploy_body(order: Order, contents: body.Contents) -> Iterator[bytes]:
    """Yield a DeployInit of a preview: built and given its own host, and no other yet."""
    production: object = False
    preview: object = True
    if (database := order.environment.database) is not None:
        references = [{"instance": DATABASES, "name": database}]
        # For its stable host too, which it is given later.
        production = {"domains": [], "databases": references}
        preview = {"databases": references}
    head: dict[str, object] = {
        "labels": {DEPLOYMENT: order.key},
        "production": production,
        "preview": preview,
        "env_vars": [{"key": each.key, "value": each.value} for each in plain_of(order)],
    }
    config = building.by_recipe(order)
    if config is None and not order.deno_json_builds:
        config = building.by_entrypoint(order)
    if config is not None:
        head["config"] = config
    if order.environment.trust is Trust.STRANGER:
        head["layers"] = []
    yield orjson.dumps(head)[:-1] + b',"assets":{'
    yield from body.inline_assets(order.manifest, order.manifest.blobs(), contents)
    yield b"}}"
