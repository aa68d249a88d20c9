"""What `previewbot deploy` does with its words, and what it tells whom of the result."""

import argparse
import json
import sys
from typing import Any

from bot import logs
from bot.adapters.git.ahead import Ahead
from bot.bootstrap.directory import Deployed, Wanted, deploy_directory
from bot.cli.start import start_settings
from bot.core.model.errors import BotError
from bot.core.model.ids import Branch
from bot.core.model.outcomes import Severity
from bot.core.model.preview import DeploymentState
from bot.core.render.markdown import code, link
from bot.core.render.terminal import printable, printable_line
from bot.settings import Workflow, process_environment


def deploy(options: argparse.Namespace, ahead: Ahead) -> int:
    """Deploy and return 0 when the URL serves what was sent; `ahead` looks at the directory."""
    workflow = Workflow.around(process_environment())
    details = ""
    try:
        settings = start_settings(entrypoint=options.entrypoint or None)
        logs.configure("deploy", settings.secrets(), verbose=False)
        wanted = Wanted(
            branch=Branch(options.branch),
            app=options.app or None,
            project=options.project or None,
            sha=options.sha or workflow.sha,
        )
        deployed = deploy_directory(
            options.directory, wanted, settings=settings, workflow=workflow, ahead=ahead
        )
    except BotError as error:
        result = {"ok": False, "status": "failed", "reason": printable_line(str(error))}
    else:
        result = _result(deployed)
        if not result["ok"] and deployed.check is not None:
            details = deployed.check.summary  # a workflow has no page to look it up
    _tell(result, details, workflow, as_json=options.json)
    return 0 if result["ok"] else 1


def _result(deployed: Deployed) -> dict[str, Any]:
    deployment = deployed.deployment
    transfer = deployment.transfer
    return {
        "ok": deployment.state is DeploymentState.LIVE,
        "status": str(deployment.state),
        "url": deployment.url,
        "deployment_url": deployment.deployment_url,
        "deployment_id": deployment.target_id,
        "sha": deployment.head,
        "files_total": None if transfer is None else transfer.files_total,
        "files_sent": None if transfer is None else transfer.files_sent,
        "bytes_sent": None if transfer is None else transfer.bytes_sent,
        # A runner reads its own commands even out of the JSON.
        "reason": printable_line(_reason(deployed)),
    }


def _reason(deployed: Deployed) -> str:
    """Return the title, and the first place in the files that the failure is about."""
    title = deployed.deployment.title
    failures = [
        note
        for note in (deployed.check.annotations if deployed.check is not None else ())
        if note.severity is Severity.FAILURE
    ]
    if not failures:
        return title
    first = failures[0]
    return f"{title}: {first.path}:{first.line}: {first.message}"


def _tell(result: dict[str, Any], details: str, workflow: Workflow, *, as_json: bool) -> None:
    """Write the result where each reader looks for it; `details` are Markdown, "" for none."""
    url = result.get("url") or result.get("deployment_url")
    if workflow.output_file is not None:
        outputs = {
            "url": url or "",
            "deployment-id": result.get("deployment_id") or "",
            "status": result["status"],
        }
        with workflow.output_file.open("a", encoding="utf-8") as file:
            # None of the three can hold a line break: ids, states and addresses of our making.
            file.writelines(f"{name}={value}\n" for name, value in outputs.items())
    if workflow.summary_file is not None:
        shown = link(url) if result["ok"] and url else code(str(result["reason"]))
        with workflow.summary_file.open("a", encoding="utf-8") as file:
            file.write(f"**Preview** {shown}\n")
            if details:
                file.write(f"\n{details}\n")
    if as_json:
        print(json.dumps(result), flush=True)
    elif result["ok"]:
        print(url)
    if not result["ok"]:
        if details:
            print(printable(details), file=sys.stderr)
        print(f"previewbot: {result['reason']}", file=sys.stderr)
