from pathlib import Path

from tests.subhosting.server import RunningSubhosting, wait_until

HELLO = "Deno.serve(() => new Response('hello'));"


def test_beyond_the_limit_instances_rest_and_wake_when_somebody_asks(tmp_path: Path) -> None:
    with RunningSubhosting(tmp_path / "data", live_instances=2) as server:
        project = server.new_project()
        hosts = [
            server.deployed(project["id"], {"main.ts": HELLO})["domains"][0] for _ in range(5)
        ]

        wait_until(lambda: len(server.instances()) <= 2, "the rest of all but two")
        answers = [server.get(host).text for host in hosts]

        assert answers == ["hello"] * 5
