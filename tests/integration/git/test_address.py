"""Which base addresses are taken."""

from pathlib import Path

import pytest

from bot.adapters.git.address import SETTING, clone_base
from bot.adapters.git.source import GitSource
from bot.core.model.errors import ConfigurationProblem
from bot.core.model.ids import RepoName


@pytest.mark.parametrize(
    ("base", "address"),
    [
        ("https://github.com", "https://github.com/acme/site.git"),
        ("https://github.com/", "https://github.com/acme/site.git"),
        ("https://ghe.example.com:8443/git", "https://ghe.example.com:8443/git/acme/site.git"),
        ("http://127.0.0.1:3000", "http://127.0.0.1:3000/acme/site.git"),
        ("http://localhost", "http://localhost/acme/site.git"),
        ("http://[::1]:80", "http://[::1]:80/acme/site.git"),
        ("ssh://git@github.com", "ssh://git@github.com/acme/site.git"),
        ("file:///srv/git", "file:///srv/git/acme/site"),  # as there is no site.git
    ],
)
def test_an_address_is_the_base_and_the_name(base: str, address: str) -> None:
    assert clone_base(base).address_of(RepoName("acme/site")) == address


@pytest.mark.parametrize(
    "base",
    [
        "",
        "github.com",
        "git@github.com:",
        "/srv/git",
        "file:relative",
        "file://host/path",
        "ext::sh -c touch% /tmp/x",
        "ext://sh",
        "git://github.com",
        "ftp://github.com",
        "-oProxyCommand=touch x",
        "--upload-pack=touch x",
        "ssh://-oProxyCommand=touch/x",
        "ssh://-oProxyCommand=touch@host/x",
        "ssh://git@-oProxyCommand=touch/x",
        "ssh://host/-oProxyCommand=x",
        "https://user:secret@github.com",
        "https://token@github.com",
        "https://github.com/../x",
        "https://github.com?x=1",
        "https://github.com#x",
        "https://github.com/a b",
        "https://github.com\n",
        "https://git\thub.com",
        "http://github.com",
        "http://10.0.0.1",
        "http://localhost.evil.example",
        "HTTPS://github.com",
        "https::https://github.com",
        "file:///srv/git\n[core]",
    ],
)
def test_any_other_base_is_a_problem_of_the_setting(base: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationProblem, match=SETTING):
        GitSource(tmp_path, base, lambda _repository: None)


@pytest.mark.parametrize("name", ["", "x", "-x/y", "a/b/c", "a/..", "../b", "a/b;c", "a/b\n"])
def test_a_name_that_was_let_in_unchecked_goes_no_further(name: str) -> None:
    with pytest.raises(ConfigurationProblem):
        clone_base("https://github.com").address_of(RepoName(name))
