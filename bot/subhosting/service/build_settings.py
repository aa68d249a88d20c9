"""How a revision is built and run: who decides, and whether it can be done here.

The request's own `config` decides, else the `deploy` key of the app's deno.json, else the app's
configuration, else what its files look like. Deno publishes the second before the third
(https://docs.deno.com/deploy/reference/builds/); that an explicit request beats both is ours.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bot.kernel.paths import path_problem
from bot.subhosting.build import jsonc, presets, repository
from bot.subhosting.errors import InvalidRequest
from bot.subhosting.service import apps, assets
from bot.subhosting.service.assets import Upload
from bot.subhosting.service.services import Services
from bot.subhosting.store.records import Document, Manifest, ProjectRecord
from bot.wire.deploy_v2 import Config, DynamicRuntime, StaticRuntime

# Looked for, in this order, when nothing names an entry point.
_USUAL_ENTRY_POINTS = tuple(
    f"{name}.{suffix}"
    for name in ("main", "server", "index", "mod")
    for suffix in ("ts", "tsx", "js", "mjs", "jsx")
)

# A configuration beyond this is none.
_MAX_TEXT_BYTES = 256 * 1024

# Where a site lies, in this order, when there is no entry point either.
_USUAL_FOLDERS = (".", *presets.PLAIN.folders)

# What Deno's own configuration says beside what v2 knows.
_ON_TOP = ("memory_limit", "build_timeout")


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildSettings:
    """The configuration of a revision, and its entry point: empty until the build tells."""

    config: Document | None
    entry_point: str


def read(
    services: Services,
    app: ProjectRecord,
    given: Config | None,
    upload: Upload,
    entry_point: str | None = None,
) -> BuildSettings:
    """Return how a revision of `app` is built; `entry_point` counts where nothing else names one.

    Raises:
        InvalidRequest: it cannot be done; the message names the field.

    """
    texts = dict(_texts(services, app, upload))
    field, config = _decided(app, given, upload.manifest, texts)
    config = presets.completed(config)
    undecided = not any(config.get(name) for name in ("runtime", "framework", "build"))
    if entry_point and undecided:
        dynamic = {"type": "dynamic", "entrypoint": entry_point}
        config["runtime"] = site_of(entry_point) or dynamic
    return _Reader(field, upload.manifest).settings(config)


def site_of(entry_point: str) -> Document | None:
    """Return the static runtime that an entry point of v1 stands for, or None if it is a program.

    v1 has no field for a static site, and Deno could not run an `index.html`: it means its folder.
    """
    folder, _, name = entry_point.rpartition("/")
    return {"type": "static", "cwd": folder or "."} if name == "index.html" else None


def _decided(
    app: ProjectRecord, given: Config | None, manifest: Manifest, texts: Mapping[str, Document]
) -> tuple[str, dict[str, Any]]:
    """Return the configuration that counts, and how errors name it."""
    if given is not None:
        return "config", apps.config_document(given) or {}
    for name in repository.NAMES:
        section = repository.build_settings(texts.get(name, {}))
        if section is not None:
            return f"assets: {name}: deploy", _checked(f"assets: {name}: deploy", section)
    if app.config is not None:
        return "config", dict(app.config)
    present = {*manifest.files, *manifest.links}
    return "config", dict(presets.detected(present.__contains__, texts))


def _checked(field: str, section: Mapping[str, Any]) -> dict[str, Any]:
    """Return what deno.json says, which nobody has looked at before."""
    try:
        config = Config.model_validate(section)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        steps = ".".join(str(step) for step in first["loc"] if step in _NAMES)
        where = f"{field}.{steps}" if steps else field
        raise InvalidRequest("invalidRequest", f"{where}: {first['msg']}.") from error
    known = apps.config_document(config) or {}
    limit = section.get("memory_limit", 1)
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
        msg = f"{field}.runtime.memoryLimit: must be a number of megabytes."
        raise InvalidRequest("invalidRequest", msg)
    return {**known, **{name: section[name] for name in _ON_TOP if name in section}}


# Of paths of errors; in between, Pydantic names the members of unions.
_NAMES = frozenset(
    {*Config.model_fields, *DynamicRuntime.model_fields, *StaticRuntime.model_fields}
)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Checks one configuration; `field` is how errors name it."""

    field: str
    manifest: Manifest

    def settings(self, config: dict[str, Any]) -> BuildSettings:
        framework = config.get("framework") or ""
        if framework and framework not in presets.PRESETS:
            raise self._not_supported(
                "framework",
                f"{framework!r} is not served here; name `build` and a `runtime` instead of it",
            )
        runtime = config.get("runtime")
        if runtime is None:
            return self._without_runtime(config)
        if runtime["type"] == "static":
            folder = self._path("runtime.cwd", runtime["cwd"])
            self._refuse_missing_folder(config, folder)
            return BuildSettings(
                config={**config, "runtime": {**runtime, "cwd": folder}}, entry_point=""
            )
        if runtime.get("cwd"):
            self._path("runtime.cwd", runtime["cwd"])
        return BuildSettings(
            config=config, entry_point=self._entry_point(config, runtime["entrypoint"])
        )

    def _without_runtime(self, config: dict[str, Any]) -> BuildSettings:
        if config.get("framework") or config.get("build"):
            return BuildSettings(config=config, entry_point="")  # what comes out tells
        for path in _USUAL_ENTRY_POINTS:
            if path in self.manifest.files or path in self.manifest.links:
                runtime = {"type": "dynamic", "entrypoint": path}
                return BuildSettings(config={**config, "runtime": runtime}, entry_point=path)
        for folder in _USUAL_FOLDERS:
            path = "index.html" if folder == "." else f"{folder}/index.html"
            if path in self.manifest.files:
                site = {"type": "static", "cwd": folder}
                return BuildSettings(config={**config, "runtime": site}, entry_point="")
        msg = (
            f"{self.field}.runtime: is missing, here and in the app, and no asset has a usual name"
            f" such as {_USUAL_ENTRY_POINTS[0]!r} or 'index.html'."
        )
        raise InvalidRequest("entryPointNotFound", msg)

    def _entry_point(self, config: Mapping[str, Any], path: str) -> str:
        field = f"{self.field}.runtime.entrypoint"
        if _runs_commands(config):
            return self._path("runtime.entrypoint", path)  # the build may make it
        try:
            return assets.entry_point(path, self.manifest)
        except InvalidRequest as error:
            words = error.message.replace("entryPointUrl:", f"{field}:", 1)
            raise InvalidRequest(error.code, words) from error

    def _refuse_missing_folder(self, config: Mapping[str, Any], folder: str) -> None:
        if folder == "." or _runs_commands(config):
            return
        if not any(path.startswith(f"{folder}/") for path in self.manifest.files):
            msg = f"{self.field}.runtime.cwd: no asset lies in {folder!r}."
            raise InvalidRequest("invalidRequest", msg)

    def _path(self, name: str, text: str) -> str:
        """Return a path of the app's as a clean relative one; `.` is the root."""
        path = "/".join(step for step in text.split("/") if step not in {"", "."})
        problem = "is absolute" if text.startswith("/") else path and path_problem(path)
        if problem:
            msg = f"{self.field}.{name}: {text[:300]!r} {problem}."
            raise InvalidRequest("invalidRequest", msg)
        return path or "."

    def _not_supported(self, name: str, instead: str) -> InvalidRequest:
        return InvalidRequest("notSupported", f"{self.field}.{name}: {instead}.")


def _runs_commands(config: Mapping[str, Any]) -> bool:
    return bool(config.get("build") or config.get("install"))


def _texts(
    services: Services, app: ProjectRecord, upload: Upload
) -> Iterator[tuple[str, Document]]:
    """Yield those files that configure a build, as far as they are JSON objects."""
    for name in (*repository.NAMES, "package.json"):
        sha1 = upload.manifest.files.get(name)
        if sha1 is None:
            continue
        blob = upload.sent.get(sha1)
        content = services.blobs.folder(app.id) / sha1 if blob is None else blob.content
        found = jsonc.document(_start_of(content).decode(errors="replace"))
        if found is not None:
            yield name, found


def _start_of(content: bytes | Path) -> bytes:
    if isinstance(content, bytes):
        return content[:_MAX_TEXT_BYTES]
    try:
        with content.open("rb") as file:
            return file.read(_MAX_TEXT_BYTES)
    except OSError:
        return b""  # a hash that is not known here; the request is refused for it soon
