"""Git LFS: recognising pointers, so that none is served as if it were the file it stands for."""

# https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md: pointer files must be less than 1024
# bytes, and the version line comes first.
MAX_POINTER_BYTES = 1024
_POINTER_START = b"version https://git-lfs.github.com/spec/v1"

POINTER_REASON = (
    "is a Git LFS pointer; the file behind it is not fetched, so it is not part of the preview"
)


def is_pointer(content: bytes) -> bool:
    """Tell whether `content` is an LFS pointer rather than a file."""
    return len(content) < MAX_POINTER_BYTES and content.startswith(_POINTER_START)
