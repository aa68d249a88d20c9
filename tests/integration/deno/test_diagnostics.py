"""Every way in which Deno itself complains about an app, run for real, becomes an annotation."""

import os
import subprocess
import threading
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from typing_extensions import override

from bot.core.model.outcomes import Annotation, LogLine
from bot.core.render.diagnostics import diagnose
from bot.subhosting.config import deno_beside_python

# Nobody listens there, so what would be downloaded fails at once.
NOWHERE = "http://127.0.0.1:9/"
NO_PACKAGE = f'Failed loading {NOWHERE}nothing-here for package "nothing-here"'

Expected = tuple[str, int, int, str]


class _Empty(BaseHTTPRequestHandler):
    """Answers as a registry that has no package at all."""

    def do_GET(self) -> None:
        self.send_response(HTTPStatus.NOT_FOUND)
        self.send_header("Content-Length", "0")
        self.end_headers()

    @override
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def empty_registry() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Empty) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def complaints(
    tmp_path: Path, files: Mapping[str, str], *words: str, registry: str = NOWHERE
) -> tuple[Annotation, ...]:
    """Run Deno in an app with these files and return what its output says about them."""
    root = tmp_path / "src"
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(content)
    done = subprocess.run(
        [deno_beside_python(), *words],
        cwd=root,
        env={
            "HOME": str(tmp_path),
            "PATH": os.environ["PATH"],
            "DENO_DIR": str(tmp_path / "cache"),
            "DENO_NO_UPDATE_CHECK": "1",
            "NO_COLOR": "1",
            "NPM_CONFIG_REGISTRY": registry,
            "JSR_URL": registry,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0, done
    lines = [LogLine(level="error", message=each) for each in done.stderr.splitlines()]
    return diagnose(lines)


TYPES = """import { nope } from "./lib.ts";
export const n: string = 1;
interface A { x: number; y: string }
export const a: A = { x: 1 };
nope();
"""
RUN = ("run", "--no-prompt", "main.ts")
# One run, because the compiler takes seconds to load.
CHECK = ("check", "main.ts", "missing.ts", "bare.ts")


@pytest.mark.parametrize(
    ("files", "words", "expected"),
    [
        (
            {
                "main.ts": TYPES,
                "lib.ts": "export const y = 1;",
                "missing.ts": 'import "./nofile.ts";',
                "bare.ts": 'import x from "left"; x;',
            },
            CHECK,
            # Where `y` is declared is no complaint of its own.
            [
                ("main.ts", 1, 10, "TS2305: Module '\"lib.ts\"' has no exported member 'nope'."),
                ("main.ts", 2, 14, "TS2322: Type 'number' is not assignable to type 'string'."),
                (
                    "main.ts",
                    4,
                    14,
                    (
                        "TS2741: Property 'y' is missing in type '{ x: number; }' but required in"
                        " type 'A'."
                    ),
                ),
                ("missing.ts", 1, 8, "TS2307: Cannot find module 'nofile.ts'."),
                (
                    "bare.ts",
                    1,
                    15,
                    (
                        'TS2307: Import "left" not a dependency\nhint: If you want to use the npm'
                        " package, try running `deno add npm:left`"
                    ),
                ),
            ],
        ),
        (
            {"main.ts": 'import "./nofile.ts";'},
            RUN,
            [("main.ts", 1, 8, 'Module not found "nofile.ts".')],
        ),
        (
            {"main.ts": 'await import("./nofile.ts");'},
            RUN,
            [("main.ts", 1, 1, 'Uncaught (in promise) TypeError: Module not found "nofile.ts".')],
        ),
        (
            {"main.ts": 'import x from "left"; x;'},
            RUN,
            [
                (
                    "main.ts",
                    1,
                    15,
                    ('Import "left" not a dependency\nhint: If you want to use the npm package,'
                    " try running `deno add npm:left`"),
                )
            ],
        ),
        (
            {"main.ts": 'import { nope } from "./lib.ts"; nope;', "lib.ts": "export const y = 1;"},
            RUN,
            [
                (
                    "main.ts",
                    1,
                    10,
                    ("Uncaught SyntaxError: The requested module './lib.ts' does not provide an"
                    " export named 'nope'"),
                )
            ],
        ),
        (
            {"main.ts": 'import "./lib/a b.ts";', "lib/a b.ts": "const a = ;"},
            RUN,
            [("lib/a b.ts", 1, 11, "SyntaxError: Expression expected")],
        ),
        (
            {"main.ts": 'import x from "npm:nothing-here"; x;'},
            ("install", "--entrypoint", "main.ts"),
            [("main.ts", 1, 15, NO_PACKAGE)],
        ),
        (
            {"main.ts": 'import x from "npm:nothing-here"; x;'},
            ("run", "--cached-only", "main.ts"),
            [("main.ts", 1, 15, NO_PACKAGE)],
        ),
        (
            {"main.ts": 'import x from "jsr:@std/http"; x;'},
            ("install", "--entrypoint", "main.ts"),
            [
                (
                    "main.ts",
                    1,
                    15,
                    ("JSR package manifest for '@std/http' failed to load. Import"
                    f" '{NOWHERE}@std/http/meta.json' failed."),
                )
            ],
        ),
        (
            {"main.ts": f'import "{NOWHERE}x.ts";'},
            RUN,
            [("main.ts", 1, 8, f"Import '{NOWHERE}x.ts' failed.")],
        ),
        (
            {"main.ts": 'function f() {\n  throw new Error("boom");\n}\nawait 1; f();'},
            RUN,
            [("main.ts", 2, 9, "Uncaught (in promise) Error: boom")],
        ),
        (
            {"main.ts": 'await 1; Deno.readTextFileSync("/etc/passwd");'},
            RUN,
            # The frame of Deno's own code above it is no place of the app's.
            [
                (
                    "main.ts",
                    1,
                    15,
                    ('Uncaught (in promise) NotCapable: Requires read access to "/etc/passwd", run'
                    " again with the --allow-read flag"),
                )
            ],
        ),
        (
            {"main.ts": "1;", "deno.json": '{ "imports": { \n'},
            RUN,
            [
                (
                    "deno.json",
                    2,
                    1,
                    ("Failed deserializing config file 'deno.json'.\nUnterminated object on line 2"
                    " column 1"),
                )
            ],
        ),
    ],
    ids=[
        "types", "missing-run", "missing-dynamic",
        "bare-run", "export-run", "syntax", "npm", "npm-cached-only", "jsr",
        "https", "throws", "permission", "config",
    ],
)  # fmt: skip
def test_a_complaint_of_deno_becomes_an_annotation(
    tmp_path: Path, files: dict[str, str], words: tuple[str, ...], expected: list[Expected]
) -> None:
    found = complaints(tmp_path, files, *words)

    seen = [(each.path, each.line, each.column, each.message) for each in found]
    assert sorted(seen) == sorted(expected)


@pytest.mark.parametrize(
    ("package", "message"),
    [
        ("npm:nothing-here", "npm package 'nothing-here' does not exist."),
        ("jsr:@std/nothing-here", "JSR package not found: @std/nothing-here"),
    ],
)
def test_a_package_that_no_registry_has_is_named_where_it_is_imported(
    tmp_path: Path, empty_registry: str, package: str, message: str
) -> None:
    files = {"main.ts": f'import x from "{package}"; x;'}

    found = complaints(
        tmp_path, files, "install", "--entrypoint", "main.ts", registry=empty_registry
    )

    assert found == (Annotation(path="main.ts", line=1, column=15, message=message),)
