"""`previewbot explain GUID`: what a webhook delivery led to, and by which rule."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from bot.bootstrap.reader import Reader, open_reader
from bot.cli.start import start_settings
from bot.core.model.errors import BotError
from bot.core.model.ids import DeploymentId
from bot.core.render.terminal import printable_line
from bot.ports.inbox import DeliveryRecord


def run(words: Sequence[str]) -> int:
    """Print the decision about each delivery with this GUID; 1 when there is none."""
    parser = argparse.ArgumentParser(prog="previewbot explain", description=__doc__)
    parser.add_argument("guid", help="X-GitHub-Delivery, from GitHub's list of recent deliveries")
    parser.add_argument("--data", type=Path, metavar="DIR", help="data directory")
    options = parser.parse_args(words)
    try:
        with open_reader(start_settings(data_dir=options.data)) as reader:
            found = reader.deliveries(options.guid)
            for record in found:
                _print(record, reader)
    except BotError as error:
        print(f"previewbot: {printable_line(str(error))}", file=sys.stderr)
        return 1
    if not found:
        guid = printable_line(options.guid)
        print(f"previewbot: no delivery {guid} was received", file=sys.stderr)
    return 0 if found else 1


def _print(record: DeliveryRecord, reader: Reader) -> None:
    event = printable_line(record.event_name)
    print(f"{record.key.guid} from hook {printable_line(record.key.hook)}")
    print(f"  event     {event}, {record.received_at.isoformat()}")
    print(f"  decision  {record.reason or _not_yet(record)}")
    print(f"  because   {printable_line(record.detail or record.problem or '')}")
    for key in record.deployments:
        deployment = reader.store.deployment(DeploymentId(key))
        title = printable_line(deployment.title)
        print(f"  led to    {key}: {deployment.state}, {title}")


def _not_yet(record: DeliveryRecord) -> str:
    """Return why there is no decision: nobody came to it, or it could not be made so far."""
    if not record.tries:
        return "waiting for the worker"
    times = "once" if record.tries == 1 else f"{record.tries} times"
    again = (
        "now" if record.again_at is None else f"at {record.again_at.isoformat(timespec='seconds')}"
    )
    return f"tried {times}, again {again}"
