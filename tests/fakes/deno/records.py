"""What the fake Deno Deploy remembers: apps, layers, revisions, and how it shows them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bot.wire.deploy_v2 import EnvVarInput, EnvVarUpdate
from bot.wire.deploy_v2_revisions import DeployInit, FileAsset
from tests.fakes.subhosting.refused import Json, Refused
from tests.fakes.target import BREAKS, HANGS

START = datetime(2026, 11, 20, 12, tzinfo=UTC)


@dataclass
class Variable:
    id: str
    key: str
    value: str
    secret: bool
    contexts: object

    def shown(self) -> Json:
        value = {} if self.secret else {"value": self.value}
        named = {"id": self.id, "key": self.key, "secret": self.secret, "contexts": self.contexts}
        return named | value


class Variables:
    """The variables of an app or a layer; `restarts` counts the changes."""

    def __init__(self, owner: str, given: Iterable[EnvVarInput]) -> None:
        self.owner = owner
        self.all: list[Variable] = []
        self.restarts = 0
        self._made = 0
        for each in given:
            self._add(each.key, each.value, each.secret, each.contexts)

    def merge(self, updates: Iterable[EnvVarUpdate]) -> None:
        for update in updates:
            self.restarts += 1
            found = next(
                (
                    each
                    for each in self.all
                    if each.id == update.id or (update.id is None and each.key == update.key)
                ),
                None,
            )
            if found is None:
                if update.key is None or update.value is None or update.delete:
                    raise Refused(400, "MALFORMED_REQUEST", "env_vars: no such variable")
                secret, contexts = bool(update.secret), update.contexts or "all"
                self._add(update.key, update.value, secret, contexts)
            elif update.delete:
                self.all.remove(found)
            else:
                found.value = found.value if update.value is None else update.value
                found.secret = found.secret if update.secret is None else update.secret

    def values(self) -> dict[str, str]:
        return {each.key: each.value for each in self.all}

    def shown(self) -> list[Json]:
        return [each.shown() for each in self.all]

    def _add(self, key: str, value: str, secret: bool, contexts: object) -> None:  # noqa: FBT001
        self._made += 1
        name = f"env-{self.owner}-{self._made}"
        self.all.append(Variable(id=name, key=key, value=value, secret=secret, contexts=contexts))


@dataclass
class Layer:
    id: str
    slug: str
    variables: Variables
    description: str | None = None

    def shown(self) -> Json:
        at = START.isoformat()
        return {
            "id": self.id,
            "slug": self.slug,
            "description": self.description,
            "layers": [],
            "env_vars": self.variables.shown(),
            "app_count": 0,
            "created_at": at,
            "updated_at": at,
        }


@dataclass
class App:
    id: str
    slug: str
    labels: dict[str, Any]
    layers: list[Layer] = field(default_factory=list)
    variables: Variables = field(default_factory=lambda: Variables("app", ()))
    production: str | None = None  # the promoted revision

    def item(self) -> Json:
        at = START.isoformat()
        return {
            "id": self.id,
            "slug": self.slug,
            "labels": self.labels,
            "layers": [{"id": layer.id, "slug": layer.slug} for layer in self.layers],
            "created_at": at,
            "updated_at": at,
        }

    def shown(self) -> Json:
        return {**self.item(), "env_vars": self.variables.shown()}


@dataclass
class Revision:
    id: str
    app: App
    init: DeployInit
    made_at: datetime
    status: str = "queued"
    looks_to_list: int = 1
    own_hosts: set[str] = field(default_factory=set)  # of custom domains
    later: "Callable[[Revision], set[str]]" = lambda _: set()  # hosts that later ones have

    @property
    def source(self) -> bytes:
        entry = self.init.assets.get("main.ts")
        return entry.content.encode() if isinstance(entry, FileAsset) else BREAKS

    def environment(self) -> dict[str, str]:
        """Return what the app sees: later ones win, as the published order has it."""
        found: dict[str, str] = {}
        for layer in self.app.layers if self.init.layers is None else ():
            found |= layer.variables.values()
        found |= self.app.variables.values()
        return found | {each.key: each.value for each in self.init.env_vars or ()}

    def look(self) -> None:
        """Let time pass, as far as this revision is concerned."""
        if self.status == "queued":
            self.status = "building"
        elif self.status == "building" and HANGS.decode() not in self.source.decode():
            self.status = "failed" if BREAKS in self.source else "succeeded"
        elif self.status == "succeeded":
            self.looks_to_list -= 1

    def timelines(self) -> list[Json]:
        if self.status != "succeeded" or self.looks_to_list > 0:
            return []
        preview = f"{self.app.slug}-{self.id}.localhost"
        shown: list[Json] = [{"name": "Preview", "context": "preview", "hostnames": [preview]}]
        if self.app.production == self.id:
            hosts = [f"{self.app.slug}.localhost"]
            named = {"name": "Production (pinned)", "context": "production", "hostnames": hosts}
            shown.append(dict(named))
        if own := sorted(self.own_hosts - self.later(self)):
            shown.append({"name": "Production", "context": "production", "hostnames": own})
        return shown

    def item(self) -> Json:
        failed = self.status == "failed"
        return {
            "id": self.id,
            "status": self.status,
            "failure_reason": "error" if failed else None,
            "labels": self.init.labels,
            "created_at": self.made_at.isoformat(),
            "cancellation_requested_at": None,
            "build_finished_at": None,
            "deleted_at": None,
        }

    def shown(self) -> Json:
        return {
            **self.item(),
            "failure_detail": None,
            "layers": [],
            "env_vars": [],
            "timelines": self.timelines(),
        }
