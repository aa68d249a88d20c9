"""The texts were recorded from Deno 2.9.8 and Vite 6.3.5, NO_COLOR=1, in /srv/dt/src."""

import pytest

from bot.core.model.outcomes import Annotation, LogLine
from bot.core.render.diagnostics import MAX_ANNOTATIONS, diagnose
from tests.data import hostile

SYNTAX = """error: SyntaxError: Expression expected
  |
1 | const a = ;
  |           ~
    at file:///srv/dt/src/syn.ts:1:11

Stack backtrace:
   0: <unknown>"""
THROWS = """error: Uncaught (in promise) Error: boom
function f(){ throw new Error("boom") }
                    ^
    at f (file:///srv/dt/src/lib/thr.ts:1:21)
    at file:///srv/dt/src/thr.ts:3:1"""
NO_MODULE = """error: Module not found "file:///srv/dt/src/nofile.ts".
    at file:///srv/dt/src/miss.ts:1:8"""
BARE = """error: Import "left" not a dependency
  hint: If you want to use the npm package, try running `deno add npm:left`
    at file:///srv/dt/src/bare.ts:1:15"""
TYPES = """Check ty.ts
TS2322 [ERROR]: Type 'string' is not assignable to type 'number'.
const x: number = "a"
      ^
    at file:///srv/dt/src/ty.ts:1:7

TS2304 [ERROR]: Cannot find name 'y'.
y()
^
    at file:///srv/dt/src/ty.ts:2:1

Found 2 errors.

error: Type checking failed."""
CONFIG = """error: Failed deserializing config file 'file:///srv/dt/src/deno.json'.

Caused by:
    Unterminated object on line 2 column 1"""
VITE_SYNTAX = """error during build:
[vite:build-html] Transform failed with 1 error:
/srv/dt/src/main.ts:1:10: ERROR: Unexpected "="
file: /srv/dt/src/main.ts:1:10 (/srv/dt/src/index.html)

Unexpected "="
1  |  const a = = 1
   |            ^

    at failureErrorWithLog (file:///srv/dt/src/node_modules/esbuild/lib/main.js:1467:15)"""
VITE_UNRESOLVED = """error during build:
[vite]: Rollup failed to resolve import "left-pad-no" from "/srv/dt/src/main.ts".
This is most likely unintended because it can break your application at runtime.
    at viteLog (file:///srv/dt/src/node_modules/vite/dist/node/chunks/dep-DB.js:46345:15)"""
VITE_EXPORT = """error during build:
lib/main.ts (1:8): "nope" is not exported by "lib/lib.ts", imported by "lib/main.ts".
file: /srv/dt/src/lib/main.ts:1:8

1: import {nope} from "./lib.ts"; console.log(nope)
           ^

    at getRollupError (file:///srv/dt/src/node_modules/rollup/dist/es/shared/parseAst.js:355:41)"""
VITE_CONFIG = """failed to load config from /srv/dt/src/vite.config.ts
error during build:
Error: cfg
    at file:///srv/dt/src/vite.config.ts:1:212"""
VITE_HTML = """error during build:
[vite:build-html] Failed to resolve /nomain.ts from /srv/dt/src/index.html
file: /srv/dt/src/index.html
    at file:///srv/dt/src/node_modules/vite/dist/node/chunks/dep-DB.js:36310:29"""
DYNAMIC = """error: Uncaught (in promise) TypeError: Module not found "file:///srv/dt/src/no.ts".
await import("./no.ts");
^
    at async file:///srv/dt/src/dyn.ts:1:1"""
EXPORT = """error: Uncaught SyntaxError: The requested module './lib.ts' does not provide an \
export named 'nope'
import { nope } from "./lib.ts"; nope;
         ^
    at <anonymous> (file:///srv/dt/src/exp.ts:1:10)"""
EXPORT_CHECKED = """Check exp.ts
TS2305 [ERROR]: Module '"file:///srv/dt/src/lib.ts"' has no exported member 'nope'.
import { nope } from "./lib.ts"; nope;
         ~~~~
    at file:///srv/dt/src/exp.ts:1:10

error: Type checking failed."""
NPM = """error: npm package 'nothing-here' does not exist.
    at file:///srv/dt/src/npm.ts:1:15"""
JSR = """error: JSR package manifest for '@std/http' failed to load. \
Import 'http://127.0.0.1:9/@std/http/meta.json' failed.
    at file:///srv/dt/src/jsr.ts:1:15"""
JSR_MISSING = """error: JSR package not found: @std/http
    at file:///srv/dt/src/jsr.ts:1:15"""
BUNDLER = '/srv/dt/src/main.ts:1:9: ERROR: Unexpected "="'


def log(text: str) -> list[LogLine]:
    return [LogLine(level="error", message=text)]


@pytest.mark.parametrize(
    ("text", "path", "line", "column", "message"),
    [
        (SYNTAX, "syn.ts", 1, 11, "SyntaxError: Expression expected"),
        (THROWS, "lib/thr.ts", 1, 21, "Uncaught (in promise) Error: boom"),
        (NO_MODULE, "miss.ts", 1, 8, 'Module not found "nofile.ts".'),
        (
            BARE,
            "bare.ts",
            1,
            15,
            (
                'Import "left" not a dependency\n'
                "hint: If you want to use the npm package, try running `deno add npm:left`"
            ),
        ),
        (
            CONFIG,
            "deno.json",
            2,
            1,
            (
                "Failed deserializing config file 'deno.json'.\n"
                "Unterminated object on line 2 column 1"
            ),
        ),
        (
            EXPORT,
            "exp.ts",
            1,
            10,
            (
                "Uncaught SyntaxError: The requested module './lib.ts' does not provide an export"
                " named 'nope'"
            ),
        ),
        (
            EXPORT_CHECKED,
            "exp.ts",
            1,
            10,
            "TS2305: Module '\"lib.ts\"' has no exported member 'nope'.",
        ),
        (NPM, "npm.ts", 1, 15, "npm package 'nothing-here' does not exist."),
        (
            JSR,
            "jsr.ts",
            1,
            15,
            (
                "JSR package manifest for '@std/http' failed to load. Import"
                " 'http://127.0.0.1:9/@std/http/meta.json' failed."
            ),
        ),
        (JSR_MISSING, "jsr.ts", 1, 15, "JSR package not found: @std/http"),
        (BUNDLER, "main.ts", 1, 9, 'Unexpected "="'),
        (VITE_SYNTAX, "main.ts", 1, 10, 'Unexpected "="'),
        (
            VITE_UNRESOLVED,
            "main.ts",
            1,
            1,
            'Rollup failed to resolve import "left-pad-no" from "main.ts".',
        ),
        (
            VITE_EXPORT,
            "lib/main.ts",
            1,
            8,
            '"nope" is not exported by "lib/lib.ts", imported by "lib/main.ts".',
        ),
        (VITE_CONFIG, "vite.config.ts", 1, 212, "Error: cfg"),
        (VITE_HTML, "index.html", 1, 1, "Failed to resolve /nomain.ts from index.html"),
        (
            DYNAMIC,
            "dyn.ts",
            1,
            1,
            'Uncaught (in promise) TypeError: Module not found "no.ts".',
        ),
    ],
)
def test_a_complaint_becomes_an_annotation_at_its_place(
    text: str, path: str, line: int, column: int, message: str
) -> None:
    assert diagnose(log(text)) == (
        Annotation(path=path, line=line, column=column, message=message),
    )


def test_each_type_error_has_its_own_annotation() -> None:
    assert [(found.line, found.message) for found in diagnose(log(TYPES))] == [
        (1, "TS2322: Type 'string' is not assignable to type 'number'."),
        (2, "TS2304: Cannot find name 'y'."),
    ]


def test_a_log_of_one_line_per_entry_reads_the_same() -> None:
    split = [LogLine(level="error", message=line) for line in SYNTAX.split("\n")]

    assert diagnose(split) == diagnose(log(SYNTAX))


def test_places_outside_the_app_are_skipped_up_the_stack() -> None:
    text = THROWS.replace("/srv/dt/src/lib/thr.ts", "/cache/std/assert.ts")

    assert [found.path for found in diagnose(log(text))] == ["thr.ts"]


def test_the_manifest_tells_which_src_is_the_root() -> None:
    text = SYNTAX.replace("/srv/dt/src/syn.ts", "/usr/src/data/src/src/syn.ts")

    found = diagnose(log(text), paths={"src/syn.ts", "main.ts"})

    assert [annotation.path for annotation in found] == ["src/syn.ts"]


def test_a_name_with_a_space_is_found_under_its_own_name() -> None:
    text = SYNTAX.replace("syn.ts", "my%20app.ts")

    assert [found.path for found in diagnose(log(text))] == ["my app.ts"]


def test_colours_do_not_hide_a_complaint() -> None:
    text = "\x1b[0m\x1b[1m\x1b[31merror\x1b[0m: Uncaught Error: x\n    at \x1b[36mfile:///src/a.ts\x1b[0m:\x1b[33m3\x1b[0m:9"

    assert [(found.path, found.line) for found in diagnose(log(text))] == [("a.ts", 3)]


def test_the_same_complaint_counts_once_and_there_is_a_limit() -> None:
    many = [
        LogLine(level="error", message=SYNTAX.replace(":1:11", f":{n % 90 + 1}:1"))
        for n in range(500)
    ]

    assert len(diagnose(log(SYNTAX) * 3)) == 1
    assert len(diagnose(many)) == MAX_ANNOTATIONS


@pytest.mark.parametrize("text", hostile.HOSTILE)
def test_hostile_logs_give_nothing(text: str) -> None:
    assert diagnose(log(text)) == ()
