"""`make test` shares the suite out by file, and tells everything that one process would tell."""

import pytest

from tests.plugins import workers

# Each test leaves behind which worker ran it.
TESTS = """
    import os
    from pathlib import Path

    import pytest

    @pytest.mark.parametrize("number", range(5))
    def test_it(number):
        with Path(__file__).with_suffix(".ran").open("a") as ran:
            ran.write(os.environ["PYTEST_XDIST_WORKER"] + "\\n")
"""


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """Return a suite of three files, to be run by two workers."""
    monkeypatch.setattr(workers, "cores", lambda: 1)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # they take a second per worker
    pytester.makeconftest('pytest_plugins = ["tests.plugins.workers"]')
    pytester.makepyfile(test_one=TESTS, test_two=TESTS, test_three=TESTS)
    return pytester


def ran_by(suite: pytest.Pytester, name: str) -> list[str]:
    return (suite.path / f"{name}.ran").read_text().splitlines()


def test_a_file_stays_with_one_worker(suite: pytest.Pytester) -> None:
    result = suite.runpytest_inprocess("-p", "xdist", "-n", "auto")

    result.assert_outcomes(passed=15)
    result.stdout.fnmatch_lines(["*2 workers*"])
    for name in ("test_one", "test_two", "test_three"):
        assert len(ran_by(suite, name)) == 5
        assert len(set(ran_by(suite, name))) == 1


def test_a_folder_that_belongs_together_stays_with_one_worker(
    suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "TOGETHER", ("test_t",))  # a beginning of two of the names

    result = suite.runpytest_inprocess("-p", "xdist", "-n", "auto")

    result.assert_outcomes(passed=15)
    assert set(ran_by(suite, "test_two")) == set(ran_by(suite, "test_three"))


def test_what_stands_alone_is_shared_out_singly(
    suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "SINGLY", ("test_one.py",))

    result = suite.runpytest_inprocess("-p", "xdist", "-n", "auto", "test_one.py")

    result.assert_outcomes(passed=5)
    assert set(ran_by(suite, "test_one")) == {"gw0", "gw1"}
