import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.kernel import paths
from bot.kernel.paths import MAX_COMPONENT_BYTES, MAX_LINKS, escaping_symlinks, path_problem


@pytest.mark.parametrize(
    "path",
    ["a", "a/b/c", "new\nline", "--option", "a b", ".gitignore", "..a", "a..", "git", "🚀", "a\\b",
     "x" * MAX_COMPONENT_BYTES],
)  # fmt: skip
def test_a_name_however_odd_is_safe(path: str) -> None:
    assert path_problem(path) is None


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("", "has the component ''"),
        ("/a", "is absolute"),
        ("a//b", "has the component ''"),
        ("a/", "has the component ''"),
        ("./a", "has the component '.'"),
        ("a/../b", "has the component '..'"),
        ("a/.git/config", "has a .git component"),
        ("a/.GiT", "has a .git component"),
        ("a\0b", "contains a NUL"),
        ("x\udce9", "is not valid UTF-8"),
        ("ü" * 128, "has a component longer than 255 bytes"),
        ("/".join(["x" * 200] * 6), "is longer than 1024 bytes"),
        ("/".join(["x"] * 101), "has more than 100 components"),
    ],
)
def test_a_path_that_may_leave_its_root_has_a_problem(path: str, problem: str) -> None:
    assert path_problem(path) == problem


@given(st.text("aGgIiTt_-./\n\0\u00e9", max_size=12) | st.from_regex(paths._PLAIN))
def test_the_short_way_of_plain_paths_judges_as_the_long_one(path: str) -> None:
    assert path_problem(path) == paths._problem(path)


@pytest.mark.parametrize(
    "links",
    [
        {"a": "b"},
        {"d/a": "../b"},
        {"d/a": ".."},
        {"a": "nowhere/at/all"},
        {"a": "d/../b"},
        {"d/e/a": "../../b", "b": "d"},
        {"a": "./b//c"},
    ],
)
def test_a_link_that_stays_inside_is_none_to_report(links: dict[str, str]) -> None:
    assert escaping_symlinks(links) == []


@pytest.mark.parametrize(
    ("links", "escaping"),
    [
        ({"a": "/etc/passwd"}, ["a"]),
        ({"a": ".."}, ["a"]),
        ({"d/a": "../../x", "b": "d"}, ["d/a"]),
        ({"a": ""}, ["a"]),
        ({"a": "x\0y"}, ["a"]),
        ({"a": "a"}, ["a"]),
        ({"a": "b", "b": "a"}, ["a", "b"]),
        ({"d/up": "..", "d/out": "up/../x"}, ["d/out"]),
        ({"d/up": "../..", "e": "d/up/x"}, ["d/up", "e"]),
    ],
)
def test_a_link_that_leads_out_is_reported(links: dict[str, str], escaping: list[str]) -> None:
    assert escaping_symlinks(links) == escaping


def test_a_chain_is_followed_as_far_as_linux_does() -> None:
    chain = {f"l{n}": f"l{n + 1}" for n in range(MAX_LINKS + 1)}

    assert escaping_symlinks(chain) == ["l0"]
