"""Small apps as manifests with their blobs, for everything that deploys."""

import io
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from bot.core.model.errors import SourceUnavailable
from bot.core.model.ids import (
    AppSlug,
    BlobSha,
    Branch,
    DeploymentId,
    RepoName,
    Repository,
    RepositoryId,
)
from bot.core.model.manifest import Asset, FileAsset, Manifest, SymlinkAsset
from bot.kernel.contents import Content, each_closed
from bot.kernel.git_hash import blob_sha1
from bot.kernel.spool import taken
from bot.ports.target import Base, Order
from tests.fakes.source import no_room

OCTO_HELLO = Repository(
    id=RepositoryId(7), name=RepoName("octo/hello"), default_branch=Branch("main")
)

MAIN = b'Deno.serve(() => new Response("hello"));\n'

SAYS_ENV = b"""Deno.serve(() => {
  console.log("visited");
  return Response.json(Deno.env.toObject());
});
"""


@dataclass
class App:
    """Files and links, and a memory of which blobs were read."""

    files: Mapping[str, bytes]
    links: Mapping[str, str] = field(default_factory=dict)
    read_blobs: list[BlobSha] = field(default_factory=list)

    @property
    def manifest(self) -> Manifest:
        assets: dict[str, Asset] = {
            path: FileAsset(BlobSha(blob_sha1(content))) for path, content in self.files.items()
        }
        assets |= {path: SymlinkAsset(target) for path, target in self.links.items()}
        return Manifest(assets=assets)

    def read(self, wanted: Collection[BlobSha]) -> Iterator[tuple[BlobSha, Content]]:
        """Implement `bot.ports.target.BlobReader`."""
        return each_closed(self._read(wanted))

    def _read(self, wanted: Collection[BlobSha]) -> Iterator[tuple[BlobSha, Content]]:
        contents = {BlobSha(blob_sha1(content)): content for content in self.files.values()}
        for sha1 in sorted(wanted, reverse=True):
            if sha1 not in contents:
                msg = f"there is no blob {sha1}"
                raise SourceUnavailable(msg)
            self.read_blobs.append(sha1)
            content = contents[sha1]
            yield sha1, taken(io.BytesIO(content), len(content), no_room)

    def order(
        self,
        key: str = "d00000000001",
        *,
        known: Collection[BlobSha] = (),
        project: str = "hello",
        entrypoint: str = "main.ts",
        base: Base | None = None,
    ) -> Order:
        return Order(
            project=AppSlug(project),
            branch_app=AppSlug(f"{project}--main"),
            repository=OCTO_HELLO,
            branch=Branch("main"),
            key=DeploymentId(key),
            manifest=self.manifest,
            entrypoint=entrypoint,
            known=frozenset(known),
            base=base,
        )


def hello(**changed: bytes) -> App:
    """Return an app of six files, two of them alike, and a link; `changed` by stem of name."""
    files = {
        "main.ts": changed.get("main", MAIN),
        "lib/greet.ts": changed.get("greet", b"export const greeting = 'hello';\n"),
        "static/logo.png": b"\x89PNG\r\n\x1a\n\0\0\0\xff",
        "static/a b\n.txt": "äöü \u2028 </script>".encode(),
        "empty.txt": b"",
        "static/empty too": b"",
    }
    return App(files=files, links={"current": "lib/greet.ts"})
