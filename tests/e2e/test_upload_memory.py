"""A site on its way to API v2: everything travels, and nothing of it piles up."""

import sys

import pytest

from benchmarks.upload.measuring import measured

MIB = 1024 * 1024


@pytest.mark.skipif(sys.platform != "linux", reason="a process's peak is read from /proc")
def test_the_worker_never_holds_a_site_that_it_uploads() -> None:
    found = measured(48 * MIB, rounds=1)

    assert found.rounds[0].bytes_sent > found.site.total_bytes
    assert found.above_idle_bytes < 32 * MIB, found


@pytest.mark.skipif(sys.platform != "linux", reason="a process's peak is read from /proc")
def test_the_worker_never_holds_a_large_file_that_it_uploads() -> None:
    found = measured(48 * MIB, rounds=1, one_file=True)

    assert found.rounds[0].bytes_sent > found.site.total_bytes
    assert found.above_idle_bytes < 24 * MIB, found
