"""Projects by their name, and the databases of their organization by ours."""

import orjson

from bot.adapters.targets.http import Api, Call
from bot.adapters.targets.paths import part
from bot.adapters.targets.v1.lists import listed
from bot.core.model.errors import TargetRefused
from bot.core.model.ids import AppSlug
from bot.wire import subhosting_v1 as wire
from bot.wire.subhosting_v1_databases import KvDatabase

_NOT_FOUND = 404


class Projects:
    """The projects of an organization, remembered by slug."""

    def __init__(self, api: Api, organization: str) -> None:
        self._api = api
        self._organization = f"organizations/{part(organization)}"
        self._known: dict[AppSlug, str] = {}
        self._databases: dict[str, str] = {}

    def id_of(self, slug: AppSlug) -> str:
        """Return the platform's id of a project, which is made on first sight."""
        known = self.found(slug) or self._made(slug)
        self._known[slug] = known
        return known

    def found(self, slug: AppSlug) -> str | None:
        """Return the platform's id of a project, None if there is none."""
        if slug in self._known:
            return self._known[slug]
        for project in listed(
            self._api, f"{self._organization}/projects", list[wire.Project], q=slug
        ):
            if project.name == slug:  # `q` also finds names that only contain it
                return project.id
        return None

    def forgot(self, slug: AppSlug) -> bool:
        """Forget a project, and tell whether it was known."""
        return self._known.pop(slug, None) is not None

    def remove(self, slug: AppSlug) -> None:
        """Delete a project with its deployments, if it is there."""
        found = self.found(slug)
        self.forgot(slug)
        if found is None:
            return
        try:
            self._api.tell(Call(method="DELETE", url=f"projects/{part(found)}"))
        except TargetRefused as refusal:
            if refusal.status != _NOT_FOUND:
                raise

    def database(self, name: str) -> str:
        """Return the id of the KV database that we call `name`, which is made on first sight.

        v1 knows no names, so it is a description of ours; of two that were made at the same moment
        everybody takes the older one.
        """
        if name not in self._databases:
            description = f"previewbot: {name}"
            found = self._described(description)
            if found is None:
                self._make_database(description)
                found = self._described(description)
            if found is None:
                message = "a database that was just made is not listed"
                raise TargetRefused(
                    self._api.name, status=_NOT_FOUND, code="databaseNotFound", message=message
                )
            self._databases[name] = found
        return self._databases[name]

    def _described(self, description: str) -> str | None:
        found = [
            database
            for database in listed(self._api, f"{self._organization}/databases", list[KvDatabase])
            if database.description == description
        ]
        return min(found, key=lambda each: (each.created_at, each.id)).id if found else None

    def _make_database(self, description: str) -> None:
        document = orjson.dumps({"description": description})
        call = Call(
            method="POST",
            url=f"{self._organization}/databases",
            body=lambda: iter((document,)),
            repeatable=False,
        )
        self._api.tell(call)

    def _made(self, slug: AppSlug) -> str:
        document = orjson.dumps({"name": slug, "description": "made by previewbot"})
        call = Call(
            method="POST",
            url=f"{self._organization}/projects",
            body=lambda: iter((document,)),
            repeatable=False,
        )
        try:
            return self._api.ask(call, wire.Project).id
        except TargetRefused:
            # Somebody else may have made it since we looked: another worker of ours, say.
            found = self.found(slug)
            if found is None:
                raise
            return found
