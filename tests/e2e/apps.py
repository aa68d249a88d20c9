"""Small Deno apps as files of a commit."""

SOURCES = {
    "main.ts": (
        'import { greeting } from "./lib/greeting.ts";\n\n'
        'Deno.serve({ onListen: () => {} }, () => new Response(greeting + "\\n"));\n'
    ),
    "lib/unused.ts": "export const unused = true;\n",
    "static/page.html": "<h1>page</h1>\n",
    "README.md": "# An app\n",
}

# Serves the file that the path names, bytes as they are.
FILE_SERVER = """\
Deno.serve({ onListen: () => {} }, async (request) => {
  const path = decodeURIComponent(new URL(request.url).pathname);
  if (path === "/") return new Response("files");
  const file = await Deno.open(import.meta.dirname + path);
  return new Response(file.readable);
});
"""


def greets(greeting: str) -> dict[str, str]:
    """Return an app of five files that answers everything with `greeting`."""
    return {**SOURCES, **changed_greeting(greeting)}


def changed_greeting(greeting: str) -> dict[str, str]:
    """Return the one file of that app in which the greeting stands."""
    return {"lib/greeting.ts": f'export const greeting = "{greeting}";\n'}
