"""`previewbot env set|unset|list|seal`: variables that deployments of a repository get.

A value comes from standard input or a file, never from the command line, where every user of the
machine could read it. No command shows it again, and no deployment from a fork gets any.
"""

import argparse
import getpass
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from bot.bootstrap.variables import Safe, open_safe, seal_anew
from bot.cli.start import start_settings
from bot.core.decide.variables import context_name, key_problem, scope_of, value_problem
from bot.core.model.config import THE_ONLY_APP
from bot.core.model.errors import BotError, ConfigurationProblem
from bot.core.model.ids import AppName
from bot.core.model.variables import KeptVariable, Scope
from bot.core.render.terminal import printable_line
from bot.settings import Settings


def run(words: Sequence[str]) -> int:
    """Keep, forget or list variables; 1 when that could not be done."""
    options = _parser().parse_args(words)
    try:
        settings = start_settings(data_dir=options.data)
        if options.action == "seal":
            print(f"Sealed {seal_anew(settings)} values with the newest key.")
            return 0
        return _run(options, settings)
    except (BotError, OSError) as error:
        print(f"previewbot: {printable_line(str(error))}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="previewbot env", description=__doc__)
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--data", type=Path, metavar="DIR", help="data directory")
    one = argparse.ArgumentParser(add_help=False, parents=[shared])
    one.add_argument("repository", metavar="OWNER/NAME")
    one.add_argument("--repository-id", type=int, metavar="N", help="of one never deployed here")
    scoped = argparse.ArgumentParser(add_help=False)
    scoped.add_argument("key", metavar="KEY")
    scoped.add_argument(
        "--context", default="preview", help="preview (the default), production or branch:GLOB"
    )
    scoped.add_argument("--app", metavar="NAME", help="for one of several apps alone")
    actions = parser.add_subparsers(dest="action", required=True)
    setting = actions.add_parser(
        "set", parents=[one, scoped], help="keep a value, read from standard input"
    )
    setting.add_argument("--from-file", type=Path, metavar="FILE", help="read it from here")
    actions.add_parser("unset", parents=[one, scoped], help="forget a value")
    listing = actions.add_parser("list", parents=[one], help="names and contexts, never values")
    listing.add_argument("--json", action="store_true")
    actions.add_parser("seal", parents=[shared], help="seal all values with the newest key")
    return parser


def _run(options: argparse.Namespace, settings: Settings) -> int:
    with open_safe(settings, options.repository, options.repository_id) as safe:
        match options.action:
            case "set":
                return _set(options, safe)
            case "unset":
                return _unset(options, safe)
            case _:
                return _list(safe, as_json=options.json)


def _set(options: argparse.Namespace, safe: Safe) -> int:
    scope = _scope(options)
    key: str = options.key
    if (problem := key_problem(key)) is not None:
        raise ConfigurationProblem("KEY", f"{key!r} {problem}")
    value = _value(key, options.from_file)
    if (problem := value_problem(value)) is not None:
        raise ConfigurationProblem(key, f"the value {problem}")
    safe.variables.put(safe.repository, scope, key, value)
    print(f"Kept {key} for {_words(scope)}; the next deployment gets it.")
    return 0


def _unset(options: argparse.Namespace, safe: Safe) -> int:
    scope = _scope(options)
    if not safe.variables.remove(safe.repository, scope, options.key):
        problem = f"there is none for {_words(scope)}; `previewbot env list` shows what there is"
        raise ConfigurationProblem(str(options.key), problem)
    print(f"Forgot {options.key} for {_words(scope)}; the next deployment lacks it.")
    return 0


def _list(safe: Safe, *, as_json: bool) -> int:
    kept = safe.variables.listed(safe.repository)
    if as_json:
        print(json.dumps([_entry(each) for each in kept]))
        return 0
    for each in kept:
        print(f"{each.key}\t{_words(each.scope)}\tset {each.set_at.isoformat()}")
    if not kept:
        print("No variables are kept.", file=sys.stderr)
    return 0


def _entry(kept: KeptVariable) -> dict[str, str | None]:
    return {
        "key": kept.key,
        "context": context_name(kept.scope),
        "app": kept.scope.app,
        "set_at": kept.set_at.isoformat(),
    }


def _words(scope: Scope) -> str:
    apps = "" if scope.app in {None, THE_ONLY_APP} else f" of {scope.app}"
    return f"{context_name(scope)}{apps}"


def _scope(options: argparse.Namespace) -> Scope:
    scope = scope_of(options.context, AppName(options.app) if options.app else None)
    if isinstance(scope, str):
        raise ConfigurationProblem("--context", scope)
    return scope


def _value(key: str, file: Path | None) -> str:
    """Return the value; the line break that ends a line is no part of it."""
    if file is None and sys.stdin.isatty():
        return getpass.getpass(f"Value of {key}: ")
    content = sys.stdin.buffer.read() if file is None else file.read_bytes()
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise ConfigurationProblem(key, "the value is not UTF-8") from None
    return text.removesuffix("\n").removesuffix("\r")
