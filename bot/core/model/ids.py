"""Identifiers with types: a branch handed in where a commit is meant must not compile."""

import re
from dataclasses import dataclass
from typing import NewType

HookId = NewType("HookId", str)  # which webhook sent it: GitHub's id, or "local"
DeliveryGuid = NewType("DeliveryGuid", str)  # unique per hook; the same again on redelivery
RepositoryId = NewType("RepositoryId", int)  # the forge's number; survives renames
RepoName = NewType("RepoName", str)  # "owner/name"
Branch = NewType("Branch", str)  # short: "feature/x", never "refs/heads/feature/x"
PullNumber = NewType("PullNumber", int)  # of a pull request, from 1
CommentId = NewType("CommentId", int)  # the forge's number of a comment
Login = NewType("Login", str)  # an account of the forge; compare by `same_login`
CommitSha = NewType("CommitSha", str)  # 40 (or 64) lower-case hex digits
BlobSha = NewType("BlobSha", str)  # git blob SHA-1, 40 lower-case hex digits
AppName = NewType("AppName", str)  # one deployable thing in a repository; "" is the only one
AppSlug = NewType("AppSlug", str)  # its name in URLs and on the target, unique per installation
HostLabel = NewType("HostLabel", str)  # one DNS label, at most 63 characters
PreviewId = NewType("PreviewId", str)  # the long-lived thing per (repository, line, app)
DeploymentId = NewType("DeploymentId", str)  # ours: one attempt to put one commit live
TargetDeploymentId = NewType("TargetDeploymentId", str)  # the platform's name for it
Generation = NewType("Generation", int)  # counter per preview, from 1; the highest is the newest

_COMMIT_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_REPO_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*/[A-Za-z0-9_.-]+")


def commit_sha(text: str) -> CommitSha | None:
    """Return `text` as a commit id if it is one in full (SHA-1 or SHA-256), else None."""
    return CommitSha(text) if _COMMIT_SHA.fullmatch(text) else None


def repo_name(text: str) -> RepoName | None:
    """Return `text` as "owner/name" if it cannot be a path trick or an option, else None."""
    safe = _REPO_NAME.fullmatch(text) and text.split("/")[1].strip(".") and ".." not in text
    return RepoName(text) if safe else None


def same_login(one: Login, other: Login) -> bool:
    """Tell whether both name one account: GitHub keeps the letter case and ignores it."""
    return one.casefold() == other.casefold()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryKey:
    """What makes a delivery the same delivery."""

    hook: HookId
    guid: DeliveryGuid


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """A repository as an event names it; addresses are built from this, never taken from it."""

    id: RepositoryId
    name: RepoName
    default_branch: Branch
    installation: int | None = None  # the GitHub App's installation, None without an App
