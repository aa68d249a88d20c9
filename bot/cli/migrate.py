"""`previewbot migrate`: move an organization from a server of API v1 to one of API v2.

Every project becomes an app with its variables, its live deployment a revision of that app; so
does every other deployment that a custom domain leads to, and every such domain a domain. Nothing
on the old server is changed. Run it again until its exit code is 0: what was moved is left alone.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from bot import logs
from bot.bootstrap.migration import Place, moving
from bot.core.model.errors import BotError, ConfigurationProblem
from bot.core.model.migration import Fate, Moved
from bot.core.render.terminal import printable_line
from bot.settings import LOOPBACK


def run(words: Sequence[str]) -> int:
    """Move everything and return 0 when nothing is left to do, 1 when something is."""
    options = _parser().parse_args(words)
    try:
        old = _place("--from", "v1", options.source, options.from_token_file, options.organization)
        new = _place("--to", "v2", options.destination, options.to_token_file)
        logs.configure("migrate", (old.token, new.token), verbose=False)
        timeout = timedelta(seconds=options.build_timeout_s)
        done: list[Moved] = []
        with moving(old, new, build_timeout=timeout, dry=options.dry_run) as move:
            for each in move.everything():
                done.append(each)
                _tell(each, as_json=options.json)
    except BotError as error:
        print(f"previewbot: {printable_line(str(error))}", file=sys.stderr)
        return 1
    if not options.json:
        print(_summary(done))
    expected = {Fate.WOULD_MOVE} if options.dry_run else set()
    return 0 if all(each.is_done or each.fate in expected for each in done) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="previewbot migrate", description=__doc__)
    address = "API:URL"
    parser.add_argument(
        "--from", dest="source", required=True, metavar=address, help="v1:https://HOST/v1"
    )
    parser.add_argument("--organization", required=True, help="id of the organization on v1")
    parser.add_argument("--from-token-file", required=True, type=Path, metavar="FILE")
    parser.add_argument(
        "--to", dest="destination", required=True, metavar=address, help="v2:https://HOST/v2"
    )
    parser.add_argument("--to-token-file", required=True, type=Path, metavar="FILE")
    parser.add_argument("--dry-run", action="store_true", help="say what would be moved")
    parser.add_argument("--build-timeout-s", type=int, default=600, metavar="SECONDS")
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")
    return parser


def _place(option: str, api: str, address: str, token_file: Path, organization: str = "") -> Place:
    """Return a platform.

    Raises:
        ConfigurationProblem: the address or the token file is wrong; the option is named.

    """
    prefix = f"{api}:"
    parts = urlsplit(address.removeprefix(prefix))
    if not address.startswith(prefix) or parts.scheme not in {"http", "https"}:
        raise ConfigurationProblem(option, f"{address!r} must look like {api}:https://HOST/{api}")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise ConfigurationProblem(option, "a token goes over http to this machine only")
    if parts.path.rstrip("/").rpartition("/")[2] != api:
        raise ConfigurationProblem(option, f"{address!r} must end in /{api}")
    try:
        token = token_file.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationProblem(f"{option}-token-file", f"cannot be read: {error}") from error
    if not token or not token.isprintable() or " " in token:
        raise ConfigurationProblem(f"{option}-token-file", f"{token_file} holds no token")
    return Place(url=parts.geturl().rstrip("/"), token=token, organization=organization)


def _tell(moved: Moved, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(asdict(moved)), flush=True)
        return
    to = f" -> {moved.to}" if moved.to else ""
    print(printable_line(f"{moved.kind} {moved.name}: {moved.fate}{to}"), flush=True)
    for note in moved.notes:
        print(f"    {printable_line(note)}", flush=True)


def _summary(done: Sequence[Moved]) -> str:
    counts = [
        f"{count} {fate}" for fate in Fate if (count := sum(each.fate is fate for each in done))
    ]
    return ", ".join(counts) or "the old server holds nothing"
