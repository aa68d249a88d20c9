"""Which deployments need an installing stage."""

from pathlib import Path

import pytest

from bot.subhosting.build.packages import needs_packages


@pytest.mark.parametrize(
    ("files", "needed"),
    [
        ({"main.ts": 'import { Hono } from "npm:hono";'}, True),
        ({"main.ts": "import x from 'jsr:@std/http@1';"}, True),
        ({"main.ts": 'import x from "https://deno.land/x.ts";'}, True),
        ({"main.ts": 'const x = await import("npm:hono");'}, True),
        ({"main.ts": 'import x from "./x.ts"; fetch("https://example.com");'}, False),
        ({"main.ts": 'import fs from "node:fs";'}, False),
        ({"deno.json": '{"imports": {"hono": "npm:hono@4"}}'}, True),
        ({"deno.jsonc": '{"imports": {"x": "./x.ts"}}'}, False),
        ({"package.json": '{"dependencies": {"express": "4"}}'}, True),
        ({"package.json": '{"name": "x", "dependencies": {}}'}, False),
        ({}, False),
    ],
)
def test_needs_packages(tmp_path: Path, files: dict[str, str], needed: bool) -> None:  # noqa: FBT001
    for name, content in files.items():
        (tmp_path / name).write_text(content)

    assert needs_packages(tmp_path, "main.ts") is needed
