"""Tests that need a part of the system end *not run* where it is missing, and CI fails on them.

    @pytest.mark.needs_system_part("bubblewrap")

Not run is a category of its own, apart from skipped: it is counted in the last lines of the run,
with the command that installs the part. With CI=true the same test fails, because `.ci/run`
installs every part before it starts. Nothing here installs anything.
"""

import os
import shutil
from collections import Counter
from collections.abc import Callable, Generator
from dataclasses import dataclass

import pytest

from bot.subhosting.sandbox import landlock

MARKER = "needs_system_part"
NOT_RUN = "not run"
PROPERTY = "missing_system_part"

# The same words as in scripts/preflight.
PACKAGE_MANAGERS = {
    "apt-get": "apt-get install -y",
    "dnf": "dnf install -y",
    "pacman": "pacman -S --needed",
    "zypper": "zypper install -y",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemPart:
    """Something that pip cannot install."""

    package: str
    executable: str

    def is_missing(self) -> bool:
        """Return whether the executable is on no folder of PATH."""
        return shutil.which(self.executable) is None

    def how_to_install(self) -> str:
        """Return the exact command for this machine, as far as its package manager is known."""
        sudo = "" if os.geteuid() == 0 else "sudo "
        for manager, words in PACKAGE_MANAGERS.items():
            if shutil.which(manager):
                return f"{sudo}{words} {self.package}"
        return f"install {self.package} with this system's package manager"


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelPart:
    """Something that only another kernel, or other settings of it, can bring."""

    is_there: Callable[[], object]
    advice: str

    def is_missing(self) -> bool:
        """Return whether the kernel, asked, does not have it."""
        return not self.is_there()

    def how_to_install(self) -> str:
        """Return what to do."""
        return self.advice


PARTS: dict[str, SystemPart | KernelPart] = {
    "bubblewrap": SystemPart(package="bubblewrap", executable="bwrap"),
    "landlock": KernelPart(
        is_there=landlock.abi,
        advice="run Linux 5.13 or newer with landlock among its security modules (lsm=)",
    ),
}


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known, with what it means."""
    config.addinivalue_line(
        "markers",
        f"{MARKER}(name): not run where the part ({', '.join(PARTS)}) is missing; fails in CI",
    )


def pytest_runtest_setup(item: pytest.Item) -> None:
    """End a test whose part is missing before its fixtures start."""
    for marker in item.iter_markers(MARKER):
        name = marker.args[0]
        if name not in PARTS:
            pytest.fail(f"{name!r} is no system part; add it to {__name__}.PARTS", pytrace=False)
        part = PARTS[name]
        if not part.is_missing():
            continue
        if os.environ.get("CI", "").lower() == "true":
            message = f"{name} is missing; in CI it must be there: {part.how_to_install()}"
            pytest.fail(message, pytrace=False)
        item.user_properties.append((PROPERTY, name))
        pytest.skip(f"{name} is missing: {part.how_to_install()}")


@pytest.hookimpl(tryfirst=True)
def pytest_report_teststatus(
    report: pytest.CollectReport | pytest.TestReport,
) -> tuple[str, str, tuple[str, dict[str, bool]]] | None:
    """Put a test without its part in its own category, not among the skipped."""
    if isinstance(report, pytest.TestReport) and report.skipped and missing_parts(report):
        return NOT_RUN, "n", (NOT_RUN.upper(), {"yellow": True})
    return None


@pytest.hookimpl(wrapper=True, tryfirst=True)  # outermost, so that it writes after all others
def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter,
) -> Generator[None, object, object]:
    """Say last how many tests did not run, and what would make them."""
    result = yield
    counts = Counter(
        name
        for report in terminalreporter.stats.get(NOT_RUN, [])
        for name in missing_parts(report)
    )
    if counts:
        terminalreporter.write_sep("=", NOT_RUN, yellow=True)
    for name, count in sorted(counts.items()):
        tests = "1 test needs" if count == 1 else f"{count} tests need"
        command = PARTS[name].how_to_install()
        terminalreporter.write_line(f"{tests} {name}, which is missing here: {command}")
    return result


def missing_parts(report: pytest.TestReport) -> list[str]:
    """Return the names of the parts for want of which the test did not run."""
    return [str(value) for key, value in report.user_properties if key == PROPERTY]
