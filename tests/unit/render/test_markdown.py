import pytest

from bot.core.render import markdown
from tests.data import hostile
from tests.unit.render.browser import rendered


@pytest.mark.parametrize("text", hostile.HOSTILE)
@pytest.mark.parametrize("render", [markdown.inline, markdown.code, markdown.fence])
def test_a_strangers_text_renders_as_text_only(render: "object", text: str) -> None:
    assert callable(render)
    source = str(render(text))

    live = rendered(f"before {source}" if render is not markdown.fence else source)

    assert live.tags <= {"p", "code", "pre"}
    assert live.links == []
    assert live.comments == []
    assert "<!--" not in source
    assert "@everyone" not in source
    assert "@octocat" not in source
    assert "\x1b" not in source


def test_inline_text_is_escaped_on_one_line() -> None:
    assert markdown.inline("# *a*\n[b](c)") == r"\# \*a\* \[b\]\(c\)"


def test_addresses_in_a_paragraph_are_no_links() -> None:
    assert markdown.inline("see https://evil.example") == "see https:\u200b//evil\\.example"


def test_a_fence_is_longer_than_any_inside() -> None:
    assert markdown.fence("a\n````\nb") == "`````text\na\n````\nb\n`````"


def test_a_code_span_is_longer_than_any_backticks_inside() -> None:
    assert markdown.code("a`b") == "``a`b``"
    assert markdown.code("`") == "`` ` ``"


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "https://a.example/)[x](javascript:alert(1)",
        "https://a.example/><script>",
        "https://user@a.example/",
        "//a.example",
        "https://a.example/\u202etxt",
        "https://[broken",
    ],
)
def test_what_is_no_plain_web_address_is_no_link(url: str) -> None:
    assert markdown.link(url).startswith("`")


def test_a_plain_web_address_is_a_link() -> None:
    assert markdown.link("http://a--b.localhost:8081/") == "<http://a--b.localhost:8081/>"


def test_the_tail_keeps_whole_lines_within_the_budget() -> None:
    assert markdown.tail(["one", "two", "three"], max_bytes=10) == ("two\nthree", 1)
    assert markdown.tail(["é" * 10], max_bytes=9) == ("ééé…", 0)
    assert markdown.tail([], max_bytes=9) == ("", 0)
