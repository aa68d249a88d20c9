"""`ConfigReader`: bytes of a `previewbot.yml` in, values or remarks with line numbers out."""

from collections.abc import Collection, Iterator

from pydantic import ValidationError

from bot.adapters.config.complaints import complaints, in_order, no_such_target
from bot.adapters.config.deno import deno_file
from bot.adapters.config.nodes import Document, Unreadable, text_of, yaml_document
from bot.adapters.config.translate import repository_config
from bot.core.model.config import ConfigFile, DenoFile, KeyPath
from bot.core.model.outcomes import Annotation
from bot.wire.repository_config import AppEntry, AppKeys, ConfigDocument

_KNOWN = {
    "": [field.alias or name for name, field in ConfigDocument.model_fields.items()],
    "apps": [field.alias or name for name, field in AppEntry.model_fields.items()],
}


class FileConfigReader:
    """Reads what repositories say about themselves; see `bot.ports.config`."""

    def __init__(self, targets: Collection[str] | None = None) -> None:
        """Know the names of the operator's targets; None: nobody knows them here."""
        self._targets = targets

    def read(self, path: str, content: bytes) -> ConfigFile:
        """Return what the file says, or what is wrong with it; never raises."""
        try:
            document = yaml_document(text_of(content))
        except Unreadable as problem:
            place = problem.place
            remark = Annotation(
                path=path, line=place.line, column=place.column, message=problem.problem
            )
            return ConfigFile(path=path, config=None, problems=(remark,))
        try:
            checked = ConfigDocument.model_validate(document.value)
        except ValidationError as error:
            found = complaints(error, document, _KNOWN, path)
            return ConfigFile(path=path, config=None, problems=in_order(found))
        problems = in_order(_contradictions(checked, document, path, self._targets))
        if problems:
            return ConfigFile(path=path, config=None, problems=problems)
        return ConfigFile(path=path, config=repository_config(checked), places=document.places)

    def read_deno(self, path: str, content: bytes) -> DenoFile:
        """Return what the `deploy` key says; never raises."""
        return deno_file(path, content)


def _contradictions(
    checked: ConfigDocument, document: Document, path: str, targets: Collection[str] | None
) -> Iterator[Annotation]:
    """Yield what no key shows by itself."""
    entries = checked.apps or []
    seen: set[str] = set()
    for number, entry in enumerate(entries):
        if entry.name in seen:
            steps: KeyPath = ("apps", number, "name")
            yield _remark(path, document, steps, f"there is an app {entry.name!r} already")
        seen.add(entry.name)
    if entries and checked.root is not None:
        words = "root: with apps, each of them has its own"
        yield _remark(path, document, ("root",), words)
    for steps, keys in [((), checked), *((("apps", n), e) for n, e in enumerate(entries))]:
        for key, words in _of_an_app(keys, checked):
            yield _remark(path, document, (*steps, key), f"{key}: {words}")
        if targets is not None and keys.target is not None and keys.target not in targets:
            words = f"target: {no_such_target(keys.target, targets)}"
            yield _remark(path, document, (*steps, "target"), words)


def _of_an_app(keys: AppKeys, top: AppKeys) -> Iterator[tuple[str, str]]:
    """Yield those keys that do not go with the others, and what to do."""
    if keys.production_domain is not None and not (keys.production or top.production):
        yield "production-domain", "is of no use without production: true"
    entrypoint = keys.entrypoint
    if keys.framework is not None and entrypoint is not None:
        yield "entrypoint", "the framework says what is started; name one of the two"
    if keys.spa:
        if keys.framework is not None:
            yield "spa", "the framework says how it is served; name one of the two"
        elif entrypoint is None and keys.build is not None:
            yield "spa", "needs the entrypoint that the build makes, such as dist/index.html"
        elif entrypoint is not None and entrypoint.rpartition("/")[2] != "index.html":
            yield "spa", "is for static sites, whose entrypoint is an index.html"


def _remark(path: str, document: Document, steps: KeyPath, message: str) -> Annotation:
    place = document.place_of(steps)
    return Annotation(path=path, line=place.line, column=place.column, message=message)
