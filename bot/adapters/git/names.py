"""SHA-1 names for the blobs of SHA-256 repositories, which platforms do not know by theirs."""

from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path

from bot.core.model.ids import BlobSha

Hash = Callable[[Collection[str]], Iterator[tuple[str, BlobSha]]]

SHA1_DIGITS = 40


class Names:
    """Both names of each blob that was ever hashed, kept beside the mirror.

    A SHA-1 repository's object ids are the names, and nothing is kept. Contents are read and
    hashed once; the file only grows, and a line that was cut off by a crash is hashed again.
    """

    def __init__(self, file: Path, hashed: Hash) -> None:
        """Keep what is learnt in `file`; learn by `hashed`."""
        self._file = file
        self._hashed = hashed

    def sha1s(self, oids: Collection[str]) -> Mapping[str, BlobSha]:
        """Return the SHA-1 of each of `oids`."""
        if all(len(oid) == SHA1_DIGITS for oid in oids):
            return {oid: BlobSha(oid) for oid in oids}
        known = self._known()
        unknown = {oid for oid in oids if oid not in known}
        if unknown:
            learnt = dict(self._hashed(unknown))
            with self._file.open("a") as file:
                file.write("".join(f"\n{oid} {sha1}\n" for oid, sha1 in learnt.items()))
            known |= learnt
        return {oid: known[oid] for oid in oids}

    def oids(self, sha1s: Collection[BlobSha]) -> dict[str, BlobSha]:
        """Return object id -> SHA-1 for each of `sha1s`; a name never learnt stands for itself."""
        by_sha1 = {sha1: oid for oid, sha1 in self._known().items()}
        return {by_sha1.get(sha1, sha1): sha1 for sha1 in sha1s}

    def _known(self) -> dict[str, BlobSha]:
        if not self._file.is_file():
            return {}
        pairs = (line.split() for line in self._file.read_text().splitlines())
        return {
            pair[0]: BlobSha(pair[1])
            for pair in pairs
            if [len(word) for word in pair] == [64, SHA1_DIGITS]
        }
