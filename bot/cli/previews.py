"""`previewbot previews list|show`: the records of an installation on the terminal."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bot.bootstrap.reader import Reader, open_reader
from bot.cli.start import start_settings
from bot.core.model.errors import BotError
from bot.core.model.ids import DeploymentId
from bot.core.model.preview import Deployment
from bot.core.render.terminal import printable, printable_line

LISTED = 50


def run(words: Sequence[str]) -> int:
    """List the newest deployments, or show one with its check, stages and log."""
    options = _parser().parse_args(words)
    try:
        settings = start_settings(data_dir=options.data)
        with open_reader(settings) as reader:
            if options.action == "list":
                _list(reader, as_json=options.json)
            else:
                _show(reader, DeploymentId(options.deployment), as_json=options.json)
    except BotError as error:
        print(f"previewbot: {printable_line(str(error))}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="previewbot previews", description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True)
    listing = actions.add_parser("list", help=f"the newest {LISTED} deployments")
    showing = actions.add_parser("show", help="one deployment")
    showing.add_argument("deployment", help="its id, as `list` and the URLs show it")
    for action in (listing, showing):
        action.add_argument("--data", type=Path, metavar="DIR", help="data directory")
        action.add_argument("--json", action="store_true")
    return parser


def _list(reader: Reader, *, as_json: bool) -> None:
    deployments = reader.store.recent(LISTED)
    if as_json:
        print(json.dumps([_entry(deployment) for deployment in deployments]))
        return
    table = Table("deployment", "repository", "branch", "commit", "state", "URL", "title")
    for deployment in deployments:
        preview = deployment.preview
        cells = (
            deployment.id,
            preview.repository.name,
            preview.name,
            deployment.head[:7],
            str(deployment.state),
            deployment.url or "",
            deployment.title,
        )
        table.add_row(*(_cell(cell) for cell in cells))
    Console().print(table)


def _show(reader: Reader, key: DeploymentId, *, as_json: bool) -> None:
    deployment = reader.store.deployment(key)
    check = reader.checks.of(key)
    entry = _entry(deployment)
    if check is not None:
        entry["check"] = {
            "name": check.name,
            "status": str(check.status),
            "conclusion": None if check.conclusion is None else str(check.conclusion),
            "title": check.title,
            "annotations": [
                {"path": note.path, "line": note.line, "message": note.message}
                for note in check.annotations
            ],
        }
    entry["stages"] = [
        {
            "stage": str(record.stage),
            "started_at": record.started_at.isoformat(),
            "finished_at": record.finished_at and record.finished_at.isoformat(),
            "detail": record.detail,
        }
        for record in reader.store.stages(key)
    ]
    entry["log"] = [
        {"level": line.level, "message": line.message} for line in reader.store.log(key)
    ]
    if as_json:
        print(json.dumps(entry))
        return
    print(printable(json.dumps(entry, indent=2, ensure_ascii=False)))


def _entry(deployment: Deployment) -> dict[str, Any]:
    return {
        "deployment": deployment.id,
        "repository": deployment.preview.repository.name,
        "branch": deployment.preview.name,
        "sha": deployment.head,
        "generation": deployment.generation,
        "state": str(deployment.state),
        "title": deployment.title,
        "url": deployment.url,
        "deployment_url": deployment.deployment_url,
    }


def _cell(text: str) -> str:
    """Return a stranger's text without terminal codes and without rich's own markup."""
    return printable_line(text).replace("[", "\\[")
