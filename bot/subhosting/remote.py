"""Modules that are no files of the deployment: v1 takes URLs where it takes paths of assets."""

_SCHEMES = ("https://", "http://")


def is_remote(text: str | None) -> bool:
    """Return whether a stored entry point, import map or lock file is a URL and no asset."""
    # No path of an asset has an empty step.
    return text is not None and text.startswith(_SCHEMES)
