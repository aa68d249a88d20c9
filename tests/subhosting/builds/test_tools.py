"""The stand-ins for node, npm and npx on machines that have none."""

import json
import subprocess
from pathlib import Path

import pytest

from bot.subhosting.build.commands import command_argv, put_tools
from bot.subhosting.config import deno_beside_python
from tests.subhosting.package_registry import package_registry

PACKAGE = {
    "type": "module",
    "scripts": {"hello": "node hello.js", "test": "echo tested", "start": "echo started"},
    "dependencies": {"tiny-greeting": "1"},
}
SHOWS = 'import words from "tiny-greeting"; console.log(words, ...process.argv.slice(2));'


@pytest.fixture
def app(tmp_path: Path) -> Path:
    put_tools(tmp_path / "tools", deno_beside_python())
    app = tmp_path / "app"
    app.mkdir()
    (app / "package.json").write_text(json.dumps(PACKAGE))
    (app / "hello.js").write_text(SHOWS)
    return app


def said(app: Path, command: str, registry: str = "http://127.0.0.1:9/") -> str:
    """Return what a command writes where nothing but our own tools is found."""
    tools = app.parent / "tools"
    done = subprocess.run(
        command_argv(command),
        cwd=app,
        env={
            "PATH": f"{tools / 'first'}:{tools / 'last'}",
            "HOME": str(app.parent),
            "DENO_DIR": str(app.parent / "cache"),
            "NPM_CONFIG_REGISTRY": registry,
            "DENO_NO_UPDATE_CHECK": "1",
            "NO_COLOR": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    return f"{done.stdout}{done.stderr if done.returncode else ''}({done.returncode})"


def test_npm_installs_and_runs_scripts_by_deno(app: Path) -> None:
    with package_registry() as registry:
        assert said(app, "npm ci --no-audit > /dev/null", registry) == "(0)"

    assert said(app, "npm run hello -- one 'two three'") == (
        "hello from a package one two three\n(0)"
    )
    assert said(app, "npm test && npm start") == "tested\nstarted\n(0)"
    assert said(app, "npm run nothing").endswith("(1)")
    assert said(app, "npm publish").endswith("work here, not 'publish'\n(64)")


def test_node_runs_programs_and_text(app: Path) -> None:
    (app / "plain.cjs").write_text('console.log(require("node:path").basename(__filename));')

    assert said(app, "node plain.cjs") == "plain.cjs\n(0)"
    assert said(app, "node -e 'console.log(6 * 7)'") == "42\n(0)"
    assert said(app, "node --version").startswith("v")
    assert said(app, "node --no-warnings plain.cjs") == "plain.cjs\n(0)"


def test_npx_names_the_package_to_deno(app: Path) -> None:
    with package_registry() as registry:
        said(app, "npm install", registry)
        # It has no program of its own, and the words are Deno's.
        answer = said(app, "npx --yes tiny-greeting", registry)

    assert "tiny-greeting" in answer
    assert "did not have a bin property" in answer
