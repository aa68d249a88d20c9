"""Backups of KV databases, from the request to the copy in the bucket."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.fakes.subhosting.s3 import FakeS3
from tests.subhosting.databases.conftest import KEY, KEY_ID
from tests.subhosting.databases.test_kv import COUNTER
from tests.subhosting.server import Answer, Json, RunningSubhosting, wait_until


def enable(server: RunningSubhosting, database: Json, **changes: object) -> Answer:
    body = {
        "kind": "s3",
        "bucketName": "copies",
        "bucketRegion": "eu-central-1",
        "accessKeyId": KEY_ID,
        "secretAccessKey": KEY,
        **changes,
    }
    return server.call("POST", f"/v1/databases/{database['id']}/database_backups", body)


def ended(server: RunningSubhosting, backup_id: str) -> Json:
    def status() -> Json:
        found: Json = server.call("GET", f"/v1/database_backups/{backup_id}").json
        return found

    wait_until(lambda: status()["status"]["code"] != "pending", "the first copy")
    return status()


def test_a_copy_of_what_the_app_stored_arrives(
    server: RunningSubhosting, s3: FakeS3, database: Json
) -> None:
    project = server.new_project()
    linked = {"default": database["id"]}
    live = server.deployed(project["id"], {"main.ts": COUNTER}, databases=linked)
    server.get(live["domains"][0])

    made = enable(server, database, endpoint=s3.endpoint, prefix="nightly")

    assert made.status == 200, made
    shown = ended(server, made.json["id"])
    assert shown == {
        "id": made.json["id"],
        "kind": "s3",
        "endpoint": s3.endpoint,
        "bucketName": "copies",
        "bucketRegion": "eu-central-1",
        "accessKeyId": KEY_ID,
        "prefix": "nightly",
        "status": {"code": "active"},
    }
    (content,) = (content for path, content in s3.objects.items() if database["id"] in path)
    with closing(sqlite3.connect(":memory:")) as copy:
        copy.deserialize(content)
        assert copy.execute("select count(*) from kv").fetchone() == (1,)
    stored = server.data_dir.joinpath("subhosting.db").read_bytes()
    assert KEY.encode() not in stored


def test_a_database_has_one_backup(server: RunningSubhosting, s3: FakeS3, database: Json) -> None:
    path = f"/v1/databases/{database['id']}/database_backups"
    made = enable(server, database, endpoint=s3.endpoint)
    second = enable(server, database, endpoint=s3.endpoint)
    listed = server.call("GET", path).json
    ended(server, made.json["id"])
    deleted = server.call("DELETE", f"/v1/database_backups/{made.json['id']}")

    assert (second.status, second.json["code"]) == (409, "databaseBackupExists")
    assert [each["id"] for each in listed] == [made.json["id"]]
    assert (deleted.status, deleted.json) == (200, {})
    assert server.call("GET", path).json == []
    assert server.call("GET", f"/v1/database_backups/{made.json['id']}").status == 404
    assert enable(server, database, endpoint=s3.endpoint).status == 200


def test_a_backup_is_not_deleted_while_a_copy_is_on_its_way(
    server: RunningSubhosting, s3: FakeS3, database: Json
) -> None:
    before = s3.arrived
    with s3.slow():
        made = enable(server, database, endpoint=s3.endpoint).json["id"]
        wait_until(lambda: s3.arrived > before, "the copy to arrive at the bucket")
        refused = server.call("DELETE", f"/v1/database_backups/{made}")
    ended(server, made)
    deleted = server.call("DELETE", f"/v1/database_backups/{made}")

    assert (refused.status, refused.json["code"]) == (409, "databaseBackupInProgress")
    assert refused.json["message"].startswith("databaseBackupId: ")
    assert deleted.status == 200


def test_a_wrong_key_shows_in_the_status_and_not_in_it(
    server: RunningSubhosting, s3: FakeS3, database: Json
) -> None:
    made = enable(server, database, endpoint=s3.endpoint, secretAccessKey="wrong-secret")

    shown = ended(server, made.json["id"])

    assert shown["status"]["code"] == "failed"
    assert "SignatureDoesNotMatch" in shown["status"]["message"]
    assert "wrong-secret" not in str(shown)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"endpoint": "http://169.254.169.254/"}, "endpoint"),
        ({"endpoint": "http://10.0.0.1/"}, "endpoint"),
        ({"endpoint": "http://[::1]/"}, "endpoint"),
        ({"endpoint": "ftp://127.0.0.1/"}, "endpoint"),
        ({"endpoint": "file:///etc"}, "endpoint"),
        ({"bucketName": "Bad Bucket"}, "bucketName"),
        ({"prefix": "../up"}, "prefix"),
        ({"accessKeyId": "a b"}, "accessKeyId"),
        ({"secretAccessKey": ""}, "secretAccessKey"),
        ({"kind": "gcs"}, "kind"),
        ({"endpoint": "file:///", "bucketName": "../up"}, "bucketName"),
    ],
)
def test_a_bad_setting_is_refused_by_field(
    server: RunningSubhosting, s3: FakeS3, database: Json, changes: Json, field: str
) -> None:
    answer = enable(server, database, **{"endpoint": s3.endpoint, **changes})

    assert answer.status == 400, answer
    assert answer.json["message"].startswith(f"{field}: ")


def test_the_operator_s_folder_is_a_target_too(
    server: RunningSubhosting, backup_dir: Path, database: Json
) -> None:
    made = enable(server, database, endpoint="file:///", bucketName="local", prefix="a/b")

    assert made.status == 200, made
    assert ended(server, made.json["id"])["status"] == {"code": "active"}
    (copy,) = (backup_dir / "local" / "a" / "b").iterdir()
    assert copy.name.startswith(database["id"])
