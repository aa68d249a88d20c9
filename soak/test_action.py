"""The whole composite action as a runner runs it, its installation included."""

from pathlib import Path

from tests.e2e import apps
from tests.e2e.action_runner import Runner, action
from tests.e2e.deploying import app_in, foreign
from tests.fakes.subhosting.server import serving


def test_the_action_installs_itself_and_deploys(tmp_path: Path) -> None:
    app_in(tmp_path / "dist", apps.greets("from the action"))
    github = {"repository": "octo/hello", "repository_id": 42, "sha": "a" * 40, "ref_name": "main"}
    runner = Runner(tmp_path, github)

    with serving(extensions=False) as server:
        settings = foreign(server)
        inputs = {
            "directory": "dist",
            "target-url": server.api_url,
            "token": settings["PREVIEWBOT_TARGET_TOKEN"],
            "organization": settings["PREVIEWBOT_TARGET_ORGANIZATION"],
            "previews-url": server.previews_url,
        }
        runner.use(action()["runs"]["steps"], inputs)

    assert runner.code == 0, runner.log
    assert runner.outputs["url"] == server.previews_url.replace("*", "hello--main")
    assert runner.outputs["status"] == "live"
