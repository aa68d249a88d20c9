"""`previewbot demo`: the main road on this machine, offline, with nothing faked."""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from bot.adapters.local.repositories import Repositories
from bot.bootstrap.reader import open_reader
from bot.cli.demo_repository import WorkingCopy
from bot.cli.demo_watch import Preview, PushFailed, Watch, as_json
from bot.core.model.errors import BotError
from bot.core.model.ids import Branch, RepoName
from bot.core.render.terminal import printable_line
from bot.kernel.counting import noun
from bot.kernel.processes import built_environment
from bot.settings import Settings

REPOSITORY = RepoName("demo/hello")
MAIN = Branch("main")
FEATURE = Branch("feature/hello-world")


def run(words: Sequence[str]) -> int:
    """Show three pushes becoming previews; stay up for the browser unless told otherwise."""
    parser = argparse.ArgumentParser(prog="previewbot demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="end after the last preview is live")
    parser.add_argument("--json", action="store_true", help="print one JSON object as last line")
    options = parser.parse_args(words)
    console = Console(stderr=options.json)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        with _temporary_directory() as folder, _everything_up(folder) as address:
            previews = _three_pushes(folder, address, console)
            _show(previews, console)
            if options.json:
                done = {"ok": True, "previews": [as_json(preview) for preview in previews]}
                print(json.dumps(done), flush=True)
            if not options.once:
                _stay(previews, console, address)
    except (BotError, PushFailed, subprocess.CalledProcessError) as error:
        if options.json:
            print(json.dumps({"ok": False, "reason": str(error)}), flush=True)
        console.print(f"previewbot demo: {printable_line(str(error))}", style="red", markup=False)
        return 1
    except KeyboardInterrupt:
        console.print("\nStopped; nothing is left behind.")
    return 0


@contextmanager
def _temporary_directory() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="previewbot-demo-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _everything_up(folder: Path) -> Iterator[dict[str, str]]:
    """Run `previewbot up` on free ports in `folder` for as long as the block runs."""
    log_path = folder / "up.log"
    with log_path.open("wb") as output:
        up = subprocess.Popen(  # noqa: S603 - our own interpreter and package
            [
                *(sys.executable, "-m", "bot", "up", "--data", str(folder / "data"), "--json"),
                *("--port", "0", "--preview-port", "0", "--parent-pid", str(os.getpid())),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=output,
            text=True,
            env=built_environment(),
            process_group=0,  # Ctrl-C comes to us, and we end it in order
        )
    try:
        line = up.stdout.readline() if up.stdout is not None else ""
        if not line:
            reason = log_path.read_text(errors="replace").strip()
            raise PushFailed(f"`previewbot up` did not start: {reason}")
        yield json.loads(line)
    finally:
        up.terminate()
        up.wait()


def _three_pushes(folder: Path, address: dict[str, str], console: Console) -> list[Preview]:
    settings = Settings(data_dir=folder / "data")
    bare = Repositories(settings.data_dir).create(REPOSITORY, default_branch=MAIN)
    copy = WorkingCopy(folder / "work", bare.path)
    with open_reader(settings) as reader:
        watch = Watch(
            copy=copy,
            repository=bare.repository,
            reader=reader,
            previews_url=address["previews_url"],
        )
        first = _push(watch, MAIN, "Push main", console)
        copy.branch(FEATURE)
        copy.greet("Hello from feature/hello-world")
        second = _push(watch, FEATURE, "Push feature/hello-world", console)
        copy.greet("Hello again, one file later")
        third = _push(watch, FEATURE, "Push a one-file change", console)
    return [first, second, third]


def _push(watch: Watch, branch: Branch, what: str, console: Console) -> Preview:
    with console.status(what) as status:
        preview = watch.push(branch, show=lambda stage: status.update(f"{what}: {stage}"))
    files = noun(preview.files_total, "file")
    sent = f"{preview.files_sent} of {preview.files_total} {files} sent"
    console.print(f"[green]✓[/] {what}: {sent}, live after {preview.seconds_to_live:.2f} s")
    for name, took_ms, detail in preview.stages:
        console.print(
            f"    {name:<9} {took_ms:5.0f} ms  {printable_line(detail)}", style="dim", markup=False
        )
    return preview


def _show(previews: Sequence[Preview], console: Console) -> None:
    table = Table(box=SIMPLE_HEAD)
    for title in ("branch", "commit", "check"):
        table.add_column(title, overflow="fold")
    table.add_column("URL", overflow="fold", min_width=24)
    for title in ("files sent", "seconds"):
        table.add_column(title, justify="right")
    for preview in previews:
        table.add_row(
            preview.branch,
            preview.sha[:7],
            preview.check["conclusion"],
            preview.url,
            f"{preview.files_sent} of {preview.files_total}",
            f"{preview.seconds_to_live:.2f}",
        )
    console.print(table)


def _stay(previews: Sequence[Preview], console: Console, address: dict[str, str]) -> None:
    """Keep everything running until Ctrl-C or the end of the terminal."""
    for url in dict.fromkeys(preview.url for preview in previews):
        console.print(f"Open {url}/", soft_wrap=True)
    console.print(f"The bot's own pages: {address['dashboard_url']}", soft_wrap=True)
    console.print("Ctrl-C stops everything.")
    while True:
        signal.pause()


def _interrupt(_number: int, _frame: object) -> None:
    """End like Ctrl-C, so that everything is stopped in order."""
    raise KeyboardInterrupt
