"""What is due at a business time: deadlines, removals, retries. Claimed with skip locked, one row in one transaction."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from shared.auth import SYSTEM
from shared.clock import now, real_now
from shared.db import Database, is_away
from shared.house import Due
from shared.loops import goes_on

log = structlog.get_logger()

POLL_SECONDS = 1.0
FAILURES_UNTIL_PARKED = 8

Act = Callable[[AsyncSession, Due], Awaitable[None]]


async def later(tx: AsyncSession, kind: str, key: str, due_at: datetime, payload: Mapping[str, Any] | None = None) -> None:
    """Put work on the list, in this transaction; the same kind and key again moves it."""
    await later_all(tx, kind, {key: due_at}, payload)


async def later_all(tx: AsyncSession, kind: str, due: Mapping[str, datetime], payload: Mapping[str, Any] | None = None) -> None:
    """Put much work on the list in one statement: when each key is due."""
    if not due:
        return
    rows = [{"kind": kind, "key": key, "due_at": due_at, "payload": dict(payload or {}), "tries": 0} for key, due_at in due.items()]
    row = insert(Due).values(rows)
    fresh = {"due_at": row.excluded.due_at, "payload": row.excluded.payload, "tries": 0, "retry_at": None, "parked_at": None, "error": None}
    await tx.execute(row.on_conflict_do_update(index_elements=["kind", "key"], set_=fresh))


async def never(tx: AsyncSession, kind: str, key: str) -> None:
    """Take work off the list."""
    await tx.execute(delete(Due).where(Due.kind == kind, Due.key == key))


class DueLoop:
    """Does what is due, for the kinds that this service knows."""

    def __init__(self, database: Database, acts: Mapping[str, Act]) -> None:
        self.database, self.acts = database, acts

    async def run(self) -> None:
        """Rounds without end; a store that is down is waited for."""
        while goes_on():
            try:
                busy = await self.round()
            except Exception as odd:  # the loop must outlive whatever a round meets
                if not is_away(odd):
                    log.warning("due round failed", error=f"{type(odd).__name__}: {odd}"[:300])
                busy = False
            if not busy:
                await asyncio.sleep(POLL_SECONDS)

    async def round(self) -> bool:
        """Do one row; False when nothing is due."""
        if not self.acts:
            return False
        failed: tuple[str, str, Exception] | None = None
        async with self.database.sessions(info={"caller": SYSTEM, "scope": self.database.scope}) as tx:
            ready = or_(Due.retry_at.is_(None), Due.retry_at <= real_now())
            wanted = select(Due).where(Due.kind.in_(self.acts), Due.due_at <= now(), Due.parked_at.is_(None), ready)
            row = (await tx.scalars(wanted.order_by(Due.due_at).limit(1).with_for_update(skip_locked=True))).one_or_none()
            if row is None:
                return False
            kind, key = row.kind, row.key
            try:
                await tx.execute(delete(Due).where(Due.kind == kind, Due.key == key))
                await self.acts[kind](tx, row)
                await tx.commit()
                if tx.info.get("told"):
                    self.database.published.set()
            except Exception as odd:
                await tx.rollback()
                if is_away(odd):
                    raise
                failed = (kind, key, odd)
        if failed is not None:
            await self._push_back(*failed)
        return True

    async def _push_back(self, kind: str, key: str, odd: Exception) -> None:
        log.warning("due row failed", kind=kind, key=key, error=f"{type(odd).__name__}: {odd}"[:300])
        mine = (Due.kind == kind) & (Due.key == key)
        async with self.database.transaction(SYSTEM) as tx:
            tries = (await tx.scalar(select(Due.tries).where(mine))) or 0
            wait = timedelta(seconds=min(2 ** (tries + 1), 600))
            parked_at = real_now() if tries + 1 >= FAILURES_UNTIL_PARKED else None
            fresh = {
                "tries": tries + 1,
                "retry_at": real_now() + wait,
                "parked_at": parked_at,
                "error": f"{type(odd).__name__}: {odd}"[:500],
            }
            await tx.execute(update(Due).where(mine).values(fresh))


async def late(tx: AsyncSession) -> tuple[int, int]:
    """How many rows are due by now, and how many are parked."""
    due = await tx.scalar(select(func.count()).select_from(Due).where(Due.due_at <= now(), Due.parked_at.is_(None)))
    parked = await tx.scalar(select(func.count()).select_from(Due).where(Due.parked_at.is_not(None)))
    return int(due or 0), int(parked or 0)


async def parked(database: Database) -> list[Due]:
    """What is parked, the oldest first."""
    async with database.reading(SYSTEM) as tx:
        return list(await tx.scalars(select(Due).where(Due.parked_at.is_not(None)).order_by(Due.parked_at)))


async def try_again(database: Database) -> int:
    """What is parked is due again at once, as if it had never failed: how many rows."""
    fresh = {"tries": 0, "retry_at": None, "parked_at": None}
    async with database.transaction(SYSTEM) as tx:
        return len((await tx.execute(update(Due).where(Due.parked_at.is_not(None)).values(fresh).returning(Due.key))).all())
