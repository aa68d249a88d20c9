"""What strangers write as the address of a submodule."""

import pytest

from bot.adapters.git.address import clone_base
from bot.adapters.git.module_places import Foreign, NotFollowed, Ours, Place, place_of
from bot.core.model.ids import RepoName

PARENT = "https://github.com/acme/site.git"
LIB = Ours(RepoName("acme/lib"))


def place(url: str, base_url: str = "https://github.com", parent: str = PARENT) -> Place:
    return place_of(url, parent, clone_base(base_url))


@pytest.mark.parametrize(
    "url",
    [
        "../lib",
        "../lib.git",
        "../../acme/lib.git",
        "./../lib/",
        "https://github.com/acme/lib",
        "https://github.com/acme/lib.git",
        "https://GitHub.com/acme/lib.git",
        "git@github.com:acme/lib.git",
        "ssh://git@github.com/acme/lib.git",
        "ssh://git@github.com:22/acme/lib.git",
        "git+ssh://git@github.com/acme/lib.git",
    ],
)
def test_the_forges_own_repositories_are_known_however_they_are_written(url: str) -> None:
    assert place(url) == LIB


@pytest.mark.parametrize(
    ("url", "address", "port"),
    [
        ("https://gitlab.com/a/b/c.git", "https://gitlab.com/a/b/c.git", 443),
        ("https://git.example:8443/x", "https://git.example:8443/x", 8443),
        ("git@gitlab.com:a/b.git", "https://gitlab.com/a/b.git", 443),
        ("ssh://git@git.example:2222/a/b", "https://git.example/a/b", 443),
        ("https://github.com:8443/acme/lib", "https://github.com:8443/acme/lib", 8443),
        ("https://sub.github.com/acme/lib", "https://sub.github.com/acme/lib", 443),
        ("https://github.com/acme/lib/deeper", "https://github.com/acme/lib/deeper", 443),
    ],
)
def test_others_are_asked_by_https(url: str, address: str, port: int) -> None:
    found = place(url)

    assert isinstance(found, Foreign)
    assert (found.address, found.port) == (address, port)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "-u./payload",
        "--upload-pack=touch x",
        "ext::sh -c touch% x",
        "file:///etc",
        "/etc",
        "../../../../etc",
        "../../..",
        "http://github.com/acme/lib",
        "git://github.com/acme/lib",
        "ftp://github.com/acme/lib",
        "https://user:secret@github.com/acme/lib",
        "https://token@github.com/acme/lib",
        "https://github.com/acme/../other/lib",
        "https://github.com/.hidden/x",
        "https://github.com/acme/lib?x",
        "https://github.com/acme/lib#x",
        "https://-oProxyCommand=x/a/b",
        "ssh://-oProxyCommand=touch x/a/b",
        "-oProxyCommand=x:a/b",
        "git@github.com:-x/lib",
        "https://github.com",
        "https://github.com/a b/c",
        "https://github.com/acme/lib\n",
        "https://github.com/acme/l\u0131b",
        "https://[::1]/a/b",
        "x" * 2000,
    ],
    ids=range(27),
)
def test_anything_else_is_not_followed(url: str) -> None:
    assert isinstance(place(url), NotFollowed)


def test_what_is_relative_counts_from_the_repository_that_says_it() -> None:
    assert place("../lib", parent="https://gitlab.com/a/b.git") == Foreign(
        address="https://gitlab.com/a/lib", host="gitlab.com", port=443
    )


def test_a_base_with_a_path_has_its_repositories_below_it() -> None:
    base, parent = "https://git.corp/scm", "https://git.corp/scm/acme/site.git"

    assert place("../lib", base, parent) == LIB
    assert place("https://git.corp/scm/acme/lib", base, parent) == LIB
    assert isinstance(place("https://git.corp/acme/lib", base, parent), Foreign)


def test_a_base_on_loopback_needs_no_encryption_but_only_it() -> None:
    base, parent = "http://127.0.0.1:3000", "http://127.0.0.1:3000/acme/site.git"

    assert place("../lib", base, parent) == LIB
    assert place("http://127.0.0.1:3000/acme/lib", base, parent) == LIB
    assert isinstance(place("http://127.0.0.1:3001/acme/lib", base, parent), NotFollowed)


def test_a_base_on_the_disk_has_its_own_repositories_and_no_other_files() -> None:
    base, parent = "file:///srv/git", "file:///srv/git/acme/site.git"

    assert place("../lib.git", base, parent) == LIB
    assert isinstance(place("../../../etc/x", base, parent), NotFollowed)
    assert isinstance(place("file:///srv/git2/acme/lib", base, parent), NotFollowed)
    assert isinstance(place("file:///srv/git/acme/../../x", base, parent), NotFollowed)


def test_a_forge_behind_the_operators_ssh_key_is_asked_without_it() -> None:
    base, parent = "ssh://git@github.com", "ssh://git@github.com/acme/site.git"

    assert place("../lib.git", base, parent) == Foreign(
        address="https://github.com/acme/lib.git", host="github.com", port=443
    )
