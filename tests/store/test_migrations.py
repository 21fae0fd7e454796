"""Migrations and tables say the same, forwards and back."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from signals.errors import StoreError
from signals.store import Store, database, headlines, schema

from .conftest import make_headline, url_of

VERSIONS = Path(database.__file__).parent / "migrations"


@pytest.fixture
def config() -> Config:
    """Alembic's, as the store makes it."""
    config = Config()
    config.set_main_option("script_location", str(VERSIONS).replace("%", "%%"))
    return config


def differences(store: Store) -> list[object]:
    """What a new migration would have to change."""
    with store.read() as conn:
        return list(compare_metadata(MigrationContext.configure(conn, opts={"compare_type": True}), schema.metadata))


def test_migrations_make_exactly_the_tables_of_the_schema(store: Store) -> None:
    """A column, type or index in one and not the other is found by alembic's own comparison."""
    assert differences(store) == []


def test_the_comparison_sees_a_difference(store: Store) -> None:
    """A dropped index and another type do not pass unseen."""
    with store.write() as conn:
        conn.exec_driver_sql("DROP INDEX ix_bars_close_at")
        conn.exec_driver_sql("ALTER TABLE headlines DROP COLUMN body")
    assert len(differences(store)) == 2


def test_names_and_keys_are_those_of_the_schema(store: Store) -> None:
    """Primary keys and unique constraints, which that comparison passes over, agree too."""
    with store.read() as conn:
        inspector = sa.inspect(conn)
        for table in schema.metadata.sorted_tables:
            kept = inspector.get_pk_constraint(table.name)
            assert kept["constrained_columns"] == [column.name for column in table.primary_key]
            unique = {tuple(row["column_names"]) for row in inspector.get_unique_constraints(table.name)}
            assert unique == {(column.name,) for column in table.columns if column.unique}


def test_head_is_the_newest_revision(config: Config) -> None:
    """The revision the code asks for is the last there is: else every start would migrate, or none."""
    assert ScriptDirectory.from_config(config).get_current_head() == database.HEAD


def test_up_down_and_up_again(store: Store, config: Config) -> None:
    """Every migration can be taken back, leaves nothing behind, and can be made again."""
    with store.write() as conn:
        config.attributes["connection"] = conn
        command.downgrade(config, "base")
    with store.read() as conn:
        assert sa.inspect(conn).get_table_names() == ["alembic_version"]
    with store.write() as conn:
        config.attributes["connection"] = conn
        command.upgrade(config, "head")
    assert differences(store) == []


def test_opening_again_changes_nothing(url: str, store: Store) -> None:
    """A migrated file is taken as it is, with what it holds."""
    with store.write() as conn:
        headlines.add(conn, [make_headline()])
    again = Store.open(url)
    with again.read() as conn:
        assert headlines.count(conn) == 1
    again.close()


def test_a_database_of_a_newer_version_is_left_alone(url: str, store: Store) -> None:
    """A revision this code does not know is an error that says so, not a downgrade."""
    with store.write() as conn:
        conn.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreError, match=r"9999.*newer version"):
        Store.open(url)
    with store.read() as conn:
        assert conn.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() == "9999"


def test_a_migration_that_fails_leaves_nothing(tmp_path: Path) -> None:
    """A file in which another program keeps a table of our name gets none of ours."""
    engine = sa.create_engine(url_of(tmp_path / "other.db"))
    with engine.begin() as conn:
        conn.exec_driver_sql("CREATE TABLE signals (wave TEXT)")
    with pytest.raises(StoreError, match="already exists"):
        Store.open(url_of(tmp_path / "other.db"))
    with engine.connect() as conn:
        assert sa.inspect(conn).get_table_names() == ["signals"]
    engine.dispose()
