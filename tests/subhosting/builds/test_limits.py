"""What the commands of one build may use, and what becomes of those that use more."""

import signal
from collections.abc import Iterator

import pytest

from tests.subhosting.builds.app import deploy, deployed, log, said, sleepers, with_commands
from tests.subhosting.server import RunningSubhosting, wait_until
from tests.subhosting.v2.client import ended, new_app, progress, says

APP = {"main.ts": says("x")}


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSubhosting]:
    limits = {
        "timeout": 3,
        "memory_bytes": 200_000_000,
        "log_bytes": 20_000,
        "tree_bytes": 2_000_000,
        "file_bytes": 5_000_000,
    }
    data_dir = tmp_path_factory.mktemp("strict") / "data"
    with RunningSubhosting(data_dir, build=limits) as running:
        yield running


def test_a_command_that_takes_too_long_is_stopped(strict: RunningSubhosting) -> None:
    app = new_app(strict)

    late = deployed(strict, app["id"], APP, config=with_commands(build="echo on; sleep 1234"))

    assert (late["status"], late["failure_reason"]) == ("failed", "timed_out")
    assert said(strict, late["id"])[-2:] == [
        "on",
        "The command took longer than 3 s and was stopped",
    ]
    assert progress(strict, late["id"])[-1]["building"]["status"] == "timed_out"


def test_a_build_that_eats_the_memory_is_stopped(strict: RunningSubhosting) -> None:
    app = new_app(strict)
    eats = "const kept = []; while (true) kept.push(new Uint8Array(2e7).fill(1));"
    config = with_commands(build=f"deno eval '{eats}'")

    large = deployed(strict, app["id"], APP, config=config)

    assert large["failure_reason"] == "error"
    assert "needed more than 190 MB of memory" in said(strict, large["id"])[-1]


def test_a_build_that_talks_too_much_goes_on_unheard(strict: RunningSubhosting) -> None:
    app = new_app(strict)
    config = with_commands(build="yes 'a line of the log' | head -n 100000")

    live = deployed(strict, app["id"], APP, config=config)

    assert live["status"] == "succeeded"
    lines = log(strict, live["id"])
    assert len(lines) < 1500
    dropped = [line for line in lines if line["level"] == "warn"]
    assert [line["message"].split(":")[0] for line in dropped] == ["lines dropped"]
    assert "Serving after" in lines[-1]["message"]


def test_a_build_that_leaves_too_much_behind_fails(strict: RunningSubhosting) -> None:
    app = new_app(strict)
    config = with_commands(build="head -c 4000000 /dev/zero > large")

    full = deployed(strict, app["id"], APP, config=config)

    assert full["failure_reason"] == "error"
    assert "The build left 3 MB behind; the limit is 1 MB" in said(strict, full["id"])[-1]


def test_a_build_begins_anew_after_the_host_was_killed(
    strict: RunningSubhosting, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = new_app(strict)
    once = strict.data_dir / "let-it-pass"
    build = f"echo begun; echo x >> made.txt; [ -e {once} ] || sleep 1234.25"
    source = 'const made = await Deno.readTextFile("made.txt");' + says("x").replace('"x"', "made")
    made = deploy(strict, app["id"], {"main.ts": source}, config=with_commands(build=build))
    revision = made.json["id"]
    folder = strict.data_dir / "deployments" / revision
    wait_until((folder / "src" / "made.txt").exists, "the command to write")

    strict.stop_host(signal.SIGKILL)
    half_built = (folder / "built").exists()
    once.touch()
    # From here on commands may find out that files of ours exist, though not read them.
    monkeypatch.setitem(strict.settings, "highest_isolation", "L1")
    strict.start_host()
    left_behind = sleepers(str(folder))
    live = ended(strict, revision)

    assert (half_built, left_behind) == (False, [])
    assert live["status"] == "succeeded", said(strict, revision)
    assert strict.get(f"{app['slug']}.localhost").text == "x\n"
    assert said(strict, revision).count("begun") == 1


def test_a_fork_bomb_ends_with_its_build(strict: RunningSubhosting) -> None:
    app = new_app(strict)
    # Each starts two more, seven deep, and waits for ever.
    bomb = "b() { [ $1 -gt 6 ] || { b $(($1 + 1)) & b $(($1 + 1)) & }; sleep 1234.75; }; b 0"

    late = deployed(strict, app["id"], APP, config=with_commands(build=bomb))

    assert late["failure_reason"] == "timed_out"
    assert sleepers(str(strict.data_dir / "deployments" / late["id"])) == []
