"""Pull requests on SQL, and which commits were their heads."""

from collections.abc import Iterable

import sqlalchemy as sa

from bot.adapters.storage.connect import Engines
from bot.adapters.storage.tables import approvals, pull_heads, pulls
from bot.adapters.storage.upsert import insert_ignoring
from bot.core.model.errors import RecordNotFound
from bot.core.model.ids import Branch, CommitSha, Login, PullNumber, RepositoryId
from bot.core.model.pulls import Approval, PullRequest, PullState


class SqlPulls:
    """Implements `bot.ports.pulls.Pulls`."""

    def __init__(self, engines: Engines) -> None:
        self._read = engines.read
        self._write = engines.write

    def record(self, repository: RepositoryId, pull: PullRequest) -> None:
        """Keep `pull` in place of what was known of it, and that its head was its own."""
        key = {"repository_id": repository, "number": pull.number}
        values = _columns(pull)
        with self._write.begin() as connection:
            connection.execute(insert_ignoring(connection, pulls).values(**key, **values))
            connection.execute(
                sa.update(pulls).where(_is(repository, pull.number)).values(**values)
            )
            void = sa.and_(_of(approvals, repository, pull.number), approvals.c.sha != pull.head)
            connection.execute(sa.delete(approvals).where(void))
            connection.execute(
                insert_ignoring(connection, pull_heads).values(**key, sha=pull.head)
            )

    def get(self, repository: RepositoryId, number: PullNumber) -> PullRequest | None:
        """Return a pull request as it was last recorded."""
        return next(iter(self._found(sa.select(pulls).where(_is(repository, number)))), None)

    def open_from(self, repository: RepositoryId, branch: Branch) -> list[PullRequest]:
        """Return the open ones whose code is a branch of the repository itself, oldest first."""
        query = sa.select(pulls).where(
            pulls.c.repository_id == repository,
            pulls.c.head_repository_id == repository,
            pulls.c.head_branch == branch,
            pulls.c.state == str(PullState.OPEN),
        )
        return list(self._found(query))

    def open_in(self, repository: RepositoryId) -> list[PullRequest]:
        """Return the open ones, wherever their code lies, oldest first."""
        query = sa.select(pulls).where(
            pulls.c.repository_id == repository, pulls.c.state == str(PullState.OPEN)
        )
        return list(self._found(query))

    def with_head(self, repository: RepositoryId, commit: CommitSha) -> list[PullRequest]:
        """Return those whose head is or was `commit`, oldest first."""
        joined = pulls.join(pull_heads)
        query = sa.select(pulls).select_from(joined)
        ours = sa.and_(pull_heads.c.repository_id == repository, pull_heads.c.sha == commit)
        return list(self._found(query.where(ours)))

    def approve(self, repository: RepositoryId, number: PullNumber, approval: Approval) -> None:
        """Keep that a commit was approved; the first approval of a commit stands.

        Raises:
            RecordNotFound: no such pull request was recorded.

        """
        with self._write.begin() as connection:
            if connection.scalar(sa.select(pulls.c.number).where(_is(repository, number))) is None:
                raise RecordNotFound("pull request", f"{repository}#{number}")
            connection.execute(
                insert_ignoring(connection, approvals).values(
                    repository_id=repository,
                    number=number,
                    sha=approval.commit,
                    by=approval.by,
                    at=approval.at,
                )
            )

    def approval(
        self, repository: RepositoryId, number: PullNumber, commit: CommitSha
    ) -> Approval | None:
        """Return who approved exactly this commit, None when nobody did or it is void."""
        query = sa.select(approvals.c.by, approvals.c.at).where(
            _of(approvals, repository, number), approvals.c.sha == commit
        )
        with self._read.connect() as connection:
            row = connection.execute(query).first()
        return None if row is None else Approval(commit=commit, by=Login(row.by), at=row.at)

    def _found(self, query: sa.Select[tuple[object, ...]]) -> Iterable[PullRequest]:
        with self._read.connect() as connection:
            rows = connection.execute(query.order_by(pulls.c.number)).mappings()
            return [_pull_in(row) for row in rows]


def _is(repository: RepositoryId, number: PullNumber) -> sa.ColumnElement[bool]:
    return _of(pulls, repository, number)


def _of(table: sa.Table, repository: RepositoryId, number: PullNumber) -> sa.ColumnElement[bool]:
    return sa.and_(table.c.repository_id == repository, table.c.number == number)


def _columns(pull: PullRequest) -> dict[str, object]:
    return {
        "state": str(pull.state),
        "author": pull.author,
        "author_is_bot": pull.author_is_bot,
        "head": pull.head,
        "head_branch": pull.head_branch,
        "head_repository_id": pull.head_repository,
        "base_branch": pull.base_branch,
        "draft": pull.draft,
        "labels": list(pull.labels),
    }


def _pull_in(row: sa.RowMapping) -> PullRequest:
    fork = row[pulls.c.head_repository_id]
    return PullRequest(
        number=PullNumber(row[pulls.c.number]),
        state=PullState(row[pulls.c.state]),
        author=Login(row[pulls.c.author]),
        author_is_bot=row[pulls.c.author_is_bot],
        head=CommitSha(row[pulls.c.head]),
        head_branch=Branch(row[pulls.c.head_branch]),
        head_repository=None if fork is None else RepositoryId(fork),
        base_branch=Branch(row[pulls.c.base_branch]),
        draft=row[pulls.c.draft],
        labels=tuple(row[pulls.c.labels]),
    )
