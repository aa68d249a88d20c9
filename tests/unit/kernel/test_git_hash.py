import subprocess

import pytest

from bot.kernel.git_hash import blob_hasher, blob_sha1


@pytest.mark.parametrize("content", [b"", b"hello\n", b"a\0b\r\n", bytes(range(256)) * 5000])
def test_a_blob_has_the_name_that_git_gives_it(content: bytes) -> None:
    command = ["git", "hash-object", "--stdin", "--no-filters"]

    named = subprocess.run(command, input=content, capture_output=True, check=True)

    assert blob_sha1(content) == named.stdout.decode().strip()


def test_a_blob_can_be_hashed_in_pieces() -> None:
    digest = blob_hasher(6, b"he")
    digest.update(b"llo\n")

    assert digest.hexdigest() == blob_sha1(b"hello\n")
