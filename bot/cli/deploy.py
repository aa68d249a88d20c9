"""`previewbot deploy [DIR]`: the main road from a directory, without a server of ours.

Made for workflows: it starts fast, writes the Action's outputs, and says everything else on
standard error, in one line a thing.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from bot.bootstrap.ahead import looking_ahead


def run(words: Sequence[str]) -> int:
    """Deploy and return 0 when the URL serves what was sent."""
    options = _parser().parse_args(words)
    with looking_ahead(options.directory) as ahead:
        from bot.cli.deploying import deploy  # noqa: PLC0415 - takes as long as the look

        return deploy(options, ahead)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="previewbot deploy", description=__doc__)
    parser.add_argument("directory", nargs="?", type=Path, default=Path(), metavar="DIR")
    parser.add_argument("--branch", required=True, help="names the stable URL")
    parser.add_argument("--app", metavar="NAME", help="one of the configuration's several apps")
    parser.add_argument("--project", help="project on the platform; default: by repository")
    parser.add_argument("--entrypoint", help="file that starts the app; default: found by name")
    parser.add_argument("--sha", help="commit that the directory holds; default: asked of git")
    parser.add_argument("--json", action="store_true", help="print one JSON object as last line")
    return parser
