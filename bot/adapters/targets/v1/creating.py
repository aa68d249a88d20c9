"""Creating a deployment by v1: hashes for what the project has, content for what it lacks.

The two dialects differ in what a lost answer costs. The embedded server takes an
`Idempotency-Key` and tells which hashes it lacks; with a stranger we look for our own description
before creating, and send everything when a hash is refused.
"""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

import orjson

from bot.adapters.targets import body, building, errors
from bot.adapters.targets.http import Api, Call
from bot.adapters.targets.outgoing import Meter
from bot.adapters.targets.paths import part
from bot.adapters.targets.v1.repeats import earlier_deployment
from bot.core.model.errors import TargetRefused
from bot.core.model.ids import BlobSha, TargetDeploymentId
from bot.core.model.manifest import FileAsset
from bot.core.model.preview import Transfer
from bot.kernel.clock import Clock
from bot.ports.target import Base, Created, Order
from bot.wire import subhosting_v1 as wire

# Rounds of "which of these do you lack?" before everything is sent: one for the first deploy or
# a refusal, one more for blobs that went away in between.
NEGOTIATIONS = 2

MAX_DESCRIPTION_CHARS = 1000  # the API's limit

_UNAUTHORISED = frozenset({401, 403})


@dataclass(slots=True, kw_only=True)
class Attempt:
    """One order on its way, and what it has cost so far."""

    project: str
    order: Order
    contents: body.Contents
    database: str | None  # the platform's id
    files: body.Files
    meter: Meter = field(default_factory=Meter)
    travelled: set[BlobSha] = field(default_factory=set)

    @property
    def marker(self) -> str:
        """Return the start of the description, by which the deployment is found again."""
        return f"previewbot deployment {self.order.key}"

    @property
    def description(self) -> str:
        """Return the description, within the API's limit."""
        words = self.order.description
        text = f"{self.marker}: {words}" if words else self.marker
        return text[:MAX_DESCRIPTION_CHARS]

    def body(self, inline: AbstractSet[BlobSha]) -> Iterator[bytes]:
        """Return the create's body, made anew."""
        return body.create_body(
            self.order,
            self.files,
            description=self.description,
            database=self.database,
            inline=inline,
            contents=self.contents,
        )

    def transfer(self) -> Transfer:
        """Return what was sent, over all requests."""
        assets = self.order.manifest.assets.values()
        sent = sum(isinstance(a, FileAsset) and a.sha1 in self.travelled for a in assets)
        return Transfer(
            files_total=self.order.manifest.files_total(),
            files_sent=sent,
            bytes_sent=self.meter.sent_bytes,
        )


class OurCreates:
    """Creates on the embedded server."""

    def __init__(self, api: Api, dash_url: str) -> None:
        self._api = api
        self._dash_url = dash_url

    def create(self, attempt: Attempt) -> Created:
        """Create the deployment, or return the one that the order's key made before."""
        base = attempt.order.base
        return self._on_base(base, attempt) if base is not None else self._by_key(attempt)

    def _on_base(self, base: Base, attempt: Attempt) -> Created:
        """Create by the difference from an earlier deployment, if the server has that."""
        named, removed = attempt.order.manifest.since(base.manifest)
        everything = attempt.files
        attempt.files = replace(everything, named=named, base=base.deployment, removed=removed)
        try:
            return self._by_key(attempt)
        except TargetRefused as refusal:
            if refusal.code not in errors.BASE_UNFIT:
                raise
        attempt.files = everything
        return self._by_key(attempt)

    def _by_key(self, attempt: Attempt) -> Created:
        """Send hashes first, and on a refusal ask which ones it lacks."""
        blobs = attempt.files.named.blobs()
        missing: AbstractSet[BlobSha] = blobs - attempt.order.known
        negotiations = 0
        if blobs and not attempt.order.known:
            missing = self._lacking(attempt, blobs)
            negotiations += 1
        while True:
            try:
                return self._posted(attempt, missing)
            except TargetRefused as refusal:
                if refusal.code != errors.ASSET_NOT_FOUND or missing == blobs:
                    raise
            # What came along stays with the project even when the request is refused, so only
            # what has been named by hash alone is in doubt.
            doubtful = blobs - attempt.travelled
            lacking: AbstractSet[BlobSha] = blobs
            if doubtful and negotiations < NEGOTIATIONS:
                lacking = self._lacking(attempt, doubtful)
            negotiations += 1
            missing = lacking or blobs

    def _lacking(self, attempt: Attempt, asked: AbstractSet[BlobSha]) -> AbstractSet[BlobSha]:
        document = body.negotiate_body(attempt.files.named, asked)
        call = Call(
            method="POST",
            url=f"{self._dash_url}/projects/{part(attempt.project)}/assets/negotiate",
            body=lambda: iter((document,)),
        )
        answer = self._api.ask(call, list[str], attempt.meter)
        return {BlobSha(sha1) for sha1 in answer} & asked

    def _posted(self, attempt: Attempt, inline: AbstractSet[BlobSha]) -> Created:
        return _posted(self._api, attempt, inline, key=attempt.order.key)


class ForeignCreates:
    """Creates on a stranger's server, which takes no key and cannot say what it lacks."""

    def __init__(self, api: Api, clock: Clock) -> None:
        self._api = api
        self._clock = clock

    def create(self, attempt: Attempt) -> Created:
        """Create the deployment, or return the one that has the order's description.

        Raises:
            TargetRefused: the recipe has commands, which nobody would run.

        """
        building.refuse_commands(attempt.order, "subhosting-v1")
        if (found := self._found(attempt)) is not None:
            return found
        blobs = attempt.order.manifest.blobs()
        missing = blobs - attempt.order.known
        try:
            return _posted(self._api, attempt, missing)
        except TargetRefused as refusal:
            # How a stranger says "unknown hash" is documented nowhere.
            if missing == blobs or refusal.status in _UNAUTHORISED:
                raise
        return _posted(self._api, attempt, blobs)

    def redeploy(
        self, attempt: Attempt, earlier: TargetDeploymentId, given: AbstractSet[str]
    ) -> Created:
        """Run the files of `earlier` anew, with the order's variables in place of those `given`.

        Variables and databases are merged by the platform, so what is to go is named.
        """
        if (found := self._found(attempt)) is not None:
            return found
        wanted = attempt.order.environment.values()
        document = {
            "envVars": {**dict.fromkeys(sorted(given)), **wanted},
            "databases": {"default": attempt.database},
            "description": attempt.description,
        }
        call = Call(
            method="POST",
            url=f"deployments/{part(earlier)}/redeploy",
            body=lambda: iter((orjson.dumps(document),)),
            repeatable=False,
        )
        made = self._api.ask(call, wire.Deployment, attempt.meter)
        return Created(id=TargetDeploymentId(made.id), transfer=attempt.transfer())

    def _found(self, attempt: Attempt) -> Created | None:
        found = earlier_deployment(self._api, self._clock, attempt.project, attempt.marker)
        return None if found is None else Created(id=found, transfer=attempt.transfer())


def _posted(
    api: Api, attempt: Attempt, inline: AbstractSet[BlobSha], *, key: str | None = None
) -> Created:
    attempt.travelled |= inline
    call = Call(
        method="POST",
        url=f"projects/{part(attempt.project)}/deployments",
        headers={} if key is None else {wire.IDEMPOTENCY_KEY: key},
        body=lambda: attempt.body(inline),
        repeatable=key is not None,
    )
    made = api.ask(call, wire.Deployment, attempt.meter)
    return Created(id=TargetDeploymentId(made.id), transfer=attempt.transfer())
