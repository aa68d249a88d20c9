"""A missing part of the system is counted at home and fatal in CI."""

from pathlib import Path

import pytest

TESTS = """
    import pytest

    @pytest.mark.needs_system_part("bubblewrap")
    def test_in_a_sandbox():
        pass

    @pytest.mark.needs_system_part("bubblewrap")
    def test_in_another_sandbox():
        pass

    def test_anywhere():
        pass
"""


@pytest.fixture
def path(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the only folder of PATH, empty but for a package manager."""
    folder = pytester.mkdir("path")
    executable(folder / "apt-get")
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # they take a second per worker
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    pytester.makeconftest('pytest_plugins = ["tests.plugins.system_parts"]')
    pytester.makepyfile(TESTS)
    return folder


def executable(file: Path) -> None:
    file.write_text("#!/bin/sh\n")
    file.chmod(0o755)


@pytest.mark.usefixtures("path")
@pytest.mark.parametrize("workers", [0, 2])
def test_without_the_part_the_tests_are_not_run_and_the_last_lines_say_how_to_get_it(
    pytester: pytest.Pytester, workers: int
) -> None:
    result = pytester.runpytest_inprocess("-p", "xdist", "-ra", f"-n{workers}")

    assert result.ret == pytest.ExitCode.OK
    assert result.outlines[-3].strip("= ") == "not run"
    assert result.outlines[-2] == (
        "2 tests need bubblewrap, which is missing here: sudo apt-get install -y bubblewrap"
    )
    assert "1 passed, 2 not run" in result.outlines[-1]
    result.stdout.no_fnmatch_line("*SKIPPED*")


@pytest.mark.usefixtures("path")
@pytest.mark.parametrize("workers", [0, 2])
def test_in_ci_a_missing_part_is_a_failure(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    monkeypatch.setenv("CI", "true")

    result = pytester.runpytest_inprocess("-p", "xdist", f"-n{workers}")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.assert_outcomes(passed=1, errors=2)
    result.stdout.fnmatch_lines(["*bubblewrap is missing; in CI it must be there*"])


def test_with_the_part_there_the_tests_run_and_nothing_is_said(
    pytester: pytest.Pytester, path: Path
) -> None:
    executable(path / "bwrap")

    result = pytester.runpytest_inprocess()

    result.assert_outcomes(passed=3)
    result.stdout.no_fnmatch_line("*not run*")


@pytest.mark.usefixtures("path")
def test_a_part_that_nobody_knows_is_an_error(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.needs_system_part("gas-lamp")
        def test_by_night():
            pass
        """
    )

    result = pytester.runpytest_inprocess()

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*'gas-lamp' is no system part*"])
