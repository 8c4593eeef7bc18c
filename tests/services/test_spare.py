"""Connections that a busy time opened are closed after a quiet one, and only then."""

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.postgres import Postgres
from shared.db import engine_for
from shared.spare import KEPT, Spare

pytestmark = pytest.mark.anyio
BUSY = 8


async def _ask(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        await connection.execute(text("select pg_sleep(0.2)"))


async def _open(engine: AsyncEngine) -> int:
    """As the server counts them."""
    async with engine.connect() as connection:
        mine = "select count(*) from pg_stat_activity where usename = current_user and datname = current_database()"
        return int((await connection.execute(text(mine))).scalar_one())


async def test_a_quiet_time_lets_the_connections_of_a_busy_one_go(postgres: Postgres, database_name: str) -> None:
    engine = engine_for(postgres.url("identity", database=database_name))
    spare = Spare(engine)
    await asyncio.gather(*(_ask(engine) for _ in range(BUSY)))
    await spare.let_go()  # the time since the last look was a busy one
    assert await _open(engine) == BUSY
    await spare.let_go()
    assert await _open(engine) <= KEPT
    await asyncio.gather(*(_ask(engine) for _ in range(BUSY)))  # the new pool is watched like the one before
    await spare.let_go()
    assert await _open(engine) == BUSY
    await engine.dispose()


async def test_connections_in_use_are_left_alone(postgres: Postgres, database_name: str) -> None:
    engine = engine_for(postgres.url("identity", database=database_name))
    spare = Spare(engine)
    await asyncio.gather(*(_ask(engine) for _ in range(BUSY)))
    await spare.let_go()
    async with engine.connect() as held:
        await held.execute(text("select 1"))
        await spare.let_go()
        assert (await held.execute(text("select 2"))).scalar_one() == 2
        assert engine.pool.checkedin() == BUSY - 1  # type: ignore[attr-defined]
    await engine.dispose()
