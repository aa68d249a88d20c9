"""The `deploy` key of deno.json and deno.jsonc, with line numbers."""

from collections.abc import Iterator

from pydantic import ValidationError

from bot.adapters.config.complaints import complaints, in_order
from bot.adapters.config.jsonc import jsonc_document
from bot.adapters.config.nodes import Document, Unreadable
from bot.core.model.config import DenoFile, KeyPath
from bot.core.model.outcomes import Annotation, Severity
from bot.kernel.globs import glob_problem
from bot.kernel.paths import path_problem
from bot.wire.deno_json import DenoDeploy, DenoJson, DenoRuntime

# Beyond this the embedded server does not look at one either.
MAX_BYTES = 256 * 1024


def deno_file(path: str, content: bytes) -> DenoFile:
    """Return what the file's `deploy` key says; one that cannot be read says nothing."""
    try:
        document = _document(content)
    except Unreadable as problem:
        remark = Annotation(
            path=path,
            line=problem.place.line,
            column=problem.place.column,
            message=f"{problem.problem}; its deploy key was not read",
            severity=Severity.WARNING,
        )
        return DenoFile(path=path, problems=(remark,))
    try:
        deploy = DenoJson.model_validate(document.value).deploy
    except ValidationError as error:
        return DenoFile(path=path, problems=in_order(complaints(error, document, {}, path)))
    if deploy is None:
        return DenoFile(path=path)
    problems = in_order(_wrong_values(deploy, document, path))
    if problems:
        return DenoFile(path=path, problems=problems)
    return DenoFile(
        path=path,
        says_how_to_build=_says_how_to_build(deploy),
        entrypoint=_entrypoint(deploy.runtime),
        include=tuple(map(_pattern, deploy.include or ())),
        exclude=tuple(map(_pattern, deploy.exclude or ())),
        org=deploy.org,
        app=deploy.app,
    )


def _document(content: bytes) -> Document:
    """Return the file's content; what is no object is Deno's to complain about.

    Raises:
        Unreadable: it is too large, not UTF-8, or no JSON.

    """
    if len(content) > MAX_BYTES:
        raise Unreadable(f"has {len(content):,} bytes, more than {MAX_BYTES:,}")
    try:
        document = jsonc_document(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise Unreadable("is not UTF-8") from None
    return document if isinstance(document.value, dict) else Document({})


def _wrong_values(deploy: DenoDeploy, document: Document, path: str) -> Iterator[Annotation]:
    for name, patterns in (("include", deploy.include), ("exclude", deploy.exclude)):
        for number, pattern in enumerate(patterns or ()):
            problem = glob_problem(_pattern(pattern))
            if problem is not None:
                steps = ("deploy", name, number)
                yield _remark(path, document, steps, f"{pattern[:100]!r} {problem}")
    runtime = deploy.runtime or DenoRuntime()
    for key, text in (("entrypoint", runtime.entrypoint), ("cwd", runtime.cwd)):
        problem = None if text is None else _path_problem(text)
        if text is not None and problem is not None:
            yield _remark(path, document, ("deploy", "runtime", key), f"{text[:100]!r} {problem}")


def _path_problem(text: str) -> str | None:
    clean = _plain(text)
    return path_problem(clean) if clean else None


def _plain(text: str) -> str:
    """Return a path without its `./`, which Deno's own examples write."""
    if text.startswith("/"):
        return text
    return "/".join(part for part in text.split("/") if part not in {"", "."})


def _pattern(text: str) -> str:
    return _plain(text) or "**"


def _remark(path: str, document: Document, steps: KeyPath, words: str) -> Annotation:
    place = document.place_of(steps)
    name = ".".join(step for step in steps if isinstance(step, str))
    return Annotation(path=path, line=place.line, column=place.column, message=f"{name}: {words}")


def _says_how_to_build(deploy: DenoDeploy) -> bool:
    """Tell whether anything but names and files is set; null counts, as it turns a step off."""
    return bool(
        deploy.model_fields_set & {"framework", "install", "build", "predeploy", "runtime"}
    )


def _entrypoint(runtime: DenoRuntime | None) -> str | None:
    if runtime is None:
        return None
    if runtime.type == "static":
        return _plain(f"{runtime.cwd or '.'}/index.html")
    return _plain(runtime.entrypoint) if runtime.entrypoint else None
