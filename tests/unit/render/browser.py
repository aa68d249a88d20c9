"""Markdown as a browser would meet it: which tags, links and comments are alive."""

from html.parser import HTMLParser

from markdown_it import MarkdownIt
from typing_extensions import override


class Live(HTMLParser):
    """Collects what a browser would act on."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str | None] = []
        self.comments: list[str] = []

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value for name, value in attrs if name in {"href", "src"}]

    @override
    def handle_comment(self, data: str) -> None:
        self.comments.append(data)


def rendered(source: str) -> Live:
    live = Live()
    live.feed(MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(source))
    return live
