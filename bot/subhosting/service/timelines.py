"""Timelines: what answers where, grouped by what it is for."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from bot.subhosting.service import targets
from bot.subhosting.service.services import Services
from bot.subhosting.store import bindings
from bot.subhosting.store.records import Attachment, BindingRecord, Context, ProjectRecord

# What a preview's partition is named after; production has none.
_REVISION = "deno.revision.id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """Hosts by which a revision is reached now, under the name that v2 gives to their kind."""

    name: str
    context: Context
    hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineView:
    """A timeline of an app: production, or the previews of one revision."""

    app: ProjectRecord
    context: Context
    hosts: tuple[str, ...]
    partition: Mapping[str, str] = field(default_factory=dict)


def reached(found: Iterable[BindingRecord]) -> list[Reached]:
    """Return a revision's bindings by kind: floating ones first, then those that are pinned."""
    groups: dict[tuple[str, Context], list[str]] = {}
    for binding in sorted(found, key=_kind):
        name = binding.context.capitalize()
        if binding.attachment is not Attachment.JOINED:
            name = f"{name} (pinned)"
        groups.setdefault((name, binding.context), []).append(binding.host)
    return [
        Reached(name=name, context=context, hosts=tuple(hosts))
        for (name, context), hosts in groups.items()
    ]


def of_app(services: Services, app: ProjectRecord) -> list[TimelineView]:
    """Return production, which an app always has, and a timeline per revision with previews."""
    with services.database.reading() as connection:
        found = bindings.of_project(connection, app.id)
    production = [each.host for each in found if each.context is Context.PRODUCTION]
    default = targets.production_host(services, app)
    first = TimelineView(
        app=app,
        context=Context.PRODUCTION,
        hosts=tuple(dict.fromkeys([default, *sorted(production)])),
    )
    return [first, *_previews(app, found)]


def of_revision(app: ProjectRecord, found: Iterable[BindingRecord]) -> list[TimelineView]:
    """Return the timelines on which a revision is active, given its bindings."""
    here = list(found)
    production = tuple(each.host for each in here if each.context is Context.PRODUCTION)
    first = TimelineView(app=app, context=Context.PRODUCTION, hosts=production)
    return [*([first] if production else []), *_previews(app, here)]


def partition_of(context: Context, revision_id: str) -> dict[str, str]:
    """Return what tells a revision's timeline of this kind from its like; production is alone."""
    return {_REVISION: revision_id} if context is Context.PREVIEW else {}


def _previews(app: ProjectRecord, found: Iterable[BindingRecord]) -> list[TimelineView]:
    hosts: dict[str, list[str]] = {}
    for each in found:
        if each.context is Context.PREVIEW:
            hosts.setdefault(each.deployment_id, []).append(each.host)
    return [
        TimelineView(
            app=app,
            context=Context.PREVIEW,
            hosts=tuple(names),
            partition=partition_of(Context.PREVIEW, revision_id),
        )
        for revision_id, names in hosts.items()
    ]


def _kind(binding: BindingRecord) -> tuple[bool, bool, str]:
    preview = binding.context is Context.PREVIEW
    return preview, binding.attachment is not Attachment.JOINED, binding.host
