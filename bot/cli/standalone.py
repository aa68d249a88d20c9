"""The embedded server without the bot: its API and its host, kept alive by one parent."""

import argparse
import fcntl
import json
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot import logs
from bot.bootstrap import platform_operator
from bot.bootstrap.places import platform_dir
from bot.cli.listen import bound
from bot.cli.start import start_settings
from bot.cli.supervisor import ChildPlan, Supervisor
from bot.core.model.errors import ConfigurationProblem
from bot.kernel.processes import die_with_parent
from bot.kernel.runtime_dir import runtime_directory
from bot.settings import Settings
from bot.target_settings import TargetKind

DEFAULT_PORT = 8000


def run(options: argparse.Namespace) -> int:
    """Serve until a signal."""
    if options.parent_pid is not None:
        die_with_parent(options.parent_pid)
    given = start_settings(
        data_dir=options.data,
        api_port=options.port,
        preview_port=options.preview_port,
        target=TargetKind.EMBEDDED,
    )
    if options.port is None and not given.api_port:
        given = given.with_values(api_port=DEFAULT_PORT)
    # Apps' files are other people's source: for this user alone, whatever the directory's mode.
    os.umask(0o077)
    data_dir = given.data_dir.expanduser().resolve()
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    logs.configure("subhosting", given.secrets())
    with _alone(data_dir):
        api = bound(given.bind, given.api_port, "PREVIEWBOT_API_PORT")
        previews = bound(
            given.bind, given.preview_port, "PREVIEWBOT_PREVIEW_PORT", shared=given.routers > 1
        )
        settings = _completed(given, data_dir, api, previews)
        started = platform_operator.start(settings)
        address = {
            "api_url": settings.target_url,
            "previews_url": settings.previews_url,
            "organization": started.organization.id,
            "token": started.token,
        }
        log_dir = data_dir / "logs"
        log_dir.mkdir(mode=0o700, exist_ok=True)
        try:
            supervisor = Supervisor(_plans(settings, api, previews), log_dir)
            supervisor.run(lambda: _announce(address, as_json=options.json))
        finally:
            directory = runtime_directory(platform_dir(settings))
            shutil.rmtree(directory, ignore_errors=True)
    return 0


@contextmanager
def _alone(data_dir: Path) -> Iterator[None]:
    """Hold the data directory; the same lock as that of `previewbot up`, which serves it too.

    Raises:
        ConfigurationProblem: somebody else holds it.

    """
    with (data_dir / "up.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigurationProblem(
                "PREVIEWBOT_DATA_DIR",
                f"another previewbot serves {data_dir}; stop it or choose another directory",
            ) from None
        yield


def _completed(
    given: Settings, data_dir: Path, api: socket.socket, previews: socket.socket
) -> Settings:
    """Fill in the ports that we got, and what follows from them."""
    api_port, preview_port = api.getsockname()[1], previews.getsockname()[1]
    # The platform is another product: it gets nothing that belongs to the bot.
    return given.for_platform().with_values(
        data_dir=data_dir,
        api_port=api_port,
        preview_port=preview_port,
        previews_url=given.previews_url or f"http://*.localhost:{preview_port}",
        target_url=given.target_url or f"http://127.0.0.1:{api_port}",
    )


def _plans(settings: Settings, api: socket.socket, previews: socket.socket) -> list[ChildPlan]:
    return [
        ChildPlan(
            name=f"subhosting-{part}",
            arguments=["subhosting", part],
            settings=settings,
            listener=listener,
        )
        for part, listener in (("api", api), ("host", previews))
    ]


def _announce(address: dict[str, str | None], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(address), flush=True)
        return
    print(f"API            {address['api_url']}")
    print(f"Previews       {address['previews_url']}")
    print(f"Organization   {address['organization']}")
    hint = "made at the first start; `previewbot subhosting token create` makes another"
    print(f"Token          {address['token'] or hint}", flush=True)
