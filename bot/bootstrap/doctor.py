"""What `previewbot doctor` looks at: small checks, each with what to do about it."""

import os
import platform
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from bot.bootstrap import doctor_records as records
from bot.bootstrap.doctor_targets import targets
from bot.bootstrap.findings import Check, Outcome, ok
from bot.bootstrap.platform import platform_config
from bot.kernel.processes import built_environment
from bot.settings import Settings
from bot.subhosting.config import SubhostingConfig
from bot.target_settings import TargetKind


def checks(given: Settings) -> list[Check]:
    """Look at everything; it takes about half a second, and GitHub's time to answer.

    Raises:
        ConfigurationProblem: the operator's file about the platform is wrong.

    """
    config = platform_config(given)
    looks: list[Callable[[], Sequence[Check]]] = [_python, _kernel, _git]
    if given.target is TargetKind.EMBEDDED:
        looks += [lambda: _deno(config), _bubblewrap, lambda: _isolation(config)]
    looks += [lambda: records.database(given), lambda: records.undecided(given)]
    looks += [lambda: records.disk(given)]
    looks += [lambda: targets(given)]
    looks += [lambda: _github(given)]
    return [check for look in looks for check in look()]


def _github(given: Settings) -> Sequence[Check]:
    """Ask GitHub, as the App of the settings, the one that was made, or with the token."""
    # PyGithub and SQLAlchemy, which an installation without GitHub need not import.
    from bot.bootstrap.made_app import as_made_app, made_app_in  # noqa: PLC0415

    settings = as_made_app(given, made_app_in(given))
    if not settings.uses_github:
        return [ok("github", "not connected: pushes come from repositories of our own")]
    from bot.bootstrap.doctor_github import look  # noqa: PLC0415

    return look(settings)


def _python() -> list[Check]:
    return [Check(name="python", outcome=Outcome.OK, found=platform.python_version())]


def _kernel() -> list[Check]:
    found = f"{platform.system()} {platform.release()} ({platform.machine()})"
    if platform.system() == "Linux":
        return [Check(name="kernel", outcome=Outcome.OK, found=found)]
    fix = "run previews of code that you do not trust on Linux"
    return [Check(name="kernel", outcome=Outcome.LACKING, found=found, fix=fix)]


def _git() -> list[Check]:
    found = _first_line(["git", "--version"])
    if found is None:
        fix = "install git: apt-get install git"
        return [Check(name="git", outcome=Outcome.PROBLEM, found="not installed", fix=fix)]
    return [Check(name="git", outcome=Outcome.OK, found=found)]


def _deno(config: SubhostingConfig) -> list[Check]:
    found = _first_line([str(config.deno), "--version"])
    if found is None:
        fix = "install the extra that brings it: pip install 'previewbot[subhosting]'"
        missing = f"{config.deno} does not run"
        return [Check(name="deno", outcome=Outcome.PROBLEM, found=missing, fix=fix)]
    return [Check(name="deno", outcome=Outcome.OK, found=found)]


def _bubblewrap() -> list[Check]:
    found = _first_line(["bwrap", "--version"])
    if found is None:
        fix = "install bubblewrap: apt-get install bubblewrap"
        return [Check(name="bubblewrap", outcome=Outcome.LACKING, found="not installed", fix=fix)]
    return [Check(name="bubblewrap", outcome=Outcome.OK, found=found)]


def _isolation(config: SubhostingConfig) -> list[Check]:
    """Try every layer, as the host does when it starts."""
    # Here, because most commands of the line need none of it.
    import uvloop  # noqa: PLC0415

    from bot.subhosting.host.probe import reach  # noqa: PLC0415
    from bot.subhosting.sandbox import cgroups  # noqa: PLC0415
    from bot.subhosting.sandbox.level import Level  # noqa: PLC0415

    if not config.deno.exists():
        return []
    groups = cgroups.found(f"previewbot-doctor-{os.getpid()}")
    try:
        with tempfile.TemporaryDirectory(prefix="previewbot-doctor-") as folder:
            isolation, _ = uvloop.run(reach(config, Path(folder) / "probe", groups))
    finally:
        if isinstance(groups, cgroups.Cgroups):
            groups.close()
    level = isolation.level
    enough = level >= Level.named(config.min_isolation)
    found = f"{level.name}: {', '.join(isolation.layers)}"
    fix = "" if enough else f"below the minimum {config.min_isolation}: see what is missing"
    reached = Check(
        name="isolation",
        outcome=Outcome.OK if enough else Outcome.PROBLEM,
        found=found,
        fix=fix,
    )
    lacking = [
        Check(name=each.layer, outcome=Outcome.LACKING, found=each.reason, fix=each.fix)
        for each in isolation.missing
    ]
    return [reached, *lacking]


def _first_line(command: list[str]) -> str | None:
    """Return the first line that a program prints about itself, or None if it does not run."""
    try:
        done = subprocess.run(  # noqa: S603 - constants, and the configured Deno
            command,
            env=built_environment(),
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return (done.stdout or done.stderr).strip().partition("\n")[0]
