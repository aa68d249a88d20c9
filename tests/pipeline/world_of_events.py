"""A small world in which every event that is read can happen, and the payloads that tell of it."""

from dataclasses import dataclass, field, replace
from typing import Any

from bot.core.model.checks import Button
from bot.core.model.ids import Branch, CommitSha, Login
from bot.core.model.pulls import Permission
from tests.fakes.github import further_examples as made
from tests.fakes.github.entities import JsonObject
from tests.fakes.github.further_examples import NOTHING, STRANGER, example
from tests.pipeline.bot_in_memory import FORK, REPOSITORY, BotInMemory
from tests.pipeline.mutations import Template

OURS, THEIRS = 1, 2  # pull requests: from a branch, from a fork
MAINTAINER = "Codertocat"  # who does everything in GitHub's examples


@dataclass
class World:
    """A repository with two previews, two pull requests, and something new everywhere.

    Nobody has told the bot of what is new; each of `templates` does.
    """

    bot: BotInMemory = field(default_factory=BotInMemory)

    def __post_init__(self) -> None:
        bot = self.bot
        bot.forge.roles[Login(MAINTAINER)] = Permission.ADMIN
        for branch in ("main", "old"):
            bot.react_to(bot.push(branch))
        bot.push("dev")
        bot.react_to(bot.open_pull("dev", number=OURS))
        bot.push_to_fork("dev")
        bot.react_to(bot.open_pull("dev", number=THEIRS, author=STRANGER, fork=True))
        self.known = bot.deployments()[0].head
        for branch in ("main", "dev"):
            bot.push(branch)
        bot.push_to_fork("dev")
        ours = replace(bot.pull(OURS), head=self.head("dev"))
        bot.forge.pulls[REPOSITORY.id, ours.number] = ours
        bot.delete_branch("old")

    def head(self, branch: str = "main") -> CommitSha:
        head = self.bot.source.head(REPOSITORY, Branch(branch))
        assert head is not None
        return head

    def templates(self) -> dict[str, Template]:
        """Return the deliveries by what they tell."""
        told = {
            "push": self._pushes(),
            "pull_request": self._pulls(),
            "issue_comment": self._comments(),
            "check_run": self._checks(),
            "check_suite": {"asked for again": self._suite()},
            "create": {"a branch": example("create", 3) | {"ref": "dev", "ref_type": "branch"}},
            "delete": {"a branch": example("delete", 2) | {"ref": "old", "ref_type": "branch"}},
            "repository": {
                action: example("repository", 9) | {"action": action}
                for action in ("renamed", "transferred", "deleted", "privatized")
            },
            "installation": {"deleted": example("installation", 3)},
            "installation_repositories": {"removed": _removed()},
            "ping": {"connected": example("ping", 1)},
        }
        return {
            f"{event}: {what}": Template(event, _here(payload))
            for event, payloads in told.items()
            for what, payload in payloads.items()
        }

    def _pushes(self) -> dict[str, JsonObject]:
        head = self.head()
        return {
            "to main": made.push(ref="refs/heads/main", before=self.known, after=head),
            "of main, come late": made.push(
                ref="refs/heads/main", before=NOTHING, created=True, after=self.known
            ),
            "of old's end": made.push(
                ref="refs/heads/old",
                before=self.known,
                after=NOTHING,
                deleted=True,
                head_commit=None,
                commits=[],
            ),
        }

    def _pulls(self) -> dict[str, JsonObject]:
        ours, theirs = made.pull_request(22), made.fork_pull_request(22)
        for payload, number in ((ours, OURS), (theirs, THEIRS)):
            pull = self.bot.pull(number)
            payload["number"] = payload["pull_request"]["number"] = number
            payload["pull_request"]["head"] |= {"sha": pull.head, "ref": pull.head_branch}
        ours["pull_request"]["head"]["repo"]["id"] = REPOSITORY.id
        theirs["pull_request"]["head"]["repo"]["id"] = FORK.id
        base = {"base": {"ref": {"from": "next"}, "sha": {"from": self.known}}}
        label = example("pull_request", 8)["label"]
        return {
            "of a branch, pushed to": ours,
            "of a fork, pushed to": theirs,
            "of a fork, opened": theirs | {"action": "opened"},
            "of a fork, closed": theirs | {"action": "closed"},
            "with another base": ours | {"action": "edited", "changes": base},
            "labeled": ours | {"action": "labeled", "label": label},
        }

    def _comments(self) -> dict[str, JsonObject]:
        commands = {
            "redeploy": OURS,
            "destroy": OURS,
            "status": OURS,
            f"approve {self.bot.pull(THEIRS).head}": THEIRS,
        }
        found = {}
        for command, number in commands.items():
            payload = made.comment(f"/preview {command}")
            payload["issue"]["number"] = number
            found[command.split()[0]] = payload
        return found

    def _checks(self) -> dict[str, JsonObject]:
        live, *_, waiting = self.bot.deployments()
        found = {str(button): made.button(button) for button in Button}
        found["again"] = example("check_run", 8)
        for what, payload in found.items():
            attempt = waiting if what == Button.APPROVE else live
            payload["check_run"] |= {"external_id": attempt.id, "head_sha": attempt.head}
        return found

    def _suite(self) -> JsonObject:
        payload = example("check_suite", 8)
        payload["check_suite"]["head_sha"] = self.known
        return payload


def _here(payload: JsonObject) -> JsonObject:
    """Return the payload with the repository of this world, and without addresses.

    Nobody may read those, and without them there is a quarter of it left to copy and to sign.
    """
    payload = _without_addresses(payload)
    if "repository" in payload:
        payload["repository"] |= {
            "id": REPOSITORY.id,
            "full_name": REPOSITORY.name,
            "default_branch": REPOSITORY.default_branch,
        }
    return payload


def _without_addresses(node: Any) -> Any:  # noqa: ANN401 - any part of a payload
    if isinstance(node, list):
        return [_without_addresses(part) for part in node]
    if not isinstance(node, dict):
        return node
    return {
        key: _without_addresses(part)
        for key, part in node.items()
        if key not in {"url", "_links"} and not key.endswith("_url")
    }


def _removed() -> JsonObject:
    payload = example("installation_repositories", 2)
    payload["repositories_removed"][0] |= {"id": REPOSITORY.id, "full_name": REPOSITORY.name}
    return payload
