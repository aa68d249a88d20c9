"""Submodules as part of the tree that refers to them, where somebody allowed us to get them."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from git.exc import CommandError

from bot.adapters.git.manifests import Expansion
from bot.adapters.git.module_places import NotFollowed, place_of
from bot.adapters.git.objects import Objects
from bot.adapters.git.taking import start
from bot.adapters.git.trees import MAX_LISTED, SUBMODULE, Entry, is_file, listed
from bot.core.decide.rules import GITMODULES, MAX_RULES_BYTES
from bot.core.model.errors import CommitGone, RepositoryClosed, SourceError, TreeRefused
from bot.core.model.ids import CommitSha, Repository

if TYPE_CHECKING:
    from bot.adapters.git.mirror import Mirror
    from bot.adapters.git.mirrors import Mirrors, Module

# Submodules in submodules, and all of them together.
MAX_DEPTH = 4
MAX_MODULES = 32


class _NotTaken(Exception):  # noqa: N818 - never leaves this module
    """A submodule stays outside; the message says why, in words that follow its path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Level:
    """The submodules of one repository; paths count from the top of the outermost one."""

    prefix: str
    entries: Sequence[Entry]
    urls: Mapping[str, str]  # by path in that repository
    address: str
    depth: int


@dataclass(slots=True)
class Modules:
    """The submodules of one repository at one commit."""

    mirrors: "Mirrors"
    repository: Repository
    mirror: "Mirror"
    objects: Objects
    _fetched: int = 0
    _entries: list[Entry] = field(default_factory=list)
    _opened: set[str] = field(default_factory=set)
    _reasons: dict[str, str] = field(default_factory=dict)

    def expanded(
        self, entries: Sequence[Entry], gitmodules: bytes, wants: Callable[[str], bool]
    ) -> Expansion:
        """Return what lies in the submodules of `entries`, nested ones as well, as far as wanted.

        Their contents are at hand afterwards, for whoever reads the repository itself.

        Raises:
            TreeRefused: all together have too many paths.
            SourceUnavailable: one may be had later.

        """
        levels = [
            _Level(
                prefix="",
                entries=entries,
                urls=_urls(gitmodules, self.mirror),
                address=self.mirrors.base.address_of(self.repository.name),
                depth=1,
            )
        ]
        while levels:
            level = levels.pop()
            for entry in level.entries:
                if not wants(entry.path):
                    continue
                try:
                    levels.append(self._inside(entry, level, wants))
                    self._opened.add(entry.path)
                except (_NotTaken, CommitGone, RepositoryClosed) as problem:
                    self._reasons[entry.path] = _reason(problem)
        return Expansion(self._entries, self._opened, self._reasons)

    def _inside(self, entry: Entry, level: _Level, wants: Callable[[str], bool]) -> _Level:
        """Take in one submodule; return the level of those in it."""
        module = self._module(entry, level)
        mirror = module.mirror
        mirror.fetch(CommitSha(entry.oid))
        records = mirror.records("ls_tree", "-r", "-z", "--full-tree", "--", entry.oid)
        inside = [
            Entry(f"{entry.path}/{each.path}", each.mode, each.oid) for each in listed(records)
        ]
        if len(self._entries) + len(inside) > MAX_LISTED:
            problem = f"has more than the {MAX_LISTED:,} paths that are looked at"
            raise TreeRefused(entry.path, problem)
        mirror.complete({e.oid for e in inside if e.mode != SUBMODULE and wants(e.path)})
        self.objects.borrow(mirror, f"{entry.path}/", module.download)
        self._entries += inside
        nested = [each for each in inside if each.mode == SUBMODULE]
        listing = next((e for e in inside if e.path == f"{entry.path}/{GITMODULES}"), None)
        urls: Mapping[str, str] = {}
        if nested and listing is not None and is_file(listing):
            [(_, content)] = mirror.read([listing.oid], [], start(MAX_RULES_BYTES))
            urls = _urls(content, mirror)
        return _Level(
            prefix=f"{entry.path}/",
            entries=nested,
            urls=urls,
            address=module.address,
            depth=level.depth + 1,
        )

    def _module(self, entry: Entry, level: _Level) -> "Module":
        if level.depth > MAX_DEPTH:
            raise _NotTaken(f"is a submodule more than {MAX_DEPTH} deep, which is not fetched")
        if self._fetched >= MAX_MODULES:
            raise _NotTaken(f"is one more than the {MAX_MODULES} submodules that are fetched")
        url = level.urls.get(entry.path.removeprefix(level.prefix))
        if url is None:
            raise _NotTaken(f"is a submodule that {GITMODULES} does not list")
        place = place_of(url, level.address, self.mirrors.base)
        if isinstance(place, NotFollowed):
            raise _NotTaken(place.reason)
        self._fetched += 1
        try:
            return self.mirrors.module(self.repository, place)
        except ValueError as error:
            raise _NotTaken(f"is a submodule that is not fetched: {error}") from error


def _reason(problem: _NotTaken | SourceError) -> str:
    match problem:
        case CommitGone():
            return f"is a submodule whose repository lacks its commit {problem.commit}"
        case RepositoryClosed():
            return "is a submodule whose repository cannot be read: it is private, or not there"
        case _:
            return str(problem)


def _urls(gitmodules: bytes, mirror: "Mirror") -> Mapping[str, str]:
    """Return the addresses in a `.gitmodules` by path, as git reads it; none if it cannot."""
    with tempfile.TemporaryFile() as file:
        file.write(gitmodules)
        file.seek(0)
        try:
            output = mirror.view.config("--file", "-", "--null", "--list", istream=file)
        except CommandError:
            return {}
    found: dict[str, dict[str, str]] = {}
    for record in bytes(output).decode(errors="replace").split("\0"):
        key, _, value = record.partition("\n")
        name, _, variable = key.rpartition(".")
        found.setdefault(name, {})[variable] = value
    return {
        each["path"]: each["url"]
        for name, each in found.items()
        if name.startswith("submodule.") and each.keys() >= {"path", "url"}
    }
