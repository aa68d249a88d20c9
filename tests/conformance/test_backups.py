"""A backup that works: no SDK offers one, and schemathesis makes up buckets that nobody has."""

import json
from collections.abc import Callable

from bot.subhosting.service.backups import LOCAL_ENDPOINT
from tests.conformance.recording import Proxy, Record
from tests.subhosting.server import Answer, RunningSubhosting, request, wait_until


def test_the_answers_around_a_backup_are_as_the_document_says(
    server: RunningSubhosting, through: Callable[[str], Proxy], record: Record
) -> None:
    start = len(record.since(0))
    port = through("plain HTTP").server_port
    headers = {"Authorization": f"Bearer {server.token}", "Content-Type": "application/json"}

    def call(method: str, path: str, body: object = None) -> Answer:
        content = None if body is None else json.dumps(body).encode()
        return request(port, method, f"/v1{path}", headers=headers, body=content)

    database = call("POST", f"/organizations/{server.organization}/databases", {}).json["id"]
    wanted = {
        "kind": "s3",
        "endpoint": LOCAL_ENDPOINT,
        "bucketName": "copies",
        "bucketRegion": "local",
        "accessKeyId": "a",
        "secretAccessKey": "s",
    }

    made = call("POST", f"/databases/{database}/database_backups", wanted)
    listed = call("GET", f"/databases/{database}/database_backups")
    path = f"/database_backups/{made.json['id']}"
    wait_until(lambda: call("GET", path).json["status"]["code"] == "active", "the first copy")
    deleted = call("DELETE", path)

    assert (made.status, listed.status, deleted.status) == (200, 200, 200)
    assert [each["id"] for each in listed.json] == [made.json["id"]]
    assert [text for each in record.since(start) for text in each.violations] == []
