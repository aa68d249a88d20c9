"""`previewbot config check|schema`: what a repository says about its deployments.

`check` ends with 0 when all is well, 1 when something is wrong (each line of standard output is
`file:line:column: what`), and 2 when there is nothing to look at.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from bot.adapters.config.reader import FileConfigReader
from bot.core.model.config import CONFIG_PATHS, DENO_PATHS, AppConfig, ConfigFile
from bot.core.model.outcomes import Annotation, Severity
from bot.core.render.terminal import printable_line
from bot.wire.repository_config import json_schema

WRONG = 1
NOTHING_TO_CHECK = 2


def run(words: Sequence[str]) -> int:
    """Check the files of a repository, or print the schema."""
    options = _parser().parse_args(words)
    if options.action == "schema":
        print(json.dumps(json_schema(), indent=2))
        return 0
    try:
        return _check(options.path)
    except OSError as error:
        print(f"previewbot: {error.filename}: {error.strerror}", file=sys.stderr)
        return NOTHING_TO_CHECK


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="previewbot config", description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True)
    check = actions.add_parser("check", help="say what is wrong with the configuration")
    check.add_argument(
        "path",
        nargs="?",
        type=Path,
        default=Path(),
        metavar="PATH",
        help=f"a repository, or its {CONFIG_PATHS[0]}; default: the folder you are in",
    )
    actions.add_parser("schema", help=f"print the JSON Schema of {CONFIG_PATHS[0]}")
    return parser


def _check(path: Path) -> int:
    if not path.is_dir():
        return _told([*_own_file(path, path.read_bytes()).problems])
    file = next((path / name for name in CONFIG_PATHS if (path / name).is_file()), None)
    if file is None:
        print(f"previewbot: {path} has no {CONFIG_PATHS[0]}; defaults apply", file=sys.stderr)
        found = ConfigFile(path="", config=None)
    else:
        found = _own_file(file, file.read_bytes())
    apps = found.config.apps if found.config is not None else ((AppConfig(),) if not file else ())
    return _told([*found.problems, *(each for app in apps for each in _app(path, app, found))])


def _own_file(file: Path, content: bytes) -> ConfigFile:
    return FileConfigReader().read(str(file), content)


def _app(repository: Path, app: AppConfig, file: ConfigFile) -> Iterator[Annotation]:
    """Yield what only the files beside the configuration can tell."""
    root = repository / (app.recipe.root or "")
    if not root.is_dir():
        yield _missing(file, app, "root", f"there is no folder {app.recipe.root!r}")
        return
    entrypoint = app.recipe.entrypoint
    if entrypoint is not None and not app.recipe.build and not (root / entrypoint).is_file():
        yield _missing(file, app, "entrypoint", f"{root} has no file {entrypoint!r}")
    deno = next((root / name for name in DENO_PATHS if (root / name).is_file()), None)
    if deno is not None:
        yield from FileConfigReader().read_deno(str(deno), deno.read_bytes()).problems


def _missing(file: ConfigFile, app: AppConfig, key: str, words: str) -> Annotation:
    names = [each.name for each in (file.config.apps if file.config is not None else ())]
    entry = ("apps", names.index(app.name), key)
    place = file.places.get(entry) or file.places[key,]
    return Annotation(
        path=file.path, line=place.line, column=place.column, message=f"{key}: {words}"
    )


def _told(remarks: Sequence[Annotation]) -> int:
    for remark in remarks:
        grade = "warning: " if remark.severity is Severity.WARNING else ""
        place = f"{remark.path}:{remark.line}:{remark.column or 1}"
        print(printable_line(f"{place}: {grade}{remark.message}"))
    is_wrong = any(remark.severity is Severity.FAILURE for remark in remarks)
    return WRONG if is_wrong else 0
