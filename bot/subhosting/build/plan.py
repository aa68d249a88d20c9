"""What is run to make a deployment, and how it is served then, read from its configuration.

The configuration is the document that API v2 knows (`bot.wire.deploy_v2.Config`) and what Deno's
`deploy` key in deno.json knows on top: `memory_limit` in MB and `build_timeout` in seconds. It was
checked when it was stored.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bot.subhosting.store.records import DeploymentRecord, Document

# What the installing stage does by itself when an entry point needs packages; also v1's.
INSTALL = "deno install"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The commands of a build, None for what is not run, and the wishes for its process."""

    framework: str = ""
    install: str | None = None
    build: str | None = None
    predeploy: str | None = None
    # How it is served, as v2 spells it; None is found out after the build.
    runtime: Document | None = None
    timeout: timedelta | None = None
    # How much memory the process asked for.
    memory_mib: int | None = None

    @property
    def writes(self) -> bool:
        """Whether commands of the app's own run, which may write to its files."""
        return self.build is not None or self.predeploy is not None or self.installs_by_command

    @property
    def installs_by_command(self) -> bool:
        """Whether packages are installed by a command, before anybody looks at an entry point."""
        if self.install is None:
            return False
        return self.build is not None or self.install.strip() != INSTALL

    @property
    def static_folder(self) -> str | None:
        """The folder that is served as it is; None if a process serves."""
        if self.runtime is None or self.runtime.get("type") != "static":
            return None
        return str(self.runtime["cwd"])

    @property
    def single_page(self) -> bool:
        """Whether unknown paths of a static site belong to its first page."""
        return self.static_folder is not None and bool((self.runtime or {}).get("spa"))

    @property
    def arguments(self) -> tuple[str, ...]:
        """What the entry point is given on its command line."""
        return tuple((self.runtime or {}).get("args") or ())

    @property
    def working_directory(self) -> str:
        """Where the process runs, relative to the app's files."""
        if self.runtime is None or self.static_folder is not None:
            return "."
        return self.runtime.get("cwd") or "."


def plan_of(deployment: DeploymentRecord) -> Plan:
    """Return how a deployment is built; one of v1 has no configuration and runs no commands."""
    config: dict[str, Any] = dict(deployment.config or {})
    seconds = config.get("build_timeout")
    return Plan(
        framework=config.get("framework") or "",
        install=_command(config.get("install")),
        build=_command(config.get("build")),
        predeploy=_command(config.get("predeploy")),
        runtime=config.get("runtime"),
        timeout=None if seconds is None else timedelta(seconds=seconds),
        memory_mib=config.get("memory_limit"),
    )


def _command(text: str | None) -> str | None:
    """Return a command to run; an empty one is the same as none."""
    return text if text and text.strip() else None
