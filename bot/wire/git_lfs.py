"""The part of Git LFS' batch API that a download needs.

Source: https://github.com/git-lfs/git-lfs/blob/main/docs/api/batch.md
"""

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

MEDIA_TYPE = "application/vnd.git-lfs+json"


class _Wire(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class ObjectRequest(_Wire):
    """One file that is wanted."""

    oid: str
    size: int


class BatchRequest(_Wire):
    """Ask how files are downloaded; the oldest servers know `basic` transfers alone."""

    operation: Literal["download"] = "download"
    transfers: tuple[Literal["basic"], ...] = ("basic",)
    hash_algo: Literal["sha256"] = "sha256"
    objects: tuple[ObjectRequest, ...]


class Action(_Wire):
    """Where one file is, and what has to be sent along."""

    href: str
    header: Mapping[str, str] = Field(default_factory=dict)


class Actions(_Wire):
    """What can be done with one file."""

    download: Action | None = None


class ObjectError(_Wire):
    """Why one file cannot be had; the code is an HTTP status."""

    code: int
    message: str = ""


class ObjectAnswer(_Wire):
    """One file of the answer."""

    oid: str
    actions: Actions = Actions()
    error: ObjectError | None = None


class BatchAnswer(_Wire):
    """The files, in any order."""

    transfer: str = "basic"
    objects: tuple[ObjectAnswer, ...] = ()
