"""The names that URLs are made of. Pure, so that anyone can compute them before a deployment.

`<app>` is production's, `<app>--<branch>` is stable per branch, `<app>--pr-<n>` per pull request,
`<app>-d-<deployment>` is immutable. Each is one DNS label.
"""

import base64
import hashlib
import re

from bot.core.model.ids import (
    AppName,
    AppSlug,
    Branch,
    DeploymentId,
    HostLabel,
    PullNumber,
    Repository,
)
from bot.core.model.lines import BranchLine, Line, ProductionLine, PullLine, ref_of

# RFC 1035, section 2.3.4.
MAX_LABEL = 63

# Leaves 63 - 24 - 2 = 37 characters for the branch, and fits Deno Deploy's slugs (3 to 32).
MIN_SLUG = 3
MAX_SLUG = 24

# Deno Deploy's limit of an app's slug: docs in `bot/wire/deploy_v2.py`.
MAX_APP = 32

HASH_LENGTH = 10

_OTHER = re.compile(r"[^a-z0-9]+")
_LIKE_A_PULL_REQUEST = re.compile(r"pr-[0-9]+")


def slug_candidates(repository: Repository, app: AppName) -> tuple[AppSlug, ...]:
    """Return the slugs to try for an app, best first; the last is unique to (repository, app).

    A slug has 3 to 24 characters of a-z, 0-9 and single dashes, and no `-d-`, so that no label of
    one app can be read as a label of another.
    """
    owner, name = repository.name.split("/", 1)
    plain = [
        f"{name}-{app}" if app else name,
        f"{owner}-{name}-{app}" if app else f"{owner}-{name}",
    ]
    fingerprint = _fingerprint(f"{repository.id}\0{app}")
    words = [_dashed(text) for text in plain]
    fitting = [word for word in words if MIN_SLUG <= len(word) <= MAX_SLUG]
    room = MAX_SLUG - HASH_LENGTH - 1
    hashed = _dashed(f"{words[0][:room]}-{fingerprint}")
    return tuple(AppSlug(slug) for slug in dict.fromkeys([*fitting, hashed]))


def line_label(slug: AppSlug, repository: Repository, line: Line) -> HostLabel:
    """Return the stable label of a preview, by what it follows."""
    match line:
        case BranchLine(branch):
            return branch_label(slug, repository, branch)
        case PullLine(pull):
            return pull_label(slug, pull)
        case ProductionLine():
            return HostLabel(slug)


def pull_label(slug: AppSlug, pull: PullNumber) -> HostLabel:
    """Return the stable label of a pull request; no branch can have it.

    At most 24 + 6 + 19 characters, as numbers are stored in 64 bits.
    """
    return HostLabel(f"{slug}--pr-{pull}")


def branch_label(slug: AppSlug, repository: Repository, branch: Branch) -> HostLabel:
    """Return the stable label of a branch.

    The branch in lower case, runs of other characters as one dash. A name that lost information
    that way, is too long, or looks like a pull request's `pr-7` is cut and gets a dash and ten
    base32 characters of SHA-256 over (repository id, full ref).
    """
    prefix = f"{slug}--"
    room = MAX_LABEL - len(prefix)
    word = _OTHER.sub("-", branch.lower()).strip("-")
    if word == branch and len(word) <= room and not _LIKE_A_PULL_REQUEST.fullmatch(word):
        return HostLabel(prefix + word)
    fingerprint = _fingerprint(f"{repository.id}\0refs/heads/{branch}")
    kept = word[: room - HASH_LENGTH - 1].strip("-")
    return HostLabel(prefix + (f"{kept}-{fingerprint}" if kept else fingerprint))


def line_app(slug: AppSlug, repository: Repository, line: Line) -> AppSlug:
    """Return the name of an app that serves one line alone, for platforms that have those.

    At most 32 characters, and of no other line of any app.
    """
    match line:
        case BranchLine(branch):
            return branch_app(slug, repository, branch)
        case PullLine(pull):
            whole = f"{slug}--pr-{pull}"
            return AppSlug(whole) if len(whole) <= MAX_APP else _cut(whole, slug, repository, line)
        case ProductionLine():
            return slug


def project_of(slug: AppSlug, repository: Repository, line: Line) -> AppSlug:
    """Return the project of the target that a line's deployments belong to.

    Branches share one and so its blobs and build caches. A fork's pull request has its own:
    nothing that strangers' builds leave behind is met by anybody else's.
    """
    match line:
        case BranchLine() | ProductionLine():
            return slug
        case PullLine():
            return line_app(slug, repository, line)


def database_of(slug: AppSlug, repository: Repository, line: Line) -> str | None:
    """Return our name of a line's KV database; None for a stranger's, who gets none.

    It is the line's alone: what a preview writes is met by no other, and never by production.
    """
    match line:
        case BranchLine() | ProductionLine():
            return line_app(slug, repository, line)
        case PullLine():
            return None


def branch_app(slug: AppSlug, repository: Repository, branch: Branch) -> AppSlug:
    """Return the name of an app that serves one branch alone, for platforms that have those.

    `<slug>--<branch>` where that fits and nothing was lost; else as much of it as fits, a dash
    and ten base32 characters of SHA-256 over (repository id, slug, full ref). At most 32
    characters, and no dash at its end.
    """
    word = _OTHER.sub("-", branch.lower()).strip("-")
    whole = f"{slug}--{word}"
    if word == branch and len(whole) <= MAX_APP and not _LIKE_A_PULL_REQUEST.fullmatch(word):
        return AppSlug(whole)
    return _cut(whole, slug, repository, BranchLine(branch))


def deployment_label(slug: AppSlug, deployment: DeploymentId) -> HostLabel:
    """Return the immutable label of one attempt."""
    return HostLabel(f"{slug}-d-{deployment}")


def _cut(whole: str, slug: AppSlug, repository: Repository, line: Line) -> AppSlug:
    """Return as much of an app's name as fits, and what makes it the line's alone."""
    fingerprint = _fingerprint(f"{repository.id}\0{slug}\0{ref_of(line)}")
    kept = whole[: MAX_APP - HASH_LENGTH - 1].rstrip("-")
    return AppSlug(f"{kept}-{fingerprint}")


def _dashed(text: str) -> str:
    """Return `text` as a slug would have it, of any length, without a `-d-`."""
    word = _OTHER.sub("-", text.lower()).strip("-")
    while "-d-" in word:
        word = word.replace("-d-", "-d")
    return word


def _fingerprint(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    return base64.b32encode(digest).decode().lower()[:HASH_LENGTH]
