"""Brings the database to the code: roles, schemas, versions. One run at a time, in a process of its own, while the old code serves on."""

import asyncio
import os
import sys
from pathlib import Path

from alembic import command, op
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from shared.settings import settings

ROOT = Path(__file__).resolve().parent.parent
SERVICES = ("identity", "personnel", "duty", "dispatch", "notifications")
CALENDAR = "calendar"
LOCK = 4_770_001
ROLE_SETTINGS = {
    "statement_timeout": "5s",
    "lock_timeout": "2s",
    "idle_in_transaction_session_timeout": "10s",
    "max_parallel_workers_per_gather": "0",  # many ask at once: one question must not take the cores of the others
}


class SchemaTooNew(Exception):
    """The database was migrated by newer code."""


def execute(script: str) -> None:
    """Run the statements of a migration, each ended by a semicolon at the end of its line: the driver prepares them one by one."""
    for statement in script.split(";\n"):
        if statement.strip():
            op.execute(statement)


def config_of(service: str, connection: Connection | None = None) -> Config:
    """The Alembic configuration of a service: its own versions and the ground floor's; the shared calendar has its own alone."""
    config = Config()
    config.set_main_option("script_location", _quoted(ROOT / "shared" / "migrations"))
    config.set_main_option("path_separator", "newline")
    versions = ROOT / "shared" / "migrations"
    places = (versions / CALENDAR,) if service == CALENDAR else (versions / "house", ROOT / "services" / service / "migrations")
    config.set_main_option("version_locations", "\n".join(_quoted(place) for place in places))
    config.attributes["connection"], config.attributes["schema"] = connection, service
    return config


def _quoted(path: Path) -> str:
    return str(path).replace("%", "%%")


def migrate_service(connection: Connection, service: str) -> None:
    """Run the versions of one service. Raises SchemaTooNew when the database knows versions that the code does not."""
    config = config_of(service, connection)
    known = {revision.revision for revision in ScriptDirectory.from_config(config).walk_revisions()}
    exists = connection.execute(text("select to_regclass(:name)"), {"name": f"{service}.schema_version"}).scalar()
    if exists is not None:
        there = set(connection.execute(text(f"select version_num from {service}.schema_version")).scalars())
        if there - known:
            raise SchemaTooNew(
                f"the schema {service} is at {', '.join(sorted(there - known))}, which is newer than this code: update the code"
            )
    command.upgrade(config, "heads")


async def migrate(url: str, passwords: dict[str, str]) -> None:
    """Roles, schemas and versions of every service. `url` names a role with CREATEROLE that owns the database; no superuser is needed."""
    engine = create_async_engine(make_url(url).set(drivername="postgresql+asyncpg"))
    try:
        async with engine.connect() as connection:
            await connection.exec_driver_sql(f"select pg_advisory_lock({LOCK})")
            await connection.commit()
            await _roles(connection, passwords)
            for service in (CALENDAR, *SERVICES):
                await connection.exec_driver_sql("set lock_timeout = '4s'")
                await connection.exec_driver_sql(f"set search_path = {service}, public")
                if service != CALENDAR:  # its table belongs to the owner, so that each service changes its own rows alone
                    await connection.exec_driver_sql(f"set role {service}")
                await connection.commit()
                await connection.run_sync(migrate_service, service)
                await connection.commit()
                await connection.exec_driver_sql("reset role")
                await connection.commit()
            await connection.exec_driver_sql(f"select pg_advisory_unlock({LOCK})")
            await connection.commit()
    finally:
        await engine.dispose()


async def _roles(connection: object, passwords: dict[str, str]) -> None:
    from sqlalchemy.ext.asyncio import AsyncConnection

    assert isinstance(connection, AsyncConnection)
    there = set((await connection.execute(text("select rolname from pg_roles"))).scalars())
    owner = (await connection.execute(text("select current_user"))).scalar_one()
    for service in SERVICES:
        quoted = passwords[service].replace("'", "''")
        verb = "alter" if service in there else "create"
        await connection.exec_driver_sql(f"{verb} role {service} login password '{quoted}'")
        for name, value in ROLE_SETTINGS.items():
            await connection.exec_driver_sql(f"alter role {service} set {name} = '{value}'")
        await connection.exec_driver_sql(f"alter role {service} set search_path = {service}, public")
        await connection.exec_driver_sql(f'grant {service} to "{owner}" with set true, inherit true')
        await connection.exec_driver_sql(f"create schema if not exists {service} authorization {service}")
        await connection.exec_driver_sql(f"revoke all on schema {service} from public")
    await connection.exec_driver_sql("revoke create on schema public from public")
    await connection.exec_driver_sql("create extension if not exists btree_gist with schema public")
    await connection.exec_driver_sql(f"create schema if not exists {CALENDAR}")
    await connection.commit()


def passwords_from_environment() -> dict[str, str]:
    """ROLE_PASSWORD_IDENTITY and so on, each also as ..._FILE."""
    found = {}
    for service in SERVICES:
        name = f"ROLE_PASSWORD_{service.upper()}"
        path = os.environ.get(f"{name}_FILE")
        value = Path(path).read_text(encoding="utf-8").strip() if path else os.environ.get(name, "")
        if not value:
            sys.exit(f"setting {name}: the password of the database role {service} is missing")
        found[service] = value
    return found


def main() -> None:
    """`python -m shared.migrate` with DATABASE_URL of the owner."""
    settings()  # a setting that cannot be stops here, before anything is begun
    path = os.environ.get("DATABASE_URL_FILE")
    url = Path(path).read_text(encoding="utf-8").strip() if path else os.environ.get("DATABASE_URL", "")
    if not url:
        sys.exit("setting DATABASE_URL: the address of the database with its owner's role is missing")
    try:
        asyncio.run(migrate(url, passwords_from_environment()))
    except SchemaTooNew as too_new:
        sys.exit(str(too_new))
    except CommandError as odd:
        sys.exit(f"the database could not be brought to the code: {odd}")


if __name__ == "__main__":
    main()
