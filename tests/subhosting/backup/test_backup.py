"""Backups: signed, placed, consistent, and silent about secrets."""

import logging
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.subhosting.backup.s3 import S3Settings, S3Target, SettingsProblem, problem
from bot.subhosting.backup.sigv4 import S3Credentials, canonical_path, signed_headers
from bot.subhosting.backup.snapshot import snapshot
from bot.subhosting.backup.targets import DirectoryTarget, NotStored, Stored
from bot.subhosting.trust.addresses import AddressPolicy, AllowList
from tests.fakes.clock import FakeClock
from tests.fakes.subhosting.names import FakeHosts
from tests.fakes.subhosting.s3 import FakeS3, running_s3

SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
OPEN = AddressPolicy(allowed=AllowList.of(["127.0.0.0/8"]))
PUBLIC = AddressPolicy(resolver=FakeHosts({"s3.test": [["93.184.215.14"]]}))
SETTINGS = S3Settings(
    endpoint="https://s3.test",
    bucket_name="copies",
    bucket_region="eu-central-1",
    access_key_id="AKIAIOSFODNN7EXAMPLE",
    secret_access_key=SecretStr(SECRET),
)


@pytest.fixture
def s3() -> Iterator[FakeS3]:
    with running_s3("AKIAIOSFODNN7EXAMPLE", SECRET) as server:
        yield server


@pytest.fixture
def content(tmp_path: Path) -> Path:
    path = tmp_path / "content"
    path.write_bytes(b"database" * 50_000)
    return path


def target(s3: FakeS3, prefix: str = "", *, path: str = "") -> S3Target:
    settings = replace(SETTINGS, endpoint=s3.endpoint + path, prefix=prefix)
    assert problem(settings, OPEN) is None
    return S3Target(settings, OPEN, FakeClock())


def test_amazon_s_own_example_has_amazon_s_signature() -> None:
    # "Example: PUT Object" in
    # https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
    headers = signed_headers(
        S3Credentials(
            access_key_id="AKIAIOSFODNN7EXAMPLE",
            secret_access_key=SecretStr(SECRET),
            region="us-east-1",
        ),
        method="PUT",
        path=canonical_path("/test$file.text"),
        headers={
            "Host": "examplebucket.s3.amazonaws.com",
            "Date": "Fri, 24 May 2013 00:00:00 GMT",
            "x-amz-storage-class": "REDUCED_REDUNDANCY",
        },
        content_sha256="44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
        now=datetime(2013, 5, 24, tzinfo=UTC),
    )

    assert headers["Authorization"] == (
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
        "SignedHeaders=date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class,"
        "Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"
    )


@pytest.mark.parametrize(
    ("prefix", "key"),
    [
        ("", "one.db"),
        ("kv", "kv/one.db"),
        ("/kv//nightly/", "kv/nightly/one.db"),
        ("a b/k\u00e4se+$%2A~", "a%20b/k%C3%A4se%2B%24%252A~/one.db"),
    ],
)
@pytest.mark.parametrize("path", ["", "/", "/storage/v1/"])
def test_the_server_accepts_the_signature_under_every_prefix(
    s3: FakeS3, content: Path, prefix: str, key: str, path: str
) -> None:
    stored = target(s3, prefix, path=path).put("one.db", content)

    assert isinstance(stored, Stored)
    assert stored.size_bytes == 400_000
    assert s3.objects == {f"{path.rstrip('/')}/copies/{key}": content.read_bytes()}


def test_an_empty_database_is_stored_too(s3: FakeS3, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()

    assert isinstance(target(s3).put("one.db", tmp_path / "empty"), Stored)
    assert s3.objects == {"/copies/one.db": b""}


def test_a_wrong_secret_is_reported_in_s3_s_word(s3: FakeS3, content: Path) -> None:
    s3.secret = "another"

    assert target(s3).put("x", content) == NotStored("S3 answered 403 SignatureDoesNotMatch")
    assert s3.objects == {}


@pytest.mark.parametrize("answer", [(301, "PermanentRedirect"), (500, ""), (307, "")])
def test_any_answer_but_success_is_not_stored(
    s3: FakeS3, content: Path, answer: tuple[int, str]
) -> None:
    s3.answer_with = answer
    stored = target(s3).put("x", content)

    assert stored == NotStored(f"S3 answered {answer[0]} {answer[1]}".rstrip())


def test_an_endpoint_that_turned_inwards_since_is_not_contacted(s3: FakeS3, content: Path) -> None:
    hosts = FakeHosts({"s3.test": [["93.184.215.14"], ["127.0.0.1"]]})
    policy = AddressPolicy(resolver=hosts)
    settings = replace(SETTINGS, endpoint=f"http://s3.test:{s3.server_port}")
    assert problem(settings, policy) is None

    stored = S3Target(settings, policy, FakeClock()).put("x", content)

    assert isinstance(stored, NotStored)
    assert "not on the public Internet" in stored.message
    assert s3.objects == {}


def test_an_endpoint_that_is_away_is_not_stored(content: Path) -> None:
    settings = replace(SETTINGS, endpoint="http://127.0.0.1:1")

    assert S3Target(settings, OPEN, FakeClock()).put("x", content) == NotStored(
        "endpoint: could not be reached (ConnectError)"
    )


def test_good_settings_have_no_problem() -> None:
    assert problem(SETTINGS, PUBLIC) is None


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        (replace(SETTINGS, endpoint="s3.test"), "endpoint"),
        (replace(SETTINGS, endpoint="file:///etc/passwd"), "endpoint"),
        (replace(SETTINGS, endpoint="https://user:word@s3.test"), "endpoint"),
        (replace(SETTINGS, endpoint="https://s3.test/?a=b"), "endpoint"),
        (replace(SETTINGS, endpoint="https://[::1"), "endpoint"),
        (replace(SETTINGS, endpoint="http://169.254.169.254/"), "endpoint"),
        (replace(SETTINGS, endpoint="http://2130706433/"), "endpoint"),
        (replace(SETTINGS, endpoint="http://[fe80::1%25eth0]/"), "endpoint"),
        (replace(SETTINGS, bucket_name="../other"), "bucketName"),
        (replace(SETTINGS, bucket_region="eu/x"), "bucketRegion"),
        (replace(SETTINGS, access_key_id="a/b"), "accessKeyId"),
        (replace(SETTINGS, access_key_id="a\r\nX-Evil: 1"), "accessKeyId"),
        (replace(SETTINGS, secret_access_key=SecretStr("")), "secretAccessKey"),
        (replace(SETTINGS, prefix="a/../b"), "prefix"),
        (replace(SETTINGS, prefix="a\nb"), "prefix"),
        (replace(SETTINGS, prefix="\ud800"), "prefix"),
        (replace(SETTINGS, prefix="x" * 900), "prefix"),
    ],
)
def test_a_problem_names_the_field(changed: S3Settings, field: str) -> None:
    found = problem(changed, PUBLIC)

    assert isinstance(found, SettingsProblem)
    assert found.field == field


def test_the_secret_is_nowhere_to_be_read(
    s3: FakeS3, content: Path, caplog: pytest.LogCaptureFixture
) -> None:
    s3.answer_with = (403, SECRET)
    with caplog.at_level(logging.DEBUG):
        used = target(s3)
        stored = used.put("x", content)

    shown = f"{SETTINGS!r} {used!r} {stored!r} {caplog.text}"
    assert SECRET not in shown


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "x\n", "x" * 201])
def test_a_name_is_never_a_path(tmp_path: Path, content: Path, name: str) -> None:
    with pytest.raises(ValueError, match="plain file name"):
        DirectoryTarget(tmp_path / "backups").put(name, content)


def test_a_folder_keeps_private_whole_copies(tmp_path: Path, content: Path) -> None:
    kept = DirectoryTarget(tmp_path / "backups", "kv/nightly").put("one.db", content)

    path = tmp_path / "backups" / "kv" / "nightly" / "one.db"
    assert kept == Stored(place=str(path), size_bytes=400_000)
    assert path.read_bytes() == content.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["one.db"]


def test_a_folder_prefix_does_not_lead_out(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"prefix: has the segment"):
        DirectoryTarget(tmp_path, "../elsewhere")


def test_a_folder_that_cannot_be_written_is_not_stored(tmp_path: Path, content: Path) -> None:
    (tmp_path / "file").touch()

    assert isinstance(DirectoryTarget(tmp_path / "file").put("x", content), NotStored)


def test_a_snapshot_holds_what_is_committed_and_no_more(tmp_path: Path) -> None:
    database = tmp_path / "kv.sqlite3"
    with closing(sqlite3.connect(database, isolation_level=None)) as app:
        app.execute("PRAGMA journal_mode=WAL")
        app.execute("CREATE TABLE kv (k, v)")
        app.execute("INSERT INTO kv VALUES (1, 'committed')")
        app.execute("BEGIN IMMEDIATE")
        app.execute("INSERT INTO kv VALUES (2, 'not yet')")

        snapshot(database, tmp_path / "copy.db")

        app.execute("COMMIT")
    with closing(sqlite3.connect(f"file:{tmp_path / 'copy.db'}?mode=ro", uri=True)) as copy:
        assert copy.execute("SELECT * FROM kv").fetchall() == [(1, "committed")]
    assert sorted(path.name for path in tmp_path.iterdir() if "copy" in path.name) == ["copy.db"]


def test_no_database_is_made_by_looking_for_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        snapshot(tmp_path / "kv.sqlite3", tmp_path / "copy.db")
    assert list(tmp_path.iterdir()) == []
