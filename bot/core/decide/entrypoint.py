"""Which file starts the app when nobody says."""

from bot.core.model.manifest import FileAsset, Manifest

# The names that Deno's own tools look for, in their order: `deno serve` and `deno init` write
# main.ts, the v1 dashboard suggested the others.
_STEMS = ("main", "mod", "server", "index", "app")
_ENDINGS = (".ts", ".tsx", ".js", ".jsx", ".mjs", ".mts")
CANDIDATES = tuple(
    f"{folder}{stem}{ending}" for folder in ("", "src/") for stem in _STEMS for ending in _ENDINGS
)


def find_entrypoint(manifest: Manifest) -> str | None:
    """Return the path of the file to run: the first of `CANDIDATES` that exists, or None."""
    return next(
        (path for path in CANDIDATES if isinstance(manifest.assets.get(path), FileAsset)), None
    )
