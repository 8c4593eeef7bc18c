"""Connections to the database that a busy minute opened are closed after a quiet one: each costs the server 3 MB."""

import asyncio
from typing import Any

from sqlalchemy import QueuePool, event
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.util import greenlet_spawn

from shared.loops import goes_on

QUIET = 60.0
KEPT = 3


class Spare:
    """Watches how many connections an engine needs at once."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine, self._most = engine, 0
        event.listen(engine.sync_engine, "checkout", self._taken)

    async def run(self) -> None:
        """Look once a quiet time."""
        while goes_on():
            await asyncio.sleep(QUIET)
            await self.let_go()

    async def let_go(self) -> None:
        """Close them all if few were needed since the last look, and none is needed now; the next question opens what it needs."""
        pool, most = self._pool, self._most
        self._most = 0
        if most > KEPT or pool.checkedin() <= KEPT or pool.checkedout():
            return
        await self._engine.dispose(close=False)  # another pool first: what is taken while these are closed is not among them
        await greenlet_spawn(pool.dispose)

    @property
    def _pool(self) -> QueuePool:
        pool = self._engine.pool
        assert isinstance(pool, QueuePool)
        return pool

    def _taken(self, *_: Any) -> None:
        self._most = max(self._most, self._pool.checkedout())
