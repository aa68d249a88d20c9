"""What it means that a stranger's text came out harmless, on each surface."""

import html.parser
import json
import re
from dataclasses import dataclass, field

from markdown_it import MarkdownIt
from typing_extensions import override

from tests.data.hostile import HOSTILE

SHORT = [text for text in HOSTILE if 1 < len(text) < 1000]

# An app that says everything on both streams and dies of all of it at once.
LOUD = f"""\
const texts: string[] = {json.dumps(HOSTILE)};
for (const text of texts) {{
  console.log(text);
  console.error(text);
}}
throw new Error(texts.filter((text) => text.length < 1000).join("\\n"));
"""

_BYTES_OF_TERMINALS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_RUNNER_COMMANDS = re.compile(r"^\s*::\S|##\[|##vso\[", re.MULTILINE | re.IGNORECASE)
_MENTIONS = re.compile(r"@\w")


def assert_fit_for_a_terminal(text: str) -> None:
    assert _BYTES_OF_TERMINALS.findall(text) == []
    assert _RUNNER_COMMANDS.findall(text) == []


def assert_plain_text_is_harmless(text: str) -> None:
    assert _BYTES_OF_TERMINALS.findall(text) == []
    assert _MENTIONS.findall(text) == []
    assert "<!--" not in text


def assert_markdown_is_harmless(text: str, own_host: str) -> None:
    """Render it as GitHub would and look at what came alive."""
    assert_plain_text_is_harmless(text)
    tokens = MarkdownIt("commonmark", {"html": True, "linkify": False}).enable("table").parse(text)
    flat = [*tokens, *(child for token in tokens for child in token.children or [])]
    kinds = {token.type for token in flat}
    assert kinds.isdisjoint({"html_block", "html_inline", "image", "heading_open", "hr"})
    links = [str(token.attrs["href"]) for token in flat if token.type == "link_open"]
    assert [link for link in links if own_host not in link] == []
    fences = [token for token in flat if token.type == "fence"]
    assert all(fence.info == "text" for fence in fences)
    # GitHub makes links of bare addresses too, which the parser here does not.
    outside = [token.content for token in flat if token.type == "text"]
    bare = [words for words in outside if re.search(r"://|\bwww\.", words)]
    assert [words for words in bare if words not in links] == []


@dataclass
class Seen(html.parser.HTMLParser):
    """What a browser would make of a page."""

    tags: set[str] = field(default_factory=set)
    handlers: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.handlers += [name for name, _ in attrs if name.startswith("on")]
        self.addresses += [value or "" for name, value in attrs if name in {"href", "src"}]

    @override
    def handle_comment(self, data: str) -> None:
        self.comments.append(data)


def assert_page_is_harmless(page: str, previews: str) -> None:
    seen = Seen()
    seen.feed(page)
    assert _BYTES_OF_TERMINALS.findall(page) == []
    assert seen.tags.isdisjoint({"script", "img", "svg", "iframe", "object", "form"})
    assert seen.handlers == []
    assert seen.comments == []
    port = previews.rsplit(":", 1)[-1]
    pages = r"/|/static/.*|/(?:deployments|logs)/\w+"
    ours = re.compile(rf"{pages}|http://[a-z0-9-]+\.localhost:{port}/?")
    assert [address for address in seen.addresses if not ours.fullmatch(address)] == []
