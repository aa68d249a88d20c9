"""Deliveries of which GitHub's examples hold none, each made of the one that comes closest.

What an ordinary day brings is missing there: a push to a branch that exists, a branch's end, a
pull request from a fork, a comment on a pull request, another base. The schema judges them.
"""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass

from tests.fakes.github.documents import examples
from tests.fakes.github.entities import JsonObject

NOTHING = "0" * 40
OLD = "6113728f27ae82c7b1a177c8d03f9e96e0adf246"
NEW = "59b20b8d5c6ff8d09518454d4dd8b7b30f095ab5"

# GitHub's pull request, as a stranger's: their account and the number of their repository.
STRANGER = "octo-stranger"
FORK_ID = 186_853_999

PAGE = "https://github.com/Codertocat/Hello-World"


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A delivery by its event; `name` is a number for GitHub's own, from 1, else says what."""

    event: str
    name: str
    payload: JsonObject


def all_examples() -> list[Example]:
    """Return GitHub's own and ours."""
    given = [
        Example(event=event, name=str(number), payload=deepcopy(payload))
        for event, payloads in examples().items()
        for number, payload in enumerate(payloads, start=1)
    ]
    return given + further_examples()


def further_examples() -> list[Example]:
    """Return ours; every call makes them anew."""
    return [
        Example(event=event, name=name, payload=make())
        for event, named in _MADE.items()
        for name, make in named.items()
    ]


def push(**changes: object) -> JsonObject:
    """Return a push of one more commit to a branch that was there before."""
    payload = example("push", 5)
    commit = payload["head_commit"] | {
        "id": NEW,
        "message": "Greet the world",
        "url": f"{PAGE}/commit/{NEW}",
        "added": [],
        "modified": ["README.md"],
    }
    ordinary = {
        "before": OLD,
        "after": NEW,
        "created": False,
        "compare": f"{PAGE}/compare/{OLD[:12]}...{NEW[:12]}",
        "commits": [commit],
        "head_commit": commit,
    }
    return payload | ordinary | changes


def _forced_push() -> JsonObject:
    return push(before=NEW, after=OLD, forced=True, commits=[])


def _new_branch() -> JsonObject:
    return push(ref="refs/heads/feature", before=NOTHING, created=True)


def _branch_removed() -> JsonObject:
    gone = {"after": NOTHING, "deleted": True, "head_commit": None, "commits": []}
    return push(ref="refs/heads/feature", **gone)


def _branch_deleted() -> JsonObject:
    return example("delete", 2) | {"ref": "feature", "ref_type": "branch"}


def _branch_created() -> JsonObject:
    return example("create", 3) | {"ref": "feature", "ref_type": "branch"}


def pull_request(index: int = 14, **changes: object) -> JsonObject:
    """Return GitHub's example number `index` (14: opened) with a pull request that is changed."""
    payload = example("pull_request", index)
    payload["pull_request"] |= changes
    return payload


def fork_pull_request(index: int = 14, **changes: object) -> JsonObject:
    """Return the same with code that lies in somebody else's copy of the repository."""
    payload = pull_request(index, author_association="NONE", **changes)
    pull = payload["pull_request"]
    pull["user"] = _renamed(pull["user"])
    head = pull["head"]
    head["user"] = _renamed(head["user"])
    head["label"] = f"{STRANGER}:{head['ref']}"
    head["repo"] |= {
        "id": FORK_ID,
        "fork": True,
        "full_name": f"{STRANGER}/{head['repo']['name']}",
        "owner": _renamed(head["repo"]["owner"]),
    }
    if payload["action"] in {"opened", "synchronize"}:
        payload["sender"] = _renamed(payload["sender"])
    return payload


def _fork_gone() -> JsonObject:
    payload = fork_pull_request()
    payload["pull_request"]["head"]["repo"] = None
    return payload


def _fork_merged() -> JsonObject:
    moment = "2019-05-15T15:20:33Z"
    merged = {"merged": True, "merged_at": moment, "merge_commit_sha": NEW}
    return fork_pull_request(4, **merged)


def _edited(changes: JsonObject) -> JsonObject:
    return pull_request() | {"action": "edited", "changes": changes}


def _rebased() -> JsonObject:
    return _edited({"base": {"ref": {"from": "next"}, "sha": {"from": OLD}}})


def _retitled() -> JsonObject:
    return _edited({"title": {"from": "Update the READ ME"}})


def comment(body: str, index: int = 3, **changes: object) -> JsonObject:
    """Return GitHub's comment number `index` (3: created) as one on pull request #2."""
    payload = example("issue_comment", index)
    pull = f"{PAGE}/pull/2"
    payload["issue"] |= {
        "number": 2,
        "html_url": pull,
        "pull_request": {
            "url": "https://api.github.com/repos/Codertocat/Hello-World/pulls/2",
            "html_url": pull,
            "diff_url": f"{pull}.diff",
            "patch_url": f"{pull}.patch",
            "merged_at": None,
        },
    }
    payload["comment"] |= {"body": body, **changes}
    return payload


def _comment_of_a_bot() -> JsonObject:
    payload = comment("/preview help")
    payload["comment"]["user"] = payload["sender"] | {"login": "dependabot[bot]", "type": "Bot"}
    return payload


def button(identifier: str) -> JsonObject:
    """Return that a button of a check run was pressed."""
    return example("check_run", 6) | {"requested_action": {"identifier": identifier}}


def _repository_deleted() -> JsonObject:
    return example("repository", 1) | {"action": "deleted"}


def example(event: str, index: int) -> JsonObject:
    """Return GitHub's example number `index`, from 0, to be changed at will."""
    return deepcopy(examples()[event][index])


def _renamed(user: JsonObject) -> JsonObject:
    return user | {"login": STRANGER, "id": 1}


_MADE: dict[str, dict[str, Callable[[], JsonObject]]] = {
    "push": {
        "to a branch": push,
        "forced, back to an older commit": _forced_push,
        "of a new branch": _new_branch,
        "of a branch's end": _branch_removed,
    },
    "create": {"of a branch": _branch_created},
    "delete": {"of a branch": _branch_deleted},
    "pull_request": {
        "from a fork": fork_pull_request,
        "from a fork that is gone": _fork_gone,
        "from a fork, pushed to": lambda: fork_pull_request(22),
        "from a fork, merged": _fork_merged,
        "with another base": _rebased,
        "with another title": _retitled,
    },
    "issue_comment": {
        "with a command": lambda: comment("/preview redeploy"),
        "with what is no command of ours": lambda: comment("/preview jump"),
        "without a command": lambda: comment("Nice work"),
        "with a command, by a bot": _comment_of_a_bot,
        "with a command, edited": lambda: comment("/preview redeploy", 8),
    },
    "check_run": {
        "with the button Redeploy": lambda: button("redeploy"),
        "with the button Approve": lambda: button("approve"),
    },
    "repository": {"at its end": _repository_deleted},
}
