"""Real PostgreSQL for every test that asks for it: one server a run, a migrated template, a copy a test."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path

import asyncpg
import pytest
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

_numbers = count(1)


def _token_keys() -> None:
    """Settings are read once, so the keys stand in the environment before the first import asks for them."""
    key = Ed25519PrivateKey.generate()
    os.environ["TOKEN_PRIVATE_KEY"] = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    os.environ["TOKEN_PUBLIC_KEY"] = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


for _name in ("DATABASE_URL", "NATS_URL", "PUBLIC_URL", "HOST", "PORT", "CLOCK_FILE", "DATA_DIR", "WORK"):
    os.environ.pop(_name, None)
os.environ["DEMO"] = "true"  # the demo's doors are tested too; a test that needs a real system says so
os.environ["DEMO_SETUP_CODE"] = "DEMO-CODE-FOR-TESTS"
_token_keys()
_plain: list[structlog.typing.Processor] = [
    structlog.processors.add_log_level,
    structlog.processors.format_exc_info,
    structlog.processors.JSONRenderer(default=str),
]
structlog.configure(
    processors=_plain
)  # else each failure that a test provokes is drawn with all its frames' values, in a fifth of a second

from infra.postgres import Postgres  # noqa: E402
from shared import clock  # noqa: E402
from shared.migrate import CALENDAR, SERVICES, migrate  # noqa: E402
from tests.doors import Door, Doors, engine_of  # noqa: E402
from tests.people import NOW  # noqa: E402


class OneDemoEach(LoadFileScheduling):  # type: ignore[misc]
    """A file stays with one worker, and so do all files in a browser: what they start they share. Groups would say so too, but those of
    pytest-xdist 3.8 are not seen by pytest 9.2."""

    def _split_scope(self, nodeid: str) -> str:
        return "browser" if nodeid.startswith("tests/browser/") else str(super()._split_scope(nodeid))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> OneDemoEach:
    """For several workers (-n)."""
    return OneDemoEach(config, log)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """One loop for the tests and the session's fixtures."""
    return "asyncio"


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A server of this run's own, whose disk may forget."""
    server = Postgres(Path(tmp_path_factory.mktemp("postgres")), fsync=False)
    server.start()
    asyncio.run(migrate(server.url(), {service: server.password(service) for service in SERVICES}))
    yield server
    server.stop()


@pytest.fixture
async def database_name(postgres: Postgres) -> AsyncIterator[str]:
    """A fresh copy of the migrated database."""
    name = f"test_{next(_numbers)}"
    connection = await asyncpg.connect(postgres.url("postgres", database="postgres"))
    await connection.execute(f"create database {name} template muster owner muster strategy wal_log")
    yield name
    await connection.execute(f"drop database {name} with (force)")
    await connection.close()


@pytest.fixture(autouse=True)
def _stand_on_the_fourth_of_august() -> Iterator[None]:
    """Tests stand at one moment of the reference case unless they move the clock."""
    clock.set_now(NOW)
    yield
    clock.set_offset(0)


class Kept:
    """The database that this worker's tests use one after the other: emptied in between, its connections stay."""

    def __init__(self, postgres: Postgres, name: str) -> None:
        self.postgres, self.name = postgres, name
        self.engines = {service: engine_of(postgres.url(service, database=name)) for service in SERVICES}
        self.tables: list[str] = []
        self.again = ""
        self.connection: asyncpg.Connection | None = None

    async def connected(self) -> asyncpg.Connection:
        """As the one who may write everything, and asks no key and no trigger."""
        if self.connection is None or self.connection.is_closed():
            self.connection = await asyncpg.connect(self.postgres.url("postgres", database=self.name))
            tables = await self.connection.fetch(
                "select format('%I.%I', schemaname, tablename) as name from pg_tables"
                " where schemaname = any($1) and tablename <> 'schema_version'",
                [*SERVICES, CALENDAR],
            )
            self.tables = [row["name"] for row in tables]
            await self.connection.execute("set session_replication_role = replica")
        return self.connection

    async def empty(self) -> None:
        """As migrated. Whatever a test left running in it is ended first."""
        connection = await self.connected()
        await connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and state <> 'idle'"
            " and backend_type = 'client backend' and pid <> pg_backend_pid()"
        )
        delete = "".join(f"delete from {name};" for name in self.tables)
        await connection.execute(delete + "insert into personnel.institution (id, name, version) values (1, '', 1)")

    async def settled(self, settle: Callable[[], Awaitable[None]]) -> None:
        """What `settle` puts there: the first time by itself, a minute ago; from then on as a copy of its rows."""
        connection = await self.connected()
        if not self.again:
            clock.set_now(NOW - timedelta(minutes=1))
            await settle()
            clock.set_now(NOW)
            await connection.execute("create schema settled")
            filled = [name for name in self.tables if await connection.fetchval(f"select exists (select from {name})")]
            for name in filled:
                copy = f"settled.{name.replace('.', '_')}"
                await connection.execute(f"create table {copy} as table {name}")
                self.again += f"delete from {name}; insert into {name} overriding system value table {copy};"
        else:
            await connection.execute(self.again)

    async def close(self) -> None:
        """Let go of the database."""
        if self.connection is not None:
            await self.connection.close()
        for engine in self.engines.values():
            await engine.dispose()


@pytest.fixture(scope="session")
async def kept(postgres: Postgres) -> AsyncIterator[Kept]:
    """Made once for each worker."""
    connection = await asyncpg.connect(postgres.url("postgres", database="postgres"))
    await connection.execute("create database kept template muster owner muster strategy wal_log")
    await connection.close()
    found = Kept(postgres, "kept")
    yield found
    await found.close()


@pytest.fixture
def database(request: pytest.FixtureRequest) -> Kept | str:
    """The worker's database, or the name of a copy for a test that asks for `database_name`, since it may break it."""
    found: Kept | str = request.getfixturevalue("database_name" if "database_name" in request.fixturenames else "kept")
    return found


@pytest.fixture
async def doors(postgres: Postgres, database: Kept | str) -> AsyncIterator[Doors]:
    """Every service in this process, on an empty database."""
    if isinstance(database, Kept):
        found = Doors(database.engines)
        yield found
        await found.close()
        await database.empty()
        return
    found = Doors({service: engine_of(postgres.url(service, database=database)) for service in SERVICES})
    yield found
    await found.close()
    for engine in found.engines.values():
        await engine.dispose()


@pytest.fixture
def personnel(doors: Doors) -> Door:
    """The personnel service, through its HTTP door."""
    return doors.personnel


@pytest.fixture
def identity(doors: Doors) -> Door:
    """The identity service, through its HTTP door."""
    return doors.identity


@pytest.fixture
def duty(doors: Doors) -> Door:
    """Who is on duty, through its HTTP door."""
    return doors.duty


@pytest.fixture
def dispatch(doors: Doors) -> Door:
    """Who goes where, through its HTTP door."""
    return doors.dispatch


@pytest.fixture
def notifications(doors: Doors) -> Door:
    """Who has been told, through its HTTP door."""
    return doors.notifications
