"""How `make test` shares the suite out among its workers: by file, so that what a file starts for
its tests is started once; a few folders go as one, and the long list of generated conformance
requests goes one by one.

What starts processes goes first, so that files of quick tests fill up the end. By number of tests,
which is pytest-xdist's own order, the last file is one with few tests that take minutes.
"""

import os

import pytest
from typing_extensions import override
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

# Each test of these stands alone, and takes a second.
SINGLY = ("tests/conformance/test_schemathesis.py",)
# What is below one of these shares what it starts among its files.
TOGETHER = ("tests/e2e/stories/",)
# In this order, then all others.
FIRST = ("tests/sandbox/", "tests/e2e/", "tests/subhosting/", "tests/conformance/")
MOST_WORKERS = 8


class ByFile(LoadScopeScheduling):  # type: ignore[misc]  # it has no types
    """Hands whole files to workers."""

    @override
    def _split_scope(self, nodeid: str) -> str:
        # The documented way to say what belongs together.
        file = nodeid.partition("::")[0]
        for folder in TOGETHER:
            if file.startswith(folder):
                return folder
        return nodeid if file in SINGLY else file


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what starts processes first; what was shuffled stays so within its folder."""
    items.sort(key=lambda item: _rank(item.nodeid))


def _rank(nodeid: str) -> int:
    found = (rank for rank, folder in enumerate(FIRST) if nodeid.startswith(folder))
    return next(found, len(FIRST))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFile:
    """Share out by file in the order of collection, whatever the command line says."""
    config.option.loadscopereorder = False
    return ByFile(config, log)


def pytest_xdist_auto_num_workers() -> int:
    """Return what `-n auto` means: one more than cores, as most tests wait for a process."""
    return min(cores() + 1, MOST_WORKERS)


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
