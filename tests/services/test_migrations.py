"""The migrations make what tables.py says."""

import importlib
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from shared.house import House
from shared.migrate import SchemaTooNew, migrate_service
from tests.doors import Doors


def differences(connection: Connection, service: str) -> list[Any]:
    tables = importlib.import_module(f"services.{service}.tables")
    context = MigrationContext.configure(
        connection,
        opts={
            "compare_type": True,
            "include_schemas": False,
            "include_object": lambda _, name, kind, *__: (
                not (kind == "table" and name == "schema_version") and kind not in ("index", "unique_constraint")
            ),
        },
    )
    both: Any = [House.metadata, tables.Table.metadata]
    return list(compare_metadata(context, both))


@pytest.mark.parametrize("service", ["identity", "personnel", "duty", "dispatch"])
async def test_migrating_from_nothing_makes_what_the_tables_say(doors: Doors, service: str) -> None:
    async with doors.engines[service].connect() as connection:
        assert await connection.run_sync(differences, service) == []


async def test_a_schema_newer_than_the_code_is_refused_in_one_sentence(doors: Doors) -> None:
    async with doors.engines["personnel"].connect() as connection:
        await connection.exec_driver_sql("insert into schema_version (version_num) values ('personnel_9999')")
        with pytest.raises(SchemaTooNew, match="newer than this code"):
            await connection.run_sync(migrate_service, "personnel")


async def test_a_service_cannot_read_the_other_ones_tables(doors: Doors) -> None:
    async with doors.engines["identity"].connect() as connection:
        with pytest.raises(Exception, match="permission denied"):
            await connection.exec_driver_sql("select phone from personnel.person")
