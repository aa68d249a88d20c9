"""A repository on GitHub with the bot installed, spoken to in sentences.

Ada may write to it, Max maintains it, and Eve is a stranger.
"""

import uuid
from collections.abc import Mapping
from typing import Any

import httpx

from bot.bootstrap.reader import Reader
from tests.e2e.github_world import GitHubWorld
from tests.e2e.installation import Answer
from tests.fakes.github.documents import examples
from tests.fakes.github.entities import CheckRun, Comment
from tests.fakes.github.pulls import FakePull
from tests.fakes.github.repository import FakeRepository

CONFIG = ".github/previewbot.yml"
PATIENCE_S = 90.0

# Comes up at once: no process is needed to serve a page as it is.
PAGE = {"index.html": "hello\n"}
APP = {"main.ts": "Deno.serve({ onListen: () => {} }, () => new Response('an app'));\n"}
BREAKS = {"main.ts": "const broken = ;\n", "index.html": None}
HANGS = {"main.ts": "await new Promise((done) => setTimeout(done, 60_000));\n", "index.html": None}
TELLS_ITS_ENVIRONMENT = {
    "main.ts": (
        "Deno.serve({ onListen: () => {} }, () => {\n"
        "  try { return Response.json(Deno.env.toObject()); }\n"
        "  catch { return Response.json({ denied: 'true' }); }\n"
        "});\n"
    )
}

Files = Mapping[str, str | None]


def page(text: str) -> Files:
    """Return the files of a site of one page."""
    return {"index.html": f"{text}\n"}


class Story:
    """What people do to one repository, and what they get to see."""

    def __init__(self, world: GitHubWorld, name: str) -> None:
        """Make the repository `octo/<name>`, which has a first commit that nobody told of."""
        self.world = world
        self.repository = world.gh.add_repository(f"octo/{name}")
        world.gh.give_role(self.repository, "ada", "write")
        world.gh.give_role(self.repository, "max", "maintain")
        self.first = self.repository.commit(PAGE)

    # --- what people do ------------------------------------------------------------------------

    def configure(self, text: str, files: Files | None = None) -> None:
        """Put a configuration on the default branch; nobody is told."""
        self.repository.commit({CONFIG: text, **(files or {})})

    def push(
        self,
        files: Files | None = None,
        branch: str = "main",
        *,
        message: str = "Change some files",
        force: bool = False,
    ) -> str:
        """Push a commit; a new branch, and one that is forced, begins at the first commit."""
        before = self.repository.head(branch)
        base = self.repository.head("main") if before is None else before
        after = self.repository.commit(
            page(f"{branch} {uuid.uuid4()}") if files is None else files,
            branch=branch,
            message=message,
            parent=self.first if force else base,
        )
        self.tell("push", self.world.gh.push_payload(self.repository, branch, before, after))
        return after

    def delete_branch(self, branch: str) -> None:
        """Delete a branch."""
        before = self.repository.head(branch)
        self.repository.delete_branch(branch)
        self.tell("push", self.world.gh.push_payload(self.repository, branch, before, None))

    def fork(self) -> FakeRepository:
        """Let Eve fork the repository."""
        return self.world.gh.fork(self.repository, "eve")

    def open_pull_request(
        self, branch: str, *, fork: FakeRepository | None = None, draft: bool = False
    ) -> FakePull:
        """Open a pull request of Ada's, or of Eve's if it comes from a fork."""
        author = "ada" if fork is None else "eve"
        pull = self.world.gh.open_pull(self.repository, branch, fork=fork, author=author)
        pull.draft = draft
        self.tell_of(pull, "opened")
        return pull

    def close(self, pull: FakePull, *, merged: bool = False) -> None:
        """Close or merge a pull request."""
        self.world.gh.close_pull(pull, merged=merged)
        self.tell_of(pull, "closed")

    def reopen(self, pull: FakePull) -> None:
        """Open it again."""
        self.world.gh.reopen_pull(pull)
        self.tell_of(pull, "reopened")

    def label(self, pull: FakePull, name: str) -> None:
        """Give it a label."""
        pull.labels.append(name)
        label = examples()["pull_request"][8]["label"] | {"name": name}
        self.tell_of(pull, "labeled", label=label)

    def mark_ready(self, pull: FakePull) -> None:
        """Let it be a draft no more."""
        pull.draft = False
        self.tell_of(pull, "ready_for_review")

    def push_to_fork(self, pull: FakePull, files: Files) -> str:
        """Let the author push to the branch of a pull request."""
        assert pull.head_repository is not None
        after = pull.head_repository.commit(files, branch=pull.head_branch)
        pull.refresh()
        self.tell_of(pull, "synchronize")
        return after

    def comment(self, pull: FakePull, who: str, text: str) -> Comment:
        """Write a comment on a pull request."""
        comment = self.world.gh.comment(pull, who, text)
        self.tell("issue_comment", self.world.gh.comment_payload(pull, comment))
        return comment

    def press(self, who: str, button: str | None, run: CheckRun) -> None:
        """Press a button of a check; None is GitHub's own *Re-run*."""
        assert button is None or button in {action["identifier"] for action in run.actions}
        payload = self.world.gh.button_payload(self.repository, run, button, who)
        self.tell("check_run", payload)

    def tell_of(self, pull: FakePull, action: str, **extra: Any) -> None:  # noqa: ANN401 - JSON
        """Deliver what happened to a pull request, and let the bot take note of it.

        Deliveries are decided side by side, so a push told at once could be decided before the
        pull request that it was to belong to.
        """
        guid = str(uuid.uuid4())
        self.tell("pull_request", self.world.gh.pull_payload(pull, action, **extra), guid=guid)
        self.wait_for_decision(guid)

    def tell(
        self, event: str, payload: Mapping[str, Any], *, guid: str | None = None
    ) -> httpx.Response:
        """Deliver an event."""
        answer = self.world.deliver(payload, event=event, guid=guid)
        assert answer.is_success, answer.text
        return answer

    # --- what people see -----------------------------------------------------------------------

    def wait_for_check(
        self, sha: str, conclusion: str = "success", *, app: str | None = None
    ) -> CheckRun:
        """Return the commit's check as soon as it has ended in `conclusion`."""
        name = f"preview/{self.repository.name}{f'-{app}' if app else ''}"

        def found() -> CheckRun | None:
            runs = self.world.gh.checks(self.repository, sha)
            ended = (run for run in runs if run.conclusion == conclusion and run.name == name)
            return next(ended, None)

        wanted = f"{name} on {sha[:7]} to end in {conclusion}"
        return self.world.gh.wait_for(found, wanted, timeout=PATIENCE_S)

    def wait_for_production(self, sha: str) -> CheckRun:
        """Return the commit's check of production once it has ended in success."""

        def found() -> CheckRun | None:
            runs = self.world.gh.checks(self.repository, sha)
            ended = (run for run in runs if run.conclusion == "success")
            return next((run for run in ended if run.name.startswith("production/")), None)

        return self.world.gh.wait_for(found, f"{sha[:7]} in production", timeout=PATIENCE_S)

    def in_production(self) -> str | None:
        """Return the commit that the app's own name serves."""
        url = self.world.installation.address["previews_url"].replace("*", self.repository.name)
        return self.world.get(url).headers.get("x-preview-sha")

    def wait_until_in_production(self, sha: str) -> None:
        """Return as soon as the app's own name serves the commit."""
        url = self.world.installation.address["previews_url"].replace("*", self.repository.name)
        self.world.until_serves(url, sha)

    def wait_for_other_attempt(
        self, sha: str, *others: str, conclusion: str = "success"
    ) -> CheckRun:
        """Return the check once it has ended for an attempt that is none of `others`."""

        def found() -> CheckRun | None:
            runs = self.world.gh.checks(self.repository, sha)
            ended = (run for run in runs if run.conclusion == conclusion)
            return next((run for run in ended if run.external_id not in others), None)

        wanted = f"another attempt at {sha[:7]} to end in {conclusion}"
        return self.world.gh.wait_for(found, wanted, timeout=PATIENCE_S)

    def wait_until_running(self, sha: str) -> None:
        """Return as soon as the commit's check says that work on it has begun."""
        self.world.gh.wait_for_check(
            self.repository, sha, status="in_progress", timeout=PATIENCE_S
        )

    def wait_for_reactions(self, comment: Comment, *contents: str) -> None:
        """Return as soon as the comment has exactly these reactions."""

        def found() -> bool | None:
            return [reaction.content for reaction in comment.reactions] == list(contents) or None

        self.world.gh.wait_for(found, f"{contents} under {comment.body!r}", timeout=PATIENCE_S)

    def wait_for_reply(self, pull: FakePull) -> str:
        """Return what the bot replied on the pull request, as soon as it did."""

        def found() -> str | None:
            replies = self._written(pull, "<!-- previewbot answers")
            return replies[0].partition("\n")[2] if replies else None

        return self.world.gh.wait_for(found, "a reply", timeout=PATIENCE_S)

    def wait_for_deployment(self, branch: str, state: str) -> None:
        """Return as soon as the branch's newest GitHub Deployment has `state`."""

        def found() -> bool | None:
            shown = [d for d in self.world.gh.deployments(self.repository) if d.ref == branch]
            states = [each.statuses[-1].state for each in shown if each.statuses]
            return states[-1:] == [state] or None

        self.world.gh.wait_for(found, f"{branch} to be {state}", timeout=PATIENCE_S)

    def wait_for_dispatch(self, kind: str) -> dict[str, Any]:
        """Return what workflows were told with an event of this type."""

        def found() -> dict[str, Any] | None:
            events = self.world.gh.dispatches(self.repository)
            return next((each.payload for each in events if each.event_type == kind), None)

        return self.world.gh.wait_for(found, kind, timeout=PATIENCE_S)

    def wait_for_comment(self, pull: FakePull, words: str) -> None:
        """Return as soon as the one comment about the previews holds `words`."""

        def found() -> bool | None:
            shown = [c for c in self.bodies(pull) if "previewbot answers" not in c]
            assert len(shown) <= 1
            return any(words in body for body in shown) or None

        self.world.gh.wait_for(found, f"a comment with {words!r}", timeout=PATIENCE_S)

    def bodies(self, pull: FakePull) -> list[str]:
        """Return what the bot has written on the pull request."""
        written = self.world.gh.comments(self.repository, pull.number)
        return [comment.body for comment in written if comment.author.endswith("[bot]")]

    def wait_for_decision(self, guid: str) -> str:
        """Return the reason that a delivery got, as soon as it has one."""

        def look(reader: Reader) -> str | None:
            return next((record.reason for record in reader.deliveries(guid)), None)

        return self.world.installation.look_until(look, f"the decision about {guid}")

    def url(self, label: str) -> str:
        """Return a stable URL of this repository's app: of a branch, or `pr-<n>`."""
        host = f"{self.repository.name}--{label}"
        return self.world.installation.address["previews_url"].replace("*", host)

    def get(self, label: str) -> Answer:
        """Ask for the page at a stable URL."""
        return self.world.get(self.url(label))

    def served(self, label: str) -> str | None:
        """Return the commit that a stable URL serves."""
        return self.get(label).headers.get("x-preview-sha")

    def wait_until_served(self, label: str, sha: str) -> Answer:
        """Return the page as soon as a stable URL serves the commit."""
        return self.world.until_serves(self.url(label), sha)

    def wait_until_gone(self, label: str) -> None:
        """Return as soon as a stable URL serves nothing."""
        self.world.until_gone(self.url(label))

    def _written(self, pull: FakePull, beginning: str) -> list[str]:
        return [body for body in self.bodies(pull) if body.startswith(beginning)]
