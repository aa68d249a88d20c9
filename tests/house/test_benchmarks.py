"""What the benchmarks say of their goals, and of peers that could not be measured."""

import subprocess

from benchmarks.document import Goal, goals_text, machine, status, versions
from benchmarks.redeploy.peers import PEERS, tried
from benchmarks.redeploy.report import Absent, Row, goals_of, table

WORKER, COMMAND = "worker", "command"


def row(name: str, seconds: float, version: str = "") -> Row:
    return Row(name=name, version=version, seconds=seconds, bytes_up=None, requests=None)


def test_the_best_of_the_others_may_be_the_plain_clone() -> None:
    rows = [row(WORKER, 0.1), row(COMMAND, 0.5), row("peer", 2.0, "1.0"), row("clone", 1.0)]

    goals = goals_of({100: rows}, worker=WORKER, command=COMMAND)

    assert goals == [
        Goal(found="worker: 10.0 times faster than clone", wanted="at least 15", kept=False),
        Goal(found="command: 2.0 times faster than clone", wanted="at least 3", kept=False),
    ]


def test_growth_is_a_goal_for_both_of_ours() -> None:
    small, large = [row(WORKER, 0.1), row(COMMAND, 0.5)], [row(WORKER, 0.2), row(COMMAND, 0.5)]

    goals = goals_of({100: small, 1_000: large}, worker=WORKER, command=COMMAND)

    assert [goal.kept for goal in goals] == [False, True]
    assert goals[0].found == "worker: 2.00 times the time from 100 to 1,000 files"


def test_a_missed_goal_shows_in_the_text_and_in_the_exit_code() -> None:
    kept = Goal(found="1 of the limit", wanted="at most 2", kept=True)
    missed = Goal(found="3 of the limit", wanted="at most 2", kept=False)

    assert goals_text([kept, missed]) == (
        "- 1 of the limit (goal: at most 2)\n- 3 of the limit (goal: at most 2; missed)"
    )
    assert (status([kept]), status([kept, missed])) == (0, 1)


def test_a_peer_that_was_not_measured_is_listed() -> None:
    absent = Absent(name="peer 1.0", reason="Tried: `peer`; exit code 1: no such option.")

    text = table({100: [row(WORKER, 0.1)]}, [absent], worker=WORKER)

    assert text.endswith("Not measured: peer 1.0. Tried: `peer`; exit code 1: no such option.")


def test_what_was_tried_with_a_peer_is_told_in_words() -> None:
    netlify = next(each for each in PEERS if each.name == "netlify")
    error = subprocess.CalledProcessError(
        2, ["netlify"], stderr="\x1b[31mno such\n  option\x1b[0m"
    )

    assert tried(netlify, 80, error) == (
        "Tried: `NETLIFY_API_URL=http://127.0.0.1:80 NETLIFY_TELEMETRY_DISABLED=1 netlify deploy "
        "--no-build --dir=. --site s --auth tok`; exit code 2: no such option."
    )
    assert tried(netlify, 80, None).endswith("; it ended well, and had asked the stub nothing.")


def test_figures_stand_beside_what_they_depend_on() -> None:
    assert " processors (" in machine()
    assert " GiB of memory" in machine()
    assert [each.split()[0] for each in versions().split(", ")][:4] == [
        *("previewbot", "git", "Python", "deno"),
    ]
