"""The composite action: valid, and no input ever becomes part of a script."""

import re
import subprocess
import sys
from typing import TypedDict, cast

import pytest
import yaml

from tests.house.machine import ROOT, Machine


class Step(TypedDict, total=False):
    """A step of a composite action, as far as we look at it."""

    id: str
    shell: str
    run: str
    env: dict[str, str]


class Runs(TypedDict):
    """What the action does."""

    steps: list[Step]


class Action(TypedDict):
    """The action's file."""

    inputs: dict[str, dict[str, str]]
    outputs: dict[str, dict[str, str]]
    runs: Runs


FILE = ROOT / "action.yml"
ACTION = cast("Action", yaml.safe_load(FILE.read_text(encoding="utf-8")))
STEPS = ACTION["runs"]["steps"]
DEPLOY = next(step for step in STEPS if step.get("id") == "deploy")


@pytest.mark.parametrize(
    ("schema", "file"),
    [
        ("vendor.github-actions", "action.yml"),
        ("vendor.github-workflows", ".github/workflows/ci.yml"),
    ],
)
def test_it_follows_the_published_schema(schema: str, file: str) -> None:
    checked = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, ROOT / file],
        capture_output=True,
        text=True,
        check=False,
    )

    assert checked.returncode == 0, checked.stdout


def test_no_expression_stands_inside_a_script() -> None:
    assert [step["run"] for step in STEPS if "${{" in step.get("run", "")] == []


def test_every_script_names_its_shell() -> None:
    assert [step for step in STEPS if "run" in step and "shell" not in step] == []


def test_every_input_travels_through_the_environment() -> None:
    passed = " ".join(DEPLOY["env"].values())

    assert set(re.findall(r"inputs\.([a-z-]+)", passed)) == set(ACTION["inputs"])


def test_inputs_and_outputs_are_kebab_case_and_explained() -> None:
    named = ACTION["inputs"] | ACTION["outputs"]

    assert [name for name in named if not re.fullmatch(r"[a-z]+(-[a-z]+)*", name)] == []
    assert [name for name, facts in named.items() if not facts.get("description")] == []


def test_it_promises_the_url_the_deployment_and_the_status() -> None:
    assert {name: output["value"] for name, output in ACTION["outputs"].items()} == {
        name: f"${{{{ steps.deploy.outputs.{name} }}}}"
        for name in ("url", "deployment-id", "status")
    }


@pytest.fixture
def runner(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """Return a runner on which `previewbot` writes down its arguments."""
    temp = tmp_path_factory.mktemp("runner")
    machine = Machine(temp / "path", scripts=temp)
    machine.has_real("bash", "env")
    script = temp / "deploy.sh"
    script.write_text("#!/usr/bin/env -S bash -e\n" + DEPLOY["run"])
    script.chmod(0o755)
    command = temp / "previewbot" / "bin" / "previewbot"
    command.parent.mkdir(parents=True)
    command.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    command.chmod(0o755)
    return machine


def test_hostile_inputs_stay_single_arguments(runner: Machine) -> None:
    inputs = {
        "INPUT_DIRECTORY": "--upload-pack=touch x",
        "INPUT_APP": "'web",
        "INPUT_ENTRYPOINT": "$(touch x).ts",
        "INPUT_BRANCH": "a;b\" `id` 'c",
        "INPUT_PROJECT": "-p",
        "INPUT_SHA": "$HOME",
    }

    ended = runner.runs("deploy.sh", RUNNER_TEMP=str(runner.folder.parent), **inputs)

    assert ended.stdout.splitlines() == [
        "deploy",
        "--json",
        f"--branch={inputs['INPUT_BRANCH']}",
        f"--project={inputs['INPUT_PROJECT']}",
        f"--sha={inputs['INPUT_SHA']}",
        f"--app={inputs['INPUT_APP']}",
        f"--entrypoint={inputs['INPUT_ENTRYPOINT']}",
        "--",
        inputs["INPUT_DIRECTORY"],
    ]
