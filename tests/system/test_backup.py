"""A backup is read back before it counts, and restoring it brings back that moment, with an empty NATS store."""

import asyncio
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from infra.backup import back_up, restore
from infra.folder import CannotStart
from infra.hold import hold
from infra.postgres import Postgres
from infra.wish import PROJECT
from shared.migrate import SERVICES, migrate


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[Postgres]:
    """A house with a service's role, schema and one dose in it."""
    folder = tmp_path / "the data"
    folder.mkdir(mode=0o700)
    (folder / "kind").write_text("real")
    server = Postgres(folder, fsync=False)
    server.start()
    do(
        server,
        "create role personnel login password 'x'",
        "grant personnel to muster with set true, inherit true",
        "create schema personnel authorization personnel",
        "create extension pg_trgm",
        "set role personnel",
        "create table personnel.dose (lot text)",
        "insert into personnel.dose values ('20210401')",
    )
    yield server
    server.stop()


def do(server: Postgres, *statements: str) -> list[str]:
    """The last statement's first column, as the owner."""

    async def run() -> list[str]:
        connection = await asyncpg.connect(server.url())
        try:
            for statement in statements[:-1]:
                await connection.execute(statement)
            return [row[0] for row in await connection.fetch(statements[-1])]
        finally:
            await connection.close()

    return asyncio.run(run())


def operate(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The operator's command."""
    command = [sys.executable, "-m", "infra.operate", *words]
    return subprocess.run(
        command, cwd=PROJECT, env={**os.environ, "DATA": str(folder)}, capture_output=True, text=True, timeout=60, check=False
    )


def test_what_was_filed_before_the_backup_is_back_and_what_came_after_is_gone(postgres: Postgres) -> None:
    dump = back_up(postgres)
    do(postgres, "delete from personnel.dose returning lot")
    postgres.stop()
    store = postgres.folder / "nats" / "store"
    store.mkdir(parents=True)
    (store / "newer than the truth").touch()

    aside = restore(postgres, dump)

    postgres.start()
    assert do(postgres, "select lot from personnel.dose") == ["20210401"]
    assert do(postgres, "select tableowner from pg_tables where tablename = 'dose'") == ["personnel"]
    assert do(
        postgres, "alter role personnel password 'new'", "grant personnel to muster with set true, inherit true", "select 'owned'"
    ) == ["owned"]
    assert not store.exists()
    assert (aside / "PG_VERSION").exists()
    assert dump.stat().st_mode & 0o777 == 0o600


def test_the_calendar_comes_back_with_who_may_change_which_row(tmp_path: Path) -> None:
    folder = tmp_path / "the house"
    folder.mkdir(mode=0o700)
    (folder / "kind").write_text("real")
    server = Postgres(folder, fsync=False)
    server.start()
    span = "gen_random_uuid(), tstzrange('2021-08-05 00:00Z', '2021-08-05 04:40Z'), 'assignment'"
    try:
        asyncio.run(migrate(server.url(), dict.fromkeys(SERVICES, "x")))
        do(
            server,
            "set role dispatch",
            f"insert into calendar.booking (ref, person_id, during, kind) values (gen_random_uuid(), {span}) returning owner",
        )
        dump = back_up(server)
        do(server, "delete from calendar.booking returning owner")
        server.stop()

        restore(server, dump)

        server.start()
        assert do(server, "set role duty", "select owner from calendar.booking") == ["dispatch"]
        assert do(server, "set role duty", "delete from calendar.booking returning owner") == []
        assert do(server, "select tableowner from pg_tables where schemaname = 'calendar' and tablename = 'booking'") == ["muster"]
        asyncio.run(migrate(server.url(), dict.fromkeys(SERVICES, "y")))  # the next start finds everything its own
        assert do(server, "set role dispatch", "delete from calendar.booking returning owner") == ["dispatch"]
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            do(server, "set role identity", "select owner from calendar.booking")
    finally:
        server.stop()


def test_a_backup_of_the_other_kind_or_a_damaged_one_leaves_the_data_untouched(postgres: Postgres) -> None:
    dump = back_up(postgres)
    do(postgres, "update personnel.dose set lot = 'later' returning lot")
    postgres.stop()
    (postgres.folder / "kind").write_text("demo")
    with pytest.raises(CannotStart, match="A demo can never become a real system"):
        restore(postgres, dump)
    (postgres.folder / "kind").write_text("real")
    dump.write_bytes(dump.read_bytes()[:-100])
    with pytest.raises(CannotStart, match="its hash differs"):
        restore(postgres, dump)
    about = json.loads(dump.with_suffix(".json").read_text())
    dump.with_suffix(".json").write_text(json.dumps({**about, "sha256": hashlib.sha256(dump.read_bytes()).hexdigest()}))
    with pytest.raises(CannotStart, match="pg_restore failed"):
        restore(postgres, dump)

    postgres.start()
    assert do(postgres, "select lot from personnel.dose") == ["later"]


def test_the_operator_backs_up_a_running_and_a_stopped_system_and_restores_only_a_stopped_one(postgres: Postgres) -> None:
    folder = postgres.folder
    with hold(folder, "http://127.0.0.1:8000 (process 1)"):
        running = operate(folder, "backup")
        refused = operate(folder, "restore", running.stdout.split()[1])
    assert running.returncode == 0, running.stderr
    assert "Muster runs at http://127.0.0.1:8000" in refused.stderr
    postgres.stop()

    stopped = operate(folder, "backup")
    unnamed = operate(folder, "restore")
    restored = operate(folder, "restore", running.stdout.split()[1])

    assert stopped.returncode == 0, stopped.stderr
    assert running.stdout.split()[1] in unnamed.stderr
    assert restored.returncode == 0, restored.stderr
    postgres.start()
    assert do(postgres, "select lot from personnel.dose") == ["20210401"]


def test_only_so_many_backups_are_kept(postgres: Postgres) -> None:
    backups = postgres.folder / "backups"
    backups.mkdir()
    for day in range(1, 5):
        (backups / f"2021-08-0{day}T00-00-00Z.dump").touch()
    made = back_up(postgres, keep=3)
    assert [dump.name for dump in sorted(backups.glob("*.dump"))] == ["2021-08-03T00-00-00Z.dump", "2021-08-04T00-00-00Z.dump", made.name]
