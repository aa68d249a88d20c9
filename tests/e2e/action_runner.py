"""Runs the steps of `action.yml` as a runner does: real bash, expressions filled in."""

import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from bot.kernel.processes import built_environment

ROOT = Path(__file__).parents[2]

# https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax, `shell: bash`
_BASH = ("bash", "--noprofile", "--norc", "-eo", "pipefail")

_EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")


def action() -> dict[str, Any]:
    """Return the action's file."""
    document: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    return document


@dataclass
class Runner:
    """One job on one machine: what GitHub tells it, and what the steps left behind."""

    folder: Path
    github: Mapping[str, Any]
    log: str = ""
    code: int = 0
    outputs: dict[str, str] = field(default_factory=dict)

    def use(self, steps: Sequence[Mapping[str, Any]], inputs: Mapping[str, str]) -> None:
        """Run `steps` with these inputs, and end at the first that fails."""
        declared = action()["inputs"]
        given = {name: facts.get("default", "") for name, facts in declared.items()}
        given |= inputs
        missing = [n for n, facts in declared.items() if facts.get("required") and not given[n]]
        assert missing == []
        known = {"inputs": given, "github": self.github}
        for step in steps:
            self._run(step, known)
            if self.code:
                return

    @property
    def summary(self) -> str:
        """Return the job's summary, Markdown."""
        return self._file("summary.md").read_text()

    def _run(self, step: Mapping[str, Any], known: Mapping[str, Any]) -> None:
        script = self._file("step.sh")
        script.write_text(step["run"])
        output = self._file("output")
        output.write_text("")
        added = {name: _filled(text, known) for name, text in step.get("env", {}).items()}
        done = subprocess.run(
            [*_BASH, script],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            env=built_environment(**self._variables(output), **added),
        )
        self.log += done.stdout + done.stderr
        self.code = done.returncode
        self.outputs |= dict(line.split("=", 1) for line in output.read_text().splitlines())

    def _variables(self, output: Path) -> dict[str, str]:
        return {
            "CI": "true",
            "HOME": str(self.folder),
            "RUNNER_TEMP": str(self._file("temp")),
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_OUTPUT": str(output),
            "GITHUB_STEP_SUMMARY": str(self._file("summary.md")),
            "GITHUB_REPOSITORY": str(self.github["repository"]),
            "GITHUB_REPOSITORY_ID": str(self.github["repository_id"]),
            "GITHUB_SHA": str(self.github["sha"]),
        }

    def _file(self, name: str) -> Path:
        folder = self.folder / "_runner"
        (folder / "temp").mkdir(parents=True, exist_ok=True)
        return folder / name


def _filled(text: str, known: Mapping[str, Any]) -> str:
    """Replace `${{ a.b || c.d }}` by the first of its values that is not empty."""

    def value(found: re.Match[str]) -> str:
        values = (_looked_up(path.strip(), known) for path in found[1].split("||"))
        return next((value for value in values if value), "")

    return _EXPRESSION.sub(value, text)


def _looked_up(path: str, known: Mapping[str, Any]) -> str:
    here: Any = known
    for word in path.split("."):
        here = here.get(word) if isinstance(here, Mapping) else None
    return "" if here is None else str(here)
