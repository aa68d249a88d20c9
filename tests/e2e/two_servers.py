"""Two servers that `previewbot migrate` moves between, and the command."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.cli import migrate
from tests.subhosting.domains.world import World
from tests.subhosting.server import Json, RunningSubhosting

SHOWS = """
import { words } from "./lib/words.ts";
Deno.serve(() => new Response(`${words} ${Deno.env.get("GREETING") ?? "-"}`));
"""
WORDS = {"kind": "symlink", "target": "../real.ts"}
ASSETS = {
    "main.ts": SHOWS,
    "real.ts": 'export const words = "moved,";',
    "lib/words.ts": WORDS,
    "picture.bin": {"kind": "file", "encoding": "base64", "content": "AAH/"},
}


@dataclass
class Move:
    """Two servers and the command between them."""

    old: World
    new: World
    tokens: Path
    capsys: pytest.CaptureFixture[str]

    def run(self, *words: str) -> tuple[int, dict[str, Json]]:
        """Return the exit code and the report by name."""
        code = migrate.run([*self.words(), "--json", *words])
        lines = self.capsys.readouterr().out.splitlines()
        return code, {found["name"]: found for found in map(json.loads, lines)}

    def words(self) -> list[str]:
        for name, world in (("old", self.old), ("new", self.new)):
            (self.tokens / name).write_text(f"{world.server.token}\n")
        return [
            "--from",
            f"v1:{self.old.server.api_url}/v1",
            "--organization",
            self.old.server.organization,
            "--from-token-file",
            str(self.tokens / "old"),
            "--to",
            f"v2:{self.new.server.api_url}/v2",
            "--to-token-file",
            str(self.tokens / "new"),
        ]

    def prove(self, domain: str) -> None:
        """Publish what the new server asks for."""
        found = self.new.v2("GET", f"/domains/{domain}").json
        (proof,) = [
            record
            for together in found["dns_records"][:1]
            for record in together
            if record["type"] == "CNAME"
        ]
        name = f"{proof['name']}.{proof['base']}"
        self.new.names.records[name, "CNAME"] = proof["value"]


def live(server: RunningSubhosting, name: str, **fields: object) -> Json:
    project = server.new_project(name)
    wanted = {"domains": [f"{name}.localhost"], **fields}
    made = server.deployed(project["id"], ASSETS, **wanted)
    assert made["status"] == "success", server.build_log(made["id"])
    return made


def labels(move: Move, slug: str) -> Json:
    found: Json = move.new.v2("GET", f"/apps/{slug}").json["labels"]
    return found
