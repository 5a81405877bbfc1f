"""The migrations: one line of them, equal to the models, refused where they do not fit."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.script import ScriptDirectory

from storage import migrate
from storage.columns import Base
from storage.session import Database, StorageError
from storage.settings import StorageSettings

HEAD = migrate.head()
REVISIONS = list(ScriptDirectory.from_config(migrate.alembic_config()).walk_revisions())


def set_revision(database: Database, revision: str) -> None:
    with database.engine.begin() as connection:
        connection.execute(
            sa.text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision}
        )


def test_there_is_one_head_and_one_line_of_revisions() -> None:
    heads = ScriptDirectory.from_config(migrate.alembic_config()).get_heads()
    assert heads == [migrate.head()]
    assert len([script for script in REVISIONS if script.down_revision is None]) == 1


@pytest.mark.parametrize("script", REVISIONS, ids=lambda script: script.revision)
def test_the_name_of_a_migration_begins_with_its_revision(script: object) -> None:
    assert Path(script.path).name.startswith(f"{script.revision}_")  # type: ignore[attr-defined]


@pytest.mark.parametrize("script", REVISIONS, ids=lambda script: script.revision)
def test_a_migration_imports_nothing_of_ours(script: object) -> None:
    text = Path(script.path).read_text()  # type: ignore[attr-defined]
    assert not [line for line in text.splitlines() if line.startswith(("import storage", "from storage"))]


def test_from_empty_to_head_leaves_nothing_to_migrate(empty: Database) -> None:
    assert migrate.upgrade(empty) == (None, migrate.head())
    config = migrate.alembic_config()
    with empty.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.check(config)  # raises where the models and the tables differ
    assert set(Base.metadata.tables) < set(sa.inspect(empty.engine).get_table_names())


def test_a_model_that_the_migrations_do_not_know_is_noticed(empty: Database) -> None:
    """`alembic check` can fail: here a table is missing."""
    migrate.upgrade(empty)
    config = migrate.alembic_config()
    with empty.engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE post_reads"))
        config.attributes["connection"] = connection
        with pytest.raises(Exception, match="post_reads"):
            command.check(config)


def test_a_generated_migration_needs_nothing_of_ours_and_works(empty: Database, tmp_path: Path) -> None:
    """Our datetime is written as Alembic's own: a reference to our models would break the upgrade."""
    migrate.upgrade(empty)
    config = migrate.alembic_config()
    ours = Path(config.get_main_option("script_location") or "") / "versions"
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", f"{ours}\n{tmp_path}")
    with empty.engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE post_reads"))
        config.attributes["connection"] = connection
        command.revision(config, "again", autogenerate=True, rev_id="9999", version_path=str(tmp_path))
    text = (tmp_path / "9999_again.py").read_text()
    assert 'sa.Column("read_at", sa.DateTime(timezone=True)' in text.replace("'", '"')
    assert "storage" not in text
    with empty.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    assert "post_reads" in sa.inspect(empty.engine).get_table_names()


def test_upgrading_again_changes_nothing(database: Database) -> None:
    assert migrate.upgrade(database) == (migrate.head(), migrate.head())
    migrate.require_current(database)


def test_down_to_nothing_and_up_again(empty: Database) -> None:
    migrate.upgrade(empty)
    migrate.downgrade(empty, "base")
    assert sa.inspect(empty.engine).get_table_names() == ["alembic_version"]
    assert migrate.upgrade(empty) == (None, migrate.head())


def test_an_empty_database_is_refused_with_what_to_run(empty: Database) -> None:
    with pytest.raises(StorageError, match=r"has no tables yet.*run `helpdesk db upgrade`"):
        migrate.require_current(empty)


def test_a_newer_schema_is_refused_by_name_for_use_and_for_upgrade(empty: Database) -> None:
    migrate.upgrade(empty)
    set_revision(empty, "9999")
    for refused in (migrate.require_current, migrate.upgrade):
        with pytest.raises(StorageError, match=r"schema 9999, newer.*install the newer helpdesk"):
            refused(empty)
    assert migrate.current(empty) == "9999"


def test_an_older_schema_is_refused_with_what_to_run(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrate, "head", lambda: "9999")  # as a later version of the program would say
    with pytest.raises(StorageError, match=rf"has schema {HEAD}, this program needs 9999: run `helpdesk db"):
        migrate.require_current(database)


def test_an_upgrade_that_fails_leaves_the_database_as_it_was(empty: Database) -> None:
    with empty.engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE users (id INTEGER)"))
    with pytest.raises(StorageError, match="holds tables of another program"):
        migrate.upgrade(empty)
    assert sa.inspect(empty.engine).get_table_names() == ["users"]
    assert migrate.current(empty) is None


def test_a_program_without_migrations_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "versions").mkdir()
    config = migrate.alembic_config()
    config.set_main_option("script_location", str(tmp_path))
    monkeypatch.setattr(migrate, "alembic_config", lambda: config)
    with pytest.raises(StorageError, match="carries no migrations: install it again"):
        migrate.head()


def test_a_developer_runs_alembic_on_the_database_of_the_configuration(
    empty_settings: StorageSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a connection given, Alembic's environment opens the one that scheduler.toml names."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HELPDESK_STORAGE__DIRECTORY", str(empty_settings.directory))
    monkeypatch.setenv("HELPDESK_STORAGE__URL", empty_settings.url)
    command.upgrade(migrate.alembic_config(), "head")
    database = Database(empty_settings)
    migrate.require_current(database)
    database.dispose()
