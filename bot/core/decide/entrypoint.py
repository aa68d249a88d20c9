"""Which file starts the app when nobody says, or shows it when nothing has to be started."""

from bot.core.model.manifest import FileAsset, Manifest

# The names that Deno's own tools look for, in their order: `deno serve` and `deno init` write
# main.ts, the v1 dashboard suggested the others.
_STEMS = ("main", "mod", "server", "index", "app")
_ENDINGS = (".ts", ".tsx", ".js", ".jsx", ".mjs", ".mts")
CANDIDATES = tuple(
    f"{folder}{stem}{ending}" for folder in ("", "src/") for stem in _STEMS for ending in _ENDINGS
)

# A static site, if there is no program: by hand, or as generators leave it. The same folders as
# `bot/subhosting/build/presets.py` knows.
_PAGE = "index.html"
_FOLDERS = ("", "dist/", "build/", "out/", "_site/", "public/")
PAGES = tuple(f"{folder}{_PAGE}" for folder in _FOLDERS)


def find_entrypoint(manifest: Manifest) -> str | None:
    """Return the path of the file to run, else of a site's first page, or None.

    It is the first of `CANDIDATES`, then of `PAGES`, that exists.
    """
    return next(
        (
            path
            for path in (*CANDIDATES, *PAGES)
            if isinstance(manifest.assets.get(path), FileAsset)
        ),
        None,
    )


def site_folder(entrypoint: str) -> str | None:
    """Return the folder that an entry point serves as it is, `.` for all; None for a program."""
    folder, _, name = entrypoint.rpartition("/")
    return (folder or ".") if name == _PAGE else None
