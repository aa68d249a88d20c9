from bot.core.decide.entrypoint import find_entrypoint, site_folder
from bot.core.model.ids import BlobSha
from bot.core.model.manifest import Asset, FileAsset, Manifest, SymlinkAsset

FILE = FileAsset(BlobSha("0" * 40))


def manifest(**assets: Asset) -> Manifest:
    return Manifest(assets={name.replace("_", "."): asset for name, asset in assets.items()})


def test_main_comes_before_all_others() -> None:
    assert find_entrypoint(manifest(server_ts=FILE, main_ts=FILE, mod_ts=FILE)) == "main.ts"


def test_the_source_folder_is_looked_at_last() -> None:
    assert find_entrypoint(Manifest(assets={"src/main.ts": FILE, "app.js": FILE})) == "app.js"
    assert find_entrypoint(Manifest(assets={"src/main.ts": FILE})) == "src/main.ts"


def test_a_symlink_is_no_entry_point() -> None:
    assert find_entrypoint(manifest(main_ts=SymlinkAsset("x.ts"), mod_ts=FILE)) == "mod.ts"


def test_a_tree_without_one_has_none() -> None:
    assert find_entrypoint(manifest(readme_md=FILE)) is None


def test_a_page_is_shown_when_nothing_can_be_run() -> None:
    assert find_entrypoint(manifest(index_html=FILE, style_css=FILE)) == "index.html"
    assert find_entrypoint(manifest(index_html=FILE, app_ts=FILE)) == "app.ts"
    assert find_entrypoint(Manifest(assets={"public/index.html": FILE})) == "public/index.html"
    assert find_entrypoint(Manifest(assets={"elsewhere/index.html": FILE})) is None


def test_a_page_stands_for_its_folder() -> None:
    assert site_folder("index.html") == "."
    assert site_folder("docs/site/index.html") == "docs/site"
    assert site_folder("main.ts") is None
    assert site_folder("my-index.html") is None
