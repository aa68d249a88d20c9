"""What a deployment brings along: `$folder` is outside, `$id` is the attempt's word."""

import json
from collections.abc import Mapping

from tests.sandbox.attempt import NOWHERE, Attempt, Language, section

_READS = 'Deno.serve(async () => new Response(await Deno.readTextFile("%s")));'
_IMPORTS = 'import found from "./%s"%s; Deno.serve(() => new Response(JSON.stringify(found)));'


def _attempt(
    name: str, main: str, *, links: Mapping[str, str], files: Mapping[str, str] | None = None
) -> Attempt:
    symlinks = {path: {"kind": "symlink", "target": target} for path, target in links.items()}
    assets = {**(files or {}), "main.ts": main, **symlinks}
    return Attempt(name=name, script=json.dumps(assets), language=Language.ASSETS, build=NOWHERE)


ASSETS = section(
    "Files and links of a deployment",
    [
        _attempt("bring a link to a file", _READS % "x", links={"x": "$folder/secret.txt"}),
        _attempt(
            "bring a link that climbs out",
            _READS % "x",
            links={"x": "../../../../../../../../../..$folder/secret.txt"},
        ),
        _attempt("bring a link to a folder", _READS % "x/secret.txt", links={"x": "$folder"}),
        _attempt(
            "bring a link to a link", _READS % "x", links={"x": "y", "y": "$folder/secret.txt"}
        ),
        _attempt(
            "bring links that climb out together",
            _READS % "a/b/x",
            links={"a/b/x": "../up/../../../../../../../../..$folder/secret.txt", "a/up": ".."},
        ),
        _attempt(
            "bring a link to the machine's root", _READS % "x$folder/secret.txt", links={"x": "/"}
        ),
        _attempt(
            "bring a link to the root in /proc",
            _READS % "x$folder/secret.txt",
            links={"x": "/proc/self/root"},
        ),
        _attempt(
            "import TypeScript through a link",
            _IMPORTS % ("x.ts", ""),
            links={"x.ts": "$folder/module.ts"},
        ),
        _attempt(
            "import JSON through a link",
            _IMPORTS % ("x.json", ' with { type: "json" }'),
            links={"x.json": "$folder/secret.json"},
        ),
        _attempt("bring the entry point as a link", "", links={"main.ts": "$folder/module.ts"}),
        _attempt(
            "write outside through a link to a folder",
            _READS % "x",
            links={"d": "$folder"},
            files={"d/$id": "x"},
        ),
        _attempt(
            "write outside by a path that climbs out",
            _READS % "x",
            links={},
            files={"../../../../../../../../..$folder/$id": "x"},
        ),
        _attempt(
            "write outside by an absolute path",
            _READS % "x",
            links={},
            files={"$folder/$id": "x"},
        ),
        _attempt(
            "write outside by a path with backslashes",
            _READS % "x",
            links={},
            files={"..\\..\\..$folder\\$id": "x"},
        ),
    ],
)
