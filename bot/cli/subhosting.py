"""`previewbot subhosting`: the embedded server alone, its tokens, and who may deploy to it.

Without a command it is `serve`. `api` and `host` are its two processes, started by `serve` and by
`previewbot up`; they know nothing of GitHub or of the bot.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from bot import logs
from bot.bootstrap import platform
from bot.cli.handover import receive
from bot.cli.start import start_settings
from bot.core.model.errors import BotError, ConfigurationProblem

_PARTS = ("api", "host")


def run(words: Sequence[str]) -> int:
    """Run one command."""
    asked = list(words)
    # Every other first word, and none, means the flags of `serve`.
    commands = {*_PARTS, "serve", "token", "link", "unlink", "-h", "--help"}
    if not asked or asked[0] not in commands:
        asked = ["serve", *asked]
    options = _parser().parse_args(asked)
    try:
        if options.command in _PARTS:
            return _serve_part(options.command)
        if options.command == "serve":
            from bot.cli import standalone  # noqa: PLC0415 - see `_administer`

            return standalone.run(options)
        return _administer(options)
    except BotError as error:
        print(f"previewbot: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="previewbot subhosting", description=__doc__)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--data", type=Path, metavar="DIR", help="data directory")
    shared.add_argument("--json", action="store_true", help="print JSON")
    serve = commands.add_parser("serve", parents=[shared], help="run API and host")
    serve.add_argument("--port", type=int, help="of the API; 0 takes any free one")
    serve.add_argument("--preview-port", type=int, help="of previews; 0 takes any free one")
    serve.add_argument("--parent-pid", type=int, help="end when this process does")
    token = commands.add_parser("token", help="access tokens of the API")
    tokens = token.add_subparsers(dest="action", metavar="ACTION", required=True)
    create = tokens.add_parser("create", parents=[shared], help="make one and show it, this once")
    create.add_argument("--name", default="command line", help="to tell it apart in the list")
    tokens.add_parser("list", parents=[shared], help="list them by id")
    revoke = tokens.add_parser("revoke", parents=[shared], help="refuse one from now on")
    revoke.add_argument("id", help="as `list` shows it")
    link = commands.add_parser(
        "link", parents=[shared], help="let a repository's workflows deploy to a project"
    )
    link.add_argument("project", help="name or id")
    link.add_argument("repository_id", type=int, help="`gh api repos/OWNER/NAME --jq .id`")
    link.add_argument("--default-branch", help="what runs on it goes to production")
    unlink = commands.add_parser("unlink", parents=[shared], help="take a project's link away")
    unlink.add_argument("project", help="name or id")
    for part in _PARTS:
        child = commands.add_parser(part)
        child.add_argument("--child", action="store_true", required=True, help=argparse.SUPPRESS)
    return parser


def _serve_part(part: str) -> int:
    """Be one of the two processes until a signal."""
    handover = receive()
    settings = handover.settings
    logs.configure(f"subhosting-{part}", settings.secrets())
    if handover.listener is None:
        raise ConfigurationProblem("subhosting", "no listening socket was handed over")
    serve = platform.serve_api if part == "api" else platform.serve_host
    serve(settings, handover.listener, handover.ready)
    return 0


def _administer(options: argparse.Namespace) -> int:
    # Not above: whoever serves needs none of the libraries behind it.
    from bot.bootstrap import platform_operator as operator  # noqa: PLC0415

    settings = start_settings(data_dir=options.data)
    settings = settings.with_values(data_dir=settings.data_dir.expanduser().resolve())
    action = getattr(options, "action", options.command)
    match action:
        case "create":
            token = operator.create_access_token(settings, options.name)
            _say(options, {"token": token}, token)
        case "list":
            found = operator.access_tokens(settings)
            rows = [f"{each['id']}  {each['created_at']}  {each['name']}" for each in found]
            _say(options, found, "\n".join(rows) or "There are no tokens.")
        case "revoke":
            operator.revoke_access_token(settings, options.id)
            _say(options, {"revoked": options.id}, f"Revoked {options.id}.")
        case "link":
            linked = operator.link(
                settings, options.project, options.repository_id, options.default_branch
            )
            branch = options.default_branch or "no branch"
            words = f"Workflows of repository {options.repository_id} may deploy; {branch}"
            _say(options, linked, f"{words} goes to production.")
        case _:
            was_linked = operator.unlink(settings, options.project)
            words = "Unlinked." if was_linked else "It was not linked."
            _say(options, {"unlinked": was_linked}, words)
    return 0


def _say(options: argparse.Namespace, document: object, words: str) -> None:
    print(json.dumps(document) if options.json else words, flush=True)
