"""Bare repositories as we make them, without starting git and without its templates."""

from pathlib import Path


def lay_out(directory: Path, config: str) -> None:
    """Make an empty bare repository, as `git init --bare --template=` would."""
    for folder in ("objects/info", "objects/pack", "refs/heads"):
        (directory / folder).mkdir(parents=True)
    (directory / "HEAD").write_text("ref: refs/heads/none\n")
    (directory / "config").write_text(config)


def configuration(address: str | None, oid_digits: int) -> str:
    """Return the configuration of a mirror of `address`, or of a view when that is None."""
    lines = ["[core]", "repositoryformatversion = 1", "bare = true"]
    if oid_digits == 64:  # noqa: PLR2004 - SHA-256 in hex
        lines += ["[extensions]", "objectFormat = sha256"]
    if address is not None:
        quoted = address.replace("\\", "\\\\").replace('"', '\\"')
        lines += [
            '[remote "origin"]',
            f'url = "{quoted}"',
            "promisor = true",
            "partialclonefilter = blob:none",
            # Below this many objects git unpacks one by one, and fetches each delta base that a
            # blobless mirror lacks by itself: 60 changed files were 124 requests. index-pack
            # asks for all bases at once.
            "[fetch]",
            "unpackLimit = 1",
        ]
    return "\n".join(lines) + "\n"
