"""Every combination of what may come together around a stranger's commit, and what it came to."""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from bot.core.model.environment import Context, Environment, Trust
from bot.core.model.events import PullRequestLabeled
from bot.core.model.ids import Login
from bot.core.model.pulls import Permission
from bot.core.model.variables import Scope
from tests.fakes.lfs import pointer
from tests.fakes.source import Files, Submodule
from tests.fakes.target import FakeTarget
from tests.pipeline.bot_in_memory import APP, REPOSITORY, BotInMemory

DOCUMENT = Path(__file__).parents[2] / "docs" / "commands.md"
BEGIN = "<!-- table of forks: made by `make fork-table` -->"
END = "<!-- end of the table of forks -->"

AUTHOR, APPROVER = Login("eve"), Login("max")

SECRET = "correct horse battery staple"

# Everything that grants power, and what no commit of a stranger may have a say in.
GREEDY_CONFIG = b"""\
production: true
target: somewhere-else
database: true
surfaces: [comment, dispatch]
forks: approve
submodules: true
lfs: true
mode: auto
"""


_ABOUT = """\
{total:,} combinations: the rows below, each with every role of the author, with and without
labels, with and without a configuration in the commit that asks for everything, and with
`.gitmodules`, `.lfsconfig` or neither. `tests/pipeline/test_fork_matrix.py` plays all of them
through: none gets a variable, a database or a file from elsewhere."""


class Who(StrEnum):
    """Who approves."""

    NOBODY = "nobody"
    THE_AUTHOR = "the author"
    SOMEBODY_ELSE = "somebody else"


class Moved(StrEnum):
    """When the stranger pushed another commit."""

    NEVER = "never"
    BEFORE = "before the approval"
    AFTER = "after it, before the deployment"


class Extra(StrEnum):
    """What lies beside the app in the stranger's commit."""

    NOTHING = "nothing"
    GITMODULES = ".gitmodules"
    LFSCONFIG = ".lfsconfig"


FILES: dict[Extra, Files] = {
    Extra.NOTHING: {},
    Extra.GITMODULES: {
        ".gitmodules": b'[submodule "x"]\n\tpath = x\n\turl = https://evil.example/x\n',
        "x": Submodule(),
    },
    Extra.LFSCONFIG: {
        ".lfsconfig": b"[lfs]\n\turl = https://evil.example/lfs\n",
        ".gitattributes": b"*.bin filter=lfs\n",
        "a.bin": pointer(b"a file in Git LFS"),
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One combination."""

    who: Who
    approver: Permission  # of whoever approves, the author included
    author: Permission
    moved: Moved
    labeled: bool
    config: bool  # the commit brings a configuration that asks for everything
    extra: Extra

    @property
    def may_run(self) -> bool:
        """Tell what the rule says."""
        right = self.who is Who.SOMEBODY_ELSE and self.approver >= Permission.MAINTAIN
        return right and self.moved is Moved.NEVER


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of it."""

    ran: bool
    environments: tuple[Environment, ...]  # of all that the platform was ever given
    fetched_elsewhere: bool  # a submodule or a file in Git LFS was asked for


def cases() -> Iterator[Case]:
    """Yield every combination once."""
    factors = (Permission, Moved, (False, True), (False, True), Extra)
    for author, moved, labeled, config, extra in itertools.product(*factors):
        case = Case(
            who=Who.NOBODY,
            approver=Permission.NONE,
            author=author,
            moved=moved,
            labeled=labeled,
            config=config,
            extra=extra,
        )
        yield case
        yield replace(case, who=Who.THE_AUTHOR, approver=author)
        for approver in Permission:
            yield replace(case, who=Who.SOMEBODY_ELSE, approver=approver)


def outcome(case: Case) -> Outcome:
    """Play a combination through and return what became of it."""
    named = FakeTarget(name="somewhere-else")
    bot = BotInMemory(named={"somewhere-else": named})
    bot.forge.roles = {AUTHOR: case.author, APPROVER: case.approver}
    files = {**APP, **FILES[case.extra]}
    if case.config:
        files[".github/previewbot.yml"] = GREEDY_CONFIG
    for context in Context:
        branches = "**" if context is Context.BRANCH else None
        scope = Scope(context=context, branches=branches)
        bot.variables.put(REPOSITORY.id, scope, f"{context}_TOKEN", SECRET)
    bot.push_to_fork("dev", files)
    bot.react_to(bot.open_pull("dev", fork=True, author=AUTHOR))
    if case.labeled:
        labeled = bot._known(replace(bot.pull(), labels=("preview", "approved")))
        bot.react_to(PullRequestLabeled(repository=REPOSITORY, pull=labeled, label="preview"))
    seen = bot.pull().head
    if case.moved is Moved.BEFORE:
        bot.push_to_fork("dev", {**files, "more": b""})
        bot.react_to(bot.synchronized())
    if case.who is not Who.NOBODY:
        approver = AUTHOR if case.who is Who.THE_AUTHOR else APPROVER
        bot.deliver(bot.comment(approver, f"/preview approve {seen}"))
        bot.decide_all()
    if case.moved is Moved.AFTER:
        bot.push_to_fork("dev", {**files, "more": b""})
        bot.react_to(bot.synchronized())
    bot.deploy_all()
    assert named.made == []
    orders = [made.order for made in bot.target.made]
    return Outcome(
        ran=bool(orders),
        environments=tuple(order.environment for order in orders),
        fetched_elsewhere=bool(bot.source.elsewhere),
    )


def is_bare(environment: Environment) -> bool:
    """Tell whether nothing of ours is in it."""
    return environment == Environment(trust=Trust.STRANGER)


def table() -> str:
    """Return a row for each approver and moment, with how many combinations it stands for."""
    lines = [
        "| who approves | with the role | the head moved | combinations | runs |",
        "|---|---|---|--:|---|",
    ]
    for (who, role, moved), group in _grouped(cases()):
        words = "any" if role is None else role.name.lower()
        runs = {case.may_run for case in group}
        assert len(runs) == 1
        answer = "**yes**, without anything of ours" if runs.pop() else "no"
        lines.append(f"| {who} | {words} | {moved} | {len(group)} | {answer} |")
    return "\n".join([_ABOUT.format(total=sum(1 for _ in cases())), "", *lines])


def written(document: str) -> str:
    """Return the document with the table in its place."""
    before, _, rest = document.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{table()}\n\n{END}{after}"


def main() -> None:
    """Write the table into the document."""
    DOCUMENT.write_text(written(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")


_Row = tuple[Who, Permission | None, Moved]


def _grouped(found: Iterable[Case]) -> list[tuple[_Row, list[Case]]]:
    rows: dict[_Row, list[Case]] = {}
    for case in found:
        role = case.approver if case.who is Who.SOMEBODY_ELSE else None
        rows.setdefault((case.who, role, case.moved), []).append(case)
    order = sorted(
        rows, key=lambda row: (list(Who).index(row[0]), row[1] or 0, list(Moved).index(row[2]))
    )
    return [(row, rows[row]) for row in order]
