"""`previewbot migrate`: from a server of v1 to another of v2, both real."""

import base64
import logging
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import pytest
import structlog

from bot.cli import migrate
from tests.e2e.two_servers import ASSETS, Move, labels, live
from tests.subhosting.domains.world import World, running_world

_NUMBERS = count(1)


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, World]]:
    with ExitStack() as stack:
        folder = tmp_path_factory.mktemp("migrate")
        old, new = (
            stack.enter_context(running_world(folder / name / "data")) for name in ("old", "new")
        )
        yield old, new


@pytest.fixture
def move(
    worlds: tuple[World, World], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Iterator[Move]:
    """Hand out servers without projects and domains."""
    old, new = worlds
    handlers = logging.getLogger().handlers[:]
    yield Move(old, new, tmp_path, capsys)
    # The command runs in this process, and its log went to a standard error of this test alone.
    structlog.reset_defaults()
    logging.getLogger().handlers[:] = handlers
    for project in old.v1("GET", f"/organizations/{old.server.organization}/projects").json:
        old.v1("DELETE", f"/projects/{project['id']}")
    for domain in old.v1("GET", f"/organizations/{old.server.organization}/domains").json:
        old.v1("DELETE", f"/domains/{domain['id']}")


@pytest.fixture
def name() -> str:
    return f"shop-{next(_NUMBERS)}"


def test_a_project_arrives_with_files_variables_and_a_running_app(move: Move, name: str) -> None:
    live(move.old.server, name, envVars={"GREETING": "hello"})

    code, report = move.run()

    assert (code, report[name]["fate"]) == (0, "moved"), report
    assert move.new.server.get(f"{name}.localhost").text == "moved, hello"
    app = move.new.v2("GET", f"/apps/{name}").json
    assert [(each["key"], each["secret"]) for each in app["env_vars"]] == [("GREETING", True)]
    assert app["config"]["runtime"] == {"type": "dynamic", "entrypoint": "main.ts"}
    assert app["config"]["install"] == "deno install"


def test_large_files_arrive_whole(move: Move, name: str) -> None:
    text = "a line of text\n" * 100_000
    odd = base64.b64encode(text.encode() + b"\xff").decode()  # which begins as text
    project = move.old.server.new_project(name)
    tells = """
const sizes = ["text", "odd"].map((name) => Deno.statSync(new URL(name, import.meta.url)).size);
const [end] = Deno.readFileSync(new URL("odd", import.meta.url)).slice(-1);
Deno.serve(() => Response.json([...sizes, end]));
"""
    move.old.server.deployed(
        project["id"],
        {
            "main.ts": tells,
            "text": text,
            "odd": {"kind": "file", "encoding": "base64", "content": odd},
        },
        domains=[f"{name}.localhost"],
    )

    code, report = move.run()

    assert (code, report[name]["fate"]) == (0, "moved"), report
    assert move.new.server.get(f"{name}.localhost").json == [1_500_000, 1_500_001, 255]


def test_a_dry_run_says_the_same_and_writes_nothing(move: Move, name: str) -> None:
    live(move.old.server, name)

    code, report = move.run("--dry-run")

    assert (code, report[name]["fate"], report[name]["to"]) == (0, "would-move", name)
    assert move.new.v2("GET", f"/apps/{name}").status == 404


def test_a_second_run_finds_everything_there_and_makes_nothing_new(move: Move, name: str) -> None:
    live(move.old.server, name)
    move.run()

    code, report = move.run()

    assert (code, report[name]["fate"]) == (0, "already-there")
    assert len(move.new.v2("GET", f"/apps/{name}/revisions").json) == 1


def test_a_newer_deployment_since_the_last_run_arrives_whole(move: Move, name: str) -> None:
    made = live(move.old.server, name, envVars={"GREETING": "hello", "GONE": "1", "TAKEN": "1"})
    assert move.run()[0] == 0
    theirs = [
        {"key": "THEIRS", "value": "2"},
        {"key": "GONE", "value": "3", "contexts": ["production"]},
        {"key": "TAKEN", "delete": True},
    ]
    labelled = {**labels(move, name), "team": "theirs"}
    move.new.v2("PATCH", f"/apps/{name}", {"env_vars": theirs, "labels": labelled})
    shows = "Deno.serve(() => new Response(JSON.stringify(Deno.env.toObject())));"
    move.old.server.deployed(
        made["projectId"],
        {"other.ts": shows},
        entryPointUrl="other.ts",
        domains=[f"{name}.localhost"],
        envVars={"GREETING": "good bye", "NEW": "4"},
    )

    code, report = move.run()

    assert (code, report[name]["fate"]) == (0, "moved"), report
    served = move.new.server.get(f"{name}.localhost").json
    seen = {key: served.get(key) for key in ("GREETING", "GONE", "TAKEN", "NEW", "THEIRS")}
    assert seen == {"GREETING": "good bye", "GONE": "3", "TAKEN": None, "NEW": "4", "THEIRS": "2"}
    assert labels(move, name) == {
        "custom.v1-project": made["projectId"],
        "custom.v1-variables": ["GREETING", "NEW"],
        "team": "theirs",
    }


def test_a_variable_that_was_there_before_v1_had_it_stays_when_v1_drops_it(
    move: Move, name: str
) -> None:
    made = live(move.old.server, name)
    move.run()
    move.new.v2("PATCH", f"/apps/{name}", {"env_vars": [{"key": "GREETING", "value": "theirs"}]})
    for variables in ({"GREETING": "of v1"}, {}):
        fields = {"domains": [f"{name}.localhost"], "envVars": variables}
        move.old.server.deployed(made["projectId"], ASSETS, **fields)
        assert move.run()[0] == 0

    app = move.new.v2("GET", f"/apps/{name}").json

    assert [each["key"] for each in app["env_vars"]] == ["GREETING"]


def test_a_variable_stays_while_the_revision_without_it_does_not_build(
    move: Move, name: str
) -> None:
    made = live(move.old.server, name, envVars={"GREETING": "hello"})
    move.run()
    database = f"/organizations/{move.old.server.organization}/databases"
    linked = {"default": move.old.v1("POST", database, {}).json["id"]}
    broken = "await Deno.openKv(); Deno.serve(() => new Response());"
    fields = {"domains": [f"{name}.localhost"], "databases": linked}
    move.old.server.deployed(made["projectId"], {"main.ts": broken}, **fields)

    code, report = move.run()

    assert (code, report[name]["fate"]) == (1, "failed")
    assert move.new.server.get(f"{name}.localhost").text == "moved, hello"


def test_a_run_that_ended_between_app_and_revision_is_taken_up(move: Move, name: str) -> None:
    made = live(move.old.server, name, envVars={"GREETING": "again"})
    config = {"runtime": {"type": "dynamic", "entrypoint": "main.ts"}}
    labels = {"custom.v1-project": made["projectId"]}
    move.new.v2("POST", "/apps", {"slug": name, "labels": labels, "config": config})

    code, report = move.run()

    assert (code, report[name]["fate"]) == (0, "moved"), report
    assert move.new.server.get(f"{name}.localhost").text == "moved, again"


def test_a_custom_domain_waits_for_its_owner_and_then_leads_to_the_app(
    move: Move, name: str
) -> None:
    host = f"{name}.example"
    move.old.verified(host)
    live(move.old.server, name, domains=[f"{name}.localhost", host])

    waiting, first = move.run()
    move.prove(host)
    done, second = move.run()

    assert (waiting, first[host]["fate"]) == (1, "waiting")
    assert any("_acme-challenge" in note for note in first[host]["notes"])
    assert (done, second[host]["fate"], second[host]["to"]) == (0, "already-there", host), second
    assert move.new.server.get(host).text == "moved, -"


def test_a_domain_and_its_wildcard_become_one_and_lead_to_each_host(move: Move, name: str) -> None:
    base = f"{name}.example"
    for domain in (base, f"*.{base}"):
        move.old.verified(domain)
    live(move.old.server, name, domains=[base, f"www.{base}"])
    move.run()
    move.prove(base)

    code, report = move.run()

    assert code == 0, report
    assert move.new.v2("GET", f"/domains/{base}").json["kind"] == "base_and_wildcard"
    assert move.new.server.get(f"www.{base}").text == "moved, -"
    assert move.new.server.get(base).text == "moved, -"


def test_each_deployment_with_a_domain_of_its_own_becomes_an_app(move: Move, name: str) -> None:
    made = live(move.old.server, name, envVars={"GREETING": "shop"})
    host = f"auth.{name}.example"
    move.old.verified(host)
    auth = {"domains": [host], "envVars": {"GREETING": "auth"}}
    move.old.server.deployed(made["projectId"], ASSETS, **auth)
    move.run()
    move.prove(host)

    code, report = move.run()

    assert code == 0, report
    function = report[f"{name} at {host}"]
    assert (function["kind"], function["fate"]) == ("function", "already-there")
    assert report[host]["to"] == host
    assert move.new.server.get(host).text == "moved, auth"
    assert move.new.server.get(f"{name}-auth.localhost").text == "moved, auth"
    assert move.new.server.get(f"{name}.localhost").text == "moved, shop"
    together = move.new.v2("GET", f"/apps?labels[custom.v1-project]={made['projectId']}").json
    assert {each["slug"] for each in together} == {name, f"{name}-auth"}


@pytest.mark.parametrize("prefix", ["", "*."])
def test_a_domain_whose_app_does_not_start_over_there_has_failed_and_waits_for_nobody(
    move: Move, name: str, prefix: str
) -> None:
    old, host = move.old, f"{name}.example"
    for domain in {host, prefix + host}:
        old.verified(domain)
    database = old.v1("POST", f"/organizations/{old.server.organization}/databases", {}).json
    app = {"main.ts": "await Deno.openKv(); Deno.serve(() => new Response());"}
    linked = {"domains": ["auth." * bool(prefix) + host], "databases": {"default": database["id"]}}
    old.server.deployed(live(old.server, name)["projectId"], app, **linked)
    move.run()
    move.prove(host)

    code, report = move.run()

    assert (code, report[name]["fate"]) == (1, "already-there")
    assert report[prefix + host]["fate"] == "failed"
    assert "nothing answers at" in report[prefix + host]["notes"][0]


def test_what_v2_has_no_word_for_is_said(move: Move, name: str) -> None:
    live(move.old.server, name, requestTimeout=9000, permissions={"net": []})

    _, report = move.run()

    notes = " ".join(report[name]["notes"])
    assert "requestTimeout" in notes
    assert "permissions.net" in notes


def test_a_slug_that_is_somebody_else_s_fails_that_project_alone(move: Move, name: str) -> None:
    live(move.old.server, name)
    move.new.v2("POST", "/apps", {"slug": name})

    code, report = move.run()

    assert (code, report[name]["fate"]) == (1, "failed")
    assert "409" in report[name]["notes"][0]


def test_an_app_that_cannot_start_over_there_is_reported_and_tried_again(
    move: Move, name: str
) -> None:
    old = move.old.server
    database = move.old.v1("POST", f"/organizations/{old.organization}/databases", {}).json
    project = old.new_project(name)
    app = "await Deno.openKv(); Deno.serve(() => new Response());"
    old.deployed(project["id"], {"main.ts": app}, databases={"default": database["id"]})

    code, report = move.run()
    move.run()

    assert (code, report[name]["fate"]) == (1, "failed")
    assert report[name]["notes"][0].startswith("its build failed: ")
    revisions = move.new.v2("GET", f"/apps/{name}/revisions").json
    assert [each["status"] for each in revisions] == ["failed", "failed"]


def test_a_project_that_never_worked_is_left_where_it_is(move: Move, name: str) -> None:
    move.old.server.new_project(name)

    code, report = move.run()

    assert (code, report[name]["fate"]) == (0, "nothing-to-move")


def test_a_wrong_token_is_said_once_and_shown_nowhere(
    move: Move, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    live(move.old.server, name)
    words = move.words()
    (move.tokens / "old").write_text("ddo_wrong_and_secret")

    code = migrate.run(words)

    said = capsys.readouterr()
    assert code == 1
    assert "the old platform refused (401" in said.err
    assert "wrong_and_secret" not in said.err + said.out


@pytest.mark.parametrize(
    ("option", "value", "problem"),
    [
        ("--from", "https://old.example/v1", "must look like v1:https://HOST/v1"),
        ("--from", "v1:http://old.example/v1", "to this machine only"),
        ("--to", "v2:https://new.example", "must end in /v2"),
        ("--to-token-file", "/nowhere/token", "cannot be read"),
    ],
)
def test_a_wrong_option_is_named(
    move: Move, option: str, value: str, problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = move.words()
    words[words.index(option) + 1] = value

    assert migrate.run(words) == 1

    said = capsys.readouterr().err
    assert option.removesuffix("-token-file") in said
    assert problem in said


def test_the_report_for_people_ends_in_a_sum(
    move: Move, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    live(move.old.server, name)

    assert migrate.run(move.words()) == 0

    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"project {name}: moved -> {name}.localhost")
    assert lines[-1] == "1 moved"


def test_contents_of_another_project_are_not_given_out(move: Move, name: str) -> None:
    made = live(move.old.server, name)
    other = move.old.server.new_project(f"{name}-other")
    source = move.old.v1("GET", f"/deployments/{made['id']}/source").json
    sha1 = source["assets"]["real.ts"]["gitSha1"]

    own = move.old.v1("GET", f"/projects/{made['projectId']}/contents/{sha1}")
    foreign = move.old.v1("GET", f"/projects/{other['id']}/contents/{sha1}")
    way_out = move.old.v1("GET", f"/projects/{made['projectId']}/contents/..%2f..%2fstore.db")

    assert own.text == ASSETS["real.ts"]
    assert (foreign.status, way_out.status) == (404, 404)
