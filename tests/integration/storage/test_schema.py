"""The schema: migrated once, whoever comes first, and the same as the tables in code."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from bot.adapters.storage import connect, migrations, tables
from bot.adapters.storage.store import SqlStore
from bot.core.model.ids import AppName, Branch, RepositoryId
from bot.core.model.lines import BranchLine
from tests.fakes.clock import FakeClock
from tests.fakes.ids import FakeIds


def test_the_migrations_end_where_the_code_believes() -> None:
    config = Config()
    config.set_main_option("script_location", migrations.__path__[0])

    assert ScriptDirectory.from_config(config).get_current_head() == tables.SCHEMA_REVISION


def test_the_migrations_build_the_tables_in_code(engines: connect.Engines) -> None:
    with engines.read.connect() as connection:
        context = MigrationContext.configure(connection)

        assert compare_metadata(context, tables.metadata) == []


def test_previews_of_the_first_version_become_those_of_branches(url: str) -> None:
    engines = connect.engines(url)
    connect.prepare(url)
    with engines.write.begin() as connection:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", migrations.__path__[0])
        command.downgrade(config, "0001")
        connection.exec_driver_sql("INSERT INTO apps VALUES (1, '', 'site')")
        connection.exec_driver_sql(
            "INSERT INTO previews VALUES ('p', 1, 'octo/site', 'main', NULL, 'a/b', '', 1, 0)"
        )
        connection.exec_driver_sql("INSERT INTO labels VALUES ('site--a-b', 'p')")

    connect.prepare(url)

    store = SqlStore(engines, FakeClock(), FakeIds())
    preview = store.preview(RepositoryId(1), BranchLine(Branch("a/b")), AppName(""))
    engines.dispose()
    assert preview is not None
    assert preview.label == "site--a-b"


def test_the_file_is_in_wal_mode_and_every_commit_reaches_the_disk(
    engines: connect.Engines,
) -> None:
    with engines.write.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2  # FULL


def test_an_up_to_date_database_is_recognised_without_alembic(url: str) -> None:
    connect.prepare(url)
    program = (
        "import sys; from bot.adapters.storage import connect; connect.prepare(sys.argv[1]); "
        "print('alembic' in sys.modules)"
    )

    done = subprocess.run(
        [sys.executable, "-c", program, url], capture_output=True, text=True, check=True
    )

    assert done.stdout == "False\n"


def test_eight_at_once_prepare_a_new_database(url: str, tmp_path: Path) -> None:
    program = "import sys; from bot.adapters.storage import connect; connect.prepare(sys.argv[1])"

    def prepare(_: int) -> int:
        return subprocess.run([sys.executable, "-c", program, url], check=False).returncode

    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(prepare, range(8)))

    assert codes == [0] * 8
    assert (tmp_path / "not/yet/there/bot.db").exists()


def test_reading_first_and_writing_then_loses_no_update(engines: connect.Engines) -> None:
    with engines.write.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE counter (n INTEGER)")
        connection.exec_driver_sql("INSERT INTO counter VALUES (0)")

    def count_up(_: int) -> None:
        with engines.write.begin() as connection:
            n = connection.exec_driver_sql("SELECT n FROM counter").scalar_one()
            connection.execute(sa.text("UPDATE counter SET n = :n"), {"n": n + 1})

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(count_up, range(80)))

    with engines.read.connect() as connection:
        assert connection.exec_driver_sql("SELECT n FROM counter").scalar_one() == 80


def test_what_was_known_of_checks_moves_to_the_postings(url: str) -> None:
    Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True)
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", migrations.__path__[0])
        command.upgrade(config, "0001")
        for statement in _BEFORE_POSTINGS:
            connection.exec_driver_sql(statement)
    engine.dispose()

    connect.prepare(url)

    engine = sa.create_engine(url)
    with engine.connect() as connection:
        rows = connection.execute(sa.text('SELECT subject, "group", ref, said FROM postings'))
        assert [tuple(row) for row in rows] == [("d1", "p1", "99", "completed")]
    engine.dispose()


_BEFORE_POSTINGS = (
    "INSERT INTO apps (repository_id, app, slug) VALUES (7, '', 'site')",
    (
        "INSERT INTO previews (id, repository_id, repository_name, default_branch, branch, app,"
        " generation, buried) VALUES ('p1', 7, 'octo/site', 'main', 'main', '', 2, 0)"
    ),
    (
        "INSERT INTO deployments (id, preview_id, generation, hook, guid, head, state, created_at,"
        " check_ref, title, finished_at) VALUES ('d1', 'p1', 1, '1', 'a', 'x', 'live',"
        " '2026-11-20 12:00:00.000000', '99', '', '2026-11-20 12:00:01.000000')"
    ),
    (
        "INSERT INTO deployments (id, preview_id, generation, hook, guid, head, state, created_at,"
        " title) VALUES ('d2', 'p1', 2, '1', 'b', 'x', 'queued', '2026-11-20 12:00:00.000000', '')"
    ),
)
