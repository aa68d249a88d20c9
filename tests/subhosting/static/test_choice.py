"""Which file answers: paths, folders, links, single pages, ready-made compressed forms."""

import pytest

from bot.subhosting.build.site import Listing, listing_of
from bot.subhosting.host.static.choice import Choice, File, Missing, Moved, NotAPath, chosen
from bot.subhosting.host.static.encodings import best
from bot.subhosting.host.static.media_types import media_type
from bot.subhosting.store.records import Manifest

PATHS = (
    "index.html",
    "docs/index.html",
    "app.js",
    "app.js.br",
    "app.js.gz",
    "style.css",
    "a:b/index.html",
    "grüße.txt",
    ".env",
    ".git/config",
    "docs/.hidden/x.txt",
    ".well-known/security.txt",
)
LISTING = listing_of(Manifest(files={path: f"sha of {path}" for path in PATHS}, links={}), ".")


def choose(path: str, accepted: str | None = None, *, spa: bool = False) -> Choice:
    return chosen(LISTING, path.encode(), accepted, spa=spa)


def sent(path: str, accepted: str | None = None, *, spa: bool = False) -> str:
    found = choose(path, accepted, spa=spa)
    assert isinstance(found, File), found
    return found.sent


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/", "index.html"),
        ("/?q=1", "index.html"),
        ("/docs/", "docs/index.html"),
        ("/style.css?v=2", "style.css"),
        ("/style%2Ecss", "style.css"),
        ("/gr%C3%BC%C3%9Fe.txt", "grüße.txt"),
        ("/.well-known/security.txt", ".well-known/security.txt"),
    ],
)
def test_a_path_leads_to_its_file(target: str, path: str) -> None:
    assert sent(target) == path


@pytest.mark.parametrize(
    "target",
    [
        "/nothing",
        "/.env",
        "/.git/config",
        "/docs/.hidden/x.txt",
        "/%2Eenv",
        "/style.css/",
        "//docs/",
        "/docs//",
        "//evil.example",
        "/docs\\index.html",
    ],
)
def test_what_is_not_meant_for_visitors_is_not_there(target: str) -> None:
    assert choose(target) == Missing()


@pytest.mark.parametrize(
    "target",
    [
        "/../x",
        "/docs/../style.css",
        "/%2e%2e/x",
        "/.%2E",
        "/.",
        "/%00",
        "/docs%2Findex.html",
        "/%zz",
        "/%e",
        "/%FF",
    ],
)
def test_paths_that_climb_or_break_are_refused(target: str) -> None:
    assert choose(target, spa=True) == NotAPath()


@pytest.mark.parametrize(
    ("target", "location"),
    [
        ("/docs", "./docs/"),
        ("/docs?q=a%20b&x=1", "./docs/?q=a%20b&x=1"),
        ("/a:b", "./a%3Ab/"),
        ('/docs?"><script>', "./docs/?%22%3E%3Cscript%3E"),
    ],
)
def test_a_folder_gets_its_slash_on_the_same_host(target: str, location: str) -> None:
    assert choose(target) == Moved(location)


def test_a_single_page_app_answers_unknown_paths_but_no_missing_files() -> None:
    assert sent("/some/page", spa=True) == "index.html"
    assert sent("/some/page/", spa=True) == "index.html"
    assert sent("//evil.example/page", spa=True) == "index.html"
    assert choose("/missing.js", spa=True) == Missing()
    assert choose("/.env", spa=True) == Missing()
    assert sent("/style.css", spa=True) == "style.css"


def test_a_page_of_the_site_says_that_something_is_missing() -> None:
    listing = Listing({"404.html": "1", "404.html.gz": "2"})

    found = chosen(listing, b"/x", "gzip", spa=False)

    assert found == File(
        path="404.html", sent="404.html.gz", sha1="2", coding="gzip", varies=True, status=404
    )


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        (None, None),
        ("", None),
        ("gzip, deflate, br, zstd", "br"),
        ("gzip, deflate", "gzip"),
        ("br;q=0.2, gzip;q=0.8", "gzip"),
        ("br;q=0, gzip", "gzip"),
        ("*", "br"),
        ("*;q=0.5, br;q=0", "gzip"),
        ("x-gzip", "gzip"),
        ("identity;q=1, gzip;q=0.5", None),
        ("identity;q=0", None),
        ("BR ; Q=1.0", "br"),
        ("br;q=nonsense, gzip;q=2", None),
        ("zstd", None),
    ],
)
def test_the_visitor_says_which_compressed_form_it_reads(
    accepted: str | None, coding: str | None
) -> None:
    assert best(accepted, {"br", "gzip"}) == coding


def test_a_compressed_form_is_what_it_was_made_from() -> None:
    found = choose("/app.js", "br")

    assert found == File(
        path="app.js", sent="app.js.br", sha1="sha of app.js.br", coding="br", varies=True
    )
    assert choose("/app.js.br") == File(
        path="app.js.br", sent="app.js.br", sha1="sha of app.js.br"
    )


def test_links_are_followed_inside_the_site_only() -> None:
    files = {"secret.txt": "1", "dist/a.txt": "2", "dist/sub/index.html": "3"}
    links = {
        "dist/same.txt": "a.txt",
        "dist/folder": "sub",
        "dist/out.txt": "../secret.txt",
        "dist/around": ".",
        "dist/loop": "loop",
        "dist/sub/up.txt": "../same.txt",
        "elsewhere": "dist/a.txt",
    }
    listing = listing_of(Manifest(files=files, links=links), "dist")

    assert listing.find("same.txt") == "a.txt"
    assert listing.find("folder/index.html") == "sub/index.html"
    assert listing.find("around/around/sub/up.txt") == "a.txt"
    assert chosen(listing, b"/folder", None, spa=False) == Moved("./folder/")
    for path in ("out.txt", "loop", "elsewhere", "loop/loop", "/".join(["around"] * 60)):
        assert listing.find(path) is None


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("index.html", "text/html; charset=utf-8"),
        ("a/b.mjs", "text/javascript; charset=utf-8"),
        ("a.JS", "text/javascript; charset=utf-8"),
        ("a.wasm", "application/wasm"),
        ("site.webmanifest", "application/manifest+json; charset=utf-8"),
        ("data.json", "application/json"),
        ("logo.svg", "image/svg+xml; charset=utf-8"),
        ("a.woff2", "font/woff2"),
        ("LICENSE", "application/octet-stream"),
        ("a.unheard-of", "application/octet-stream"),
        (".well-known/x", "application/octet-stream"),
    ],
)
def test_a_file_is_what_its_name_ends_in(path: str, expected: str) -> None:
    assert media_type(path) == expected
