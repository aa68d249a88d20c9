"""Repositories made to harm whoever fetches or deploys them, and what becomes of each.

Shapes of git's own security advisories (submodules, symbolic links, `.git` in all the spellings
of other file systems), of path traversal, and of bombs. `outcome` is a part of the check's text
for those that are refused, or `LIVE` for those that are deployed as harmless names.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from bot.adapters.git.trees import MAX_FILES
from bot.core.model.ids import CommitSha
from bot.kernel.git_hash import blob_sha1
from tests.integration.git.origin import Origin, Row, git

LIVE = "live"
# What the suite sets the limit of a file to; the full one is shown in `soak/`.
FILE_LIMIT_BYTES = 4 * 1024 * 1024
# As many as git itself makes, and sends on. https://git-scm.com/docs/git-pack-objects, --depth
CHAIN_LEVELS = 50
MAIN = b"Deno.serve(() => new Response('served'));\n"
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n"


@dataclass(frozen=True, kw_only=True)
class Case:
    """One repository, made by pushing a commit to `origin`."""

    name: str
    push: Callable[[Origin], CommitSha]
    outcome: str = LIVE


def rows(origin: Origin, *more: Row) -> CommitSha:
    """Push an app that serves, with `more` in its root."""
    main = Row(b"100644", b"main.ts", origin.write("blob", MAIN))
    ordered = sorted([main, *more], key=lambda row: row.name)
    return origin.commit_tree("main", origin.write_tree(ordered))


def file(name: bytes, content: bytes = b"x") -> Callable[[Origin], CommitSha]:
    return lambda origin: rows(origin, Row(b"100644", name, origin.write("blob", content)))


def link(name: bytes, target: bytes) -> Callable[[Origin], CommitSha]:
    return lambda origin: rows(origin, Row(b"120000", name, origin.write("blob", target)))


def folder(name: bytes, *inside: tuple[bytes, bytes]) -> Callable[[Origin], CommitSha]:
    """Push a folder of files; the names may be anything."""

    def push(origin: Origin) -> CommitSha:
        tree = origin.write_tree(
            [Row(b"100644", each, origin.write("blob", content)) for each, content in inside]
        )
        return rows(origin, Row(b"40000", name, tree))

    return push


def modules(text: str, path: bytes = b"sub") -> Callable[[Origin], CommitSha]:
    """Push a submodule with this `.gitmodules`."""

    def push(origin: Origin) -> CommitSha:
        return rows(
            origin,
            Row(b"100644", b".gitmodules", origin.write("blob", text.encode())),
            Row(b"160000", path, "1" * 40),
        )

    return push


def module(url: str, *, path: str = "sub", more: str = "") -> str:
    return f'[submodule "{path}"]\n\tpath = {path}\n\turl = {url}\n{more}'


def deep(levels: int) -> Callable[[Origin], CommitSha]:
    def push(origin: Origin) -> CommitSha:
        tree = origin.write_tree([Row(b"100644", b"f", origin.write("blob", b"x"))])
        for _ in range(levels):
            tree = origin.write_tree([Row(b"40000", b"d", tree)])
        return rows(origin, Row(b"40000", b"d", tree))

    return push


def tree_bomb(origin: Origin) -> CommitSha:
    """Push ten folders of ten folders of ...: 10^10 paths in a few kilobytes."""
    tree = origin.write_tree([Row(b"100644", b"f", origin.write("blob", b"x"))])
    for _ in range(10):
        tree = origin.write_tree([Row(b"40000", b"%d" % n, tree) for n in range(10)])
    return rows(origin, Row(b"40000", b"bomb", tree))


def many_files(count: int) -> Callable[[Origin], CommitSha]:
    """Push `count` files of one content in one folder."""

    def push(origin: Origin) -> CommitSha:
        blob = origin.write("blob", b"x")
        tree = origin.write_tree([Row(b"100644", b"%06d" % n, blob) for n in range(count)])
        return rows(origin, Row(b"40000", b"many", tree))

    return push


def zeros(size_bytes: int) -> Callable[[Origin], CommitSha]:
    """Push a file of zeros, of which a pack holds a thousandth."""
    return file(b"zeros.bin", bytes(size_bytes))


def delta_chain(levels: int) -> Callable[[Origin], CommitSha]:
    """Push a folder of files, each stored as what differs from the one before it."""

    def push(origin: Origin) -> CommitSha:
        # fast-import makes each blob a delta of the last; `repack` would look for shorter chains.
        text = hashlib.shake_256(b"chain").hexdigest(4_096)
        blobs = [text + "\n" * number for number in range(levels + 1)]
        stream = "".join(f"blob\ndata {len(blob)}\n{blob}\n" for blob in blobs)
        # Fewer objects than this would be written one by one.
        words = ("-c", "fastimport.unpackLimit=1", "fast-import", "--quiet", f"--depth={levels}")
        git(*words, cwd=origin.path, given=stream)
        made = [
            Row(b"100644", b"%03d" % number, blob_sha1(blob.encode()))
            for number, blob in enumerate(blobs)
        ]
        return rows(origin, Row(b"40000", b"chain", origin.write_tree(made)))

    return push


def both(name: bytes, target: bytes, inside: bytes) -> Callable[[Origin], CommitSha]:
    """Push a link and a folder of one name: written out, the folder's file lands at the target."""

    def push(origin: Origin) -> CommitSha:
        tree = origin.write_tree([Row(b"100644", inside, origin.write("blob", b"x"))])
        return rows(
            origin,
            Row(b"120000", name, origin.write("blob", target)),
            Row(b"40000", name, tree),
        )

    return push


def links(**targets: str) -> Callable[[Origin], CommitSha]:
    def push(origin: Origin) -> CommitSha:
        made = [
            Row(b"120000", name.encode(), origin.write("blob", target.encode()))
            for name, target in targets.items()
        ]
        return rows(origin, *made)

    return push


def twice(origin: Origin) -> CommitSha:
    blob = origin.write("blob", b"x")
    return rows(origin, Row(b"100644", b"a", blob), Row(b"100644", b"a", blob))


def missing_blob(origin: Origin) -> CommitSha:
    return rows(origin, Row(b"100644", b"gone.txt", "2" * 40))


def link_to_a_tree(origin: Origin) -> CommitSha:
    return rows(origin, Row(b"120000", b"l", origin.write_tree([])))


def submodule_of_a_blob(origin: Origin) -> CommitSha:
    return rows(origin, Row(b"160000", b"sub", origin.write("blob", b"x")))


TRAVERSALS = [
    Case(name="a file called ..", push=file(b".."), outcome="'..'"),
    Case(name="a file called .", push=file(b"."), outcome="'.'"),
    Case(name="an absolute name", push=file(b"/etc/cron.d/x"), outcome="is absolute"),
    Case(name="a name that climbs", push=file(b"a/../../x"), outcome="'..'"),
    Case(name="a folder called ..", push=folder(b"..", (b"x", b"1")), outcome="'..'"),
    Case(name="two slashes in a name", push=file(b"a//b"), outcome="component ''"),
    Case(name="a name that ends in a slash", push=file(b"a/"), outcome="component ''"),
    Case(name="a name with backslashes", push=file(rb"..\..\x")),
    Case(name="a name with a drive", push=file(b"C:x")),
    Case(name="a name of 256 bytes", push=file(b"x" * 256), outcome="longer than 255 bytes"),
    Case(name="a name that is not UTF-8", push=file(b"x\xff"), outcome="not valid UTF-8"),
    Case(name="a name with a newline", push=file(b"a\nb")),
    Case(name="a name with an escape sequence", push=file(b"\x1b[2Jx")),
    Case(name="a name that is an option", push=file(b"--upload-pack=touch x")),
    Case(name="a name with shell syntax", push=file(b"$(touch x);`touch y`")),
    Case(name="Windows' devices", push=folder(b"con", (b"aux.txt", b"1"), (b"nul", b"2"))),
    Case(
        name="names that differ in case", push=folder(b"d", (b"README", b"1"), (b"readme", b"2"))
    ),
    Case(
        name="names that differ in normal form",
        push=folder(b"d", ("e\u0301".encode(), b"1"), ("é".encode(), b"2")),
    ),
    Case(name="a name that stands twice", push=twice, outcome="appears twice"),
    Case(name="a depth of 90", push=deep(89)),
    Case(name="a depth of 500", push=deep(500), outcome="more than 100 components"),
    Case(name="a depth of 2,000", push=deep(2000), outcome="longer than 1024 bytes"),
]

DOT_GIT = [
    Case(name="a .git folder", push=folder(b".git", (b"config", b"[core]\n")), outcome=".git"),
    Case(name="a .GIT folder", push=folder(b".GIT", (b"config", b"[core]\n")), outcome=".git"),
    Case(name="a .git file", push=file(b".git", b"gitdir: /etc"), outcome=".git"),
    Case(name="a .git folder further down", push=folder(b"a/.Git", (b"x", b"1")), outcome=".git"),
    # Files of these names are a .git on NTFS or HFS+; no checkout is made, and Linux serves them.
    Case(name="NTFS's short name", push=folder(b"git~1", (b"config", b"[core]\n"))),
    Case(name="NTFS's trailing dot", push=folder(b".git.", (b"config", b"[core]\n"))),
    Case(name="NTFS's trailing space", push=folder(b".git ", (b"config", b"[core]\n"))),
    Case(name="NTFS's stream", push=folder(b".git::$INDEX_ALLOCATION", (b"config", b"x"))),
    Case(name="HFS's ignored character", push=folder(".g\u200cit".encode(), (b"config", b"x"))),
    Case(name="hooks", push=folder(b"hooks", (b"post-checkout", b"#!/bin/sh\ntouch x\n"))),
    Case(
        name="a filter in .gitattributes",
        push=file(b".gitattributes", b"* filter=evil ident export-subst\n"),
    ),
    Case(name="an .lfsconfig", push=file(b".lfsconfig", b"[lfs]\nurl = http://127.0.0.1:9/\n")),
    Case(name="an LFS pointer", push=file(b"logo.png", POINTER)),
]

LINKS = [
    Case(name="a link to /etc/passwd", push=link(b"l", b"/etc/passwd"), outcome="leads out"),
    Case(name="a link that climbs", push=link(b"l", b"../../../etc/passwd"), outcome="leads out"),
    Case(name="a link to the root's parent", push=link(b"l", b".."), outcome="leads out"),
    Case(name="a link to /proc", push=link(b"l", b"/proc/self/environ"), outcome="leads out"),
    Case(name="links that climb together", push=links(a="b/..", b="c", c=".."), outcome="leads"),
    Case(name="a link to itself", push=link(b"l", b"l"), outcome="leads out"),
    Case(name="links in a ring", push=links(a="b", b="c", c="a"), outcome="leads out"),
    Case(name="a link with a NUL", push=link(b"l", b"a\0/etc/passwd"), outcome="leads out"),
    Case(name="a link to nowhere", push=link(b"l", b"nowhere")),
    Case(name="an empty link", push=link(b"l", b""), outcome="leads out"),
    Case(name="a link of 6,000 bytes", push=link(b"l", b"x/" * 3000), outcome="6000 bytes"),
    Case(name="a link that is not UTF-8", push=link(b"l", b"\xff"), outcome="not valid UTF-8"),
    Case(name="a link called .gitmodules", push=link(b".gitmodules", b"main.ts")),
    Case(name="a link to a tree", push=link_to_a_tree, outcome="leads out"),
    Case(
        name="a file behind a link of its folder's name",
        push=both(b"a", b".", b"x"),
        outcome="a file or link and a folder at once",
    ),
    Case(
        name="a file behind a link to our hooks",
        push=both(b"a", b".git/hooks", b"post-checkout"),
        outcome="a file or link and a folder at once",
    ),
]

SUBMODULES = [
    Case(name="a submodule at an option", push=modules(module("-u./payload"))),
    Case(name="a submodule at a command", push=modules(module("ext::sh -c touch% x"))),
    Case(name="a submodule by file://", push=modules(module("file:///etc"))),
    Case(name="a submodule by ssh option", push=modules(module("ssh://-oProxyCommand=touch x/y"))),
    Case(name="a submodule that climbs", push=modules(module("../../x", path="../../x"))),
    Case(
        name="a submodule with a command for its update",
        push=modules(module("https://127.0.0.1:9/x", more="\tupdate = !touch x\n")),
    ),
    Case(name="a submodule at ..", push=modules(module("https://x"), b".."), outcome="'..'"),
    Case(name="a submodule at .git", push=modules(module("https://x"), b".git"), outcome=".git"),
    Case(name="a submodule that is a blob", push=submodule_of_a_blob),
    Case(name="a .gitmodules that is no configuration", push=modules("\0[[[" * 100)),
]

BOMBS = [
    Case(name="ten folders of ten folders, ten times", push=tree_bomb, outcome="250,000 paths"),
    Case(name="a blob that is not there", push=missing_blob, outcome="could not read acme/"),
    Case(name="3,000 files in one folder", push=many_files(3000)),
    Case(
        name="100,001 files, all but one in one folder",
        push=many_files(MAX_FILES),
        outcome="is one more than the 100,000 files of a preview",
    ),
    Case(name="a file of zeros as large as is taken", push=zeros(FILE_LIMIT_BYTES)),
    Case(
        name="a file of zeros that is larger",
        push=zeros(FILE_LIMIT_BYTES + 1),
        outcome="'zeros.bin' has 4,194,305 bytes; 4,194,304 are taken",
    ),
    Case(name="a long chain of deltas", push=delta_chain(CHAIN_LEVELS)),
]

CASES = [*TRAVERSALS, *DOT_GIT, *LINKS, *SUBMODULES, *BOMBS]
