"""The host deletes what no deployment uses, and nothing else."""

from pathlib import Path

from tests.subhosting.intake.limited import HELLO, git_sha1
from tests.subhosting.server import RunningSubhosting, wait_until


def test_unused_contents_go_after_the_grace_period(tmp_path: Path) -> None:
    # Twice the grace period: forgetting, then deleting.
    settings = {"blob_grace": 0.2, "collect_every": 0, "scan_every": 0.2}
    with RunningSubhosting(tmp_path / "data", **settings) as server:
        project = server.new_project()["id"]
        kept = server.deployed(project, {"main.ts": HELLO})
        gone = server.deployed(project, {"main.ts": HELLO, "old.txt": "old"})
        folder = server.data_dir / "blobs" / project
        assert {path.name for path in folder.iterdir()} == {
            git_sha1(HELLO.encode()),
            git_sha1(b"old"),
        }

        server.call("DELETE", f"/v1/deployments/{gone['id']}")

        wait_until(lambda: not (folder / git_sha1(b"old")).exists(), "the collection", within_s=60)
        assert (folder / git_sha1(HELLO.encode())).exists()
        assert server.get(kept["domains"][0]).text == "hello"
