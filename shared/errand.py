"""What leaves the house: mail, webhooks. Claimed with a lease, sent without a transaction and in bounded time, then recorded."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import CTE, func, or_, select, true, update
from sqlalchemy.dialects.postgresql import aggregate_order_by, insert
from sqlalchemy.ext.asyncio import AsyncSession

from shared.auth import SYSTEM
from shared.clock import real_now
from shared.db import Database, is_away
from shared.house import Errand
from shared.loops import goes_on

log = structlog.get_logger()

SIDE_BY_SIDE = 16
OF_ONE_LANE = 4
"""So many errands run at once, and so many of one lane: a mail server that hangs holds up its own mail and nobody else's."""
SECONDS = 20
LEASE = timedelta(seconds=60)
POLL_SECONDS = 0.5
WAITS = tuple(timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 1800, 7200, 21600, 43200))
"""How long an errand waits after each failure that may pass; after the last it has failed."""

NEWS = timedelta(days=1)


class CannotSend(Exception):
    """It did not arrive. `permanent`: it never will, so nobody tries again."""

    def __init__(self, why: str, *, permanent: bool = False) -> None:
        super().__init__(why)
        self.permanent = permanent


Send = Callable[[Database, Errand], Awaitable[None]]
Ended = Callable[[AsyncSession, Errand, str | None], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Run:
    """How a kind of errand is run: `send` outside of any transaction; `ended` in the one that records it, with what failed or None."""

    send: Send
    ended: Ended | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """An errand to be run: `key` is unique in its kind, `lane` is whose failure holds it up (a mail server, an address)."""

    kind: str
    key: str
    lane: str
    payload: Mapping[str, Any] = field(default_factory=dict)
    due_at: datetime | None = None


async def send_later(tx: AsyncSession, *wishes: Wish) -> None:
    """Put errands on the list, in this transaction and in one statement; one that is there already stays as it is."""
    if not wishes:
        return
    rows = [
        {"kind": one.kind, "key": one.key, "lane": one.lane, "payload": dict(one.payload), "due_at": one.due_at or real_now()}
        | {"state": "waiting", "tries": 0, "made_at": real_now()}
        for one in wishes
    ]
    await tx.execute(insert(Errand).on_conflict_do_nothing(index_elements=["kind", "key"]), rows)


@dataclass(frozen=True, slots=True)
class Behind:
    """How a kind of errand stands: what waits, how much of it has failed before, and what was given up of late."""

    waiting_count: int
    oldest_at: datetime | None
    again_count: int
    failed_count: int
    error: str | None


async def behind(tx: AsyncSession, kinds: Iterable[str]) -> dict[str, Behind]:
    """Each of these kinds, in one statement. What was given up is news for a day; the error is the one met last by what is tried again."""
    waiting, failed = Errand.state == "waiting", Errand.state == "failed"
    again = waiting & Errand.error.is_not(None)
    found = select(
        Errand.kind,
        func.count().filter(waiting),
        func.min(Errand.made_at).filter(waiting),
        func.count().filter(again),
        func.count().filter(failed),
        (func.array_agg(aggregate_order_by(Errand.error, Errand.due_at.desc())).filter(again))[1],
    )
    news = waiting | (failed & (Errand.ended_at > real_now() - NEWS))
    rows = await tx.execute(found.where(Errand.kind.in_(list(kinds)), news).group_by(Errand.kind))
    told = {kind: Behind(*figures) for kind, *figures in rows}
    return {kind: told.get(kind, Behind(0, None, 0, 0, None)) for kind in kinds}


@dataclass(frozen=True, slots=True)
class GivenUp:
    """Errands of one kind and lane that were given up for one reason: how many, and when the last."""

    kind: str
    lane: str
    error: str
    count: int
    last_at: datetime


async def given_up(database: Database) -> list[GivenUp]:
    """What was given up and is still kept, by what stood in its way, the oldest first: a mail server that was away is one line."""
    last = func.max(Errand.ended_at)
    found = select(Errand.kind, Errand.lane, func.coalesce(Errand.error, ""), func.count(), last).where(Errand.state == "failed")
    async with database.reading(SYSTEM) as tx:
        rows = await tx.execute(found.group_by(Errand.kind, Errand.lane, Errand.error).order_by(last))
        return [GivenUp(kind, lane, why, count, at) for kind, lane, why, count, at in rows if at is not None]


async def try_again(database: Database) -> int:
    """What was given up waits again from now on, as if it had never failed, under its old id: how many."""
    fresh = {"state": "waiting", "tries": 0, "due_at": real_now(), "ended_at": None}
    async with database.transaction(SYSTEM) as tx:
        return len((await tx.execute(update(Errand).where(Errand.state == "failed").values(fresh).returning(Errand.id))).all())


def _lanes() -> CTE:
    """The lanes in which something waits, each found by a jump in the index, however many errands wait in it."""
    waiting = Errand.state == "waiting"
    lane = select(func.min(Errand.lane).label("lane")).where(waiting).cte("lanes", recursive=True)
    after = select(func.min(Errand.lane)).where(waiting, Errand.lane > lane.c.lane).scalar_subquery()
    return lane.union_all(select(after).where(lane.c.lane.is_not(None)))


class ErrandLoop:
    """Runs this service's errands side by side; a claim that runs out is taken over, so an errand arrives at least once."""

    def __init__(self, database: Database, runs: Mapping[str, Run]) -> None:
        self.database, self.runs = database, runs
        self.lanes: Counter[str] = Counter()
        self.tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Errands without end; a store that is down is waited for."""
        try:
            while goes_on():
                try:
                    busy = await self.begin()
                except Exception as odd:  # the loop must outlive whatever a round meets
                    if not is_away(odd):
                        log.warning("errand round failed", error=f"{type(odd).__name__}: {odd}"[:300])
                    busy = False
                if not busy:
                    await asyncio.sleep(POLL_SECONDS)
                elif len(self.tasks) >= SIDE_BY_SIDE:
                    await asyncio.wait(self.tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in self.tasks:
                task.cancel()

    async def drain(self) -> None:
        """Run whatever can be run now, to its end."""
        while await self.begin() or self.tasks:
            if self.tasks:
                await asyncio.wait(self.tasks)

    async def begin(self) -> bool:
        """Begin as many errands as there is room for; False when none could be begun."""
        if not self.runs or (room := SIDE_BY_SIDE - len(self.tasks)) <= 0:
            return bool(self.tasks)
        claimed = await self._claim(room)
        for errand in claimed:
            self.lanes[errand.lane] += 1
            task = asyncio.create_task(self._one(errand))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
        return bool(claimed)

    async def _claim(self, room: int) -> Sequence[Errand]:
        full = [lane for lane, count in self.lanes.items() if count >= OF_ONE_LANE]
        free = or_(Errand.claimed_until.is_(None), Errand.claimed_until < real_now())
        waiting = Errand.state == "waiting", Errand.kind.in_(self.runs)
        lane = _lanes()
        first = select(Errand.id, Errand.due_at).where(*waiting, Errand.due_at <= real_now(), free, Errand.lane == lane.c.lane)
        ready = first.order_by(Errand.due_at).limit(OF_ONE_LANE).lateral()
        chosen = select(ready.c.id).select_from(lane).join(ready, true()).where(lane.c.lane.is_not(None), lane.c.lane.not_in(full))
        chosen_ids = chosen.order_by(ready.c.due_at).limit(room).scalar_subquery()
        async with self.database.transaction(SYSTEM) as tx:
            wanted = select(Errand).where(Errand.id.in_(chosen_ids), Errand.state == "waiting", free)
            found = list(await tx.scalars(wanted.with_for_update(skip_locked=True)))
            left, begun = Counter(self.lanes), []
            for errand in found:
                if left[errand.lane] < OF_ONE_LANE:
                    left[errand.lane] += 1
                    errand.tries, errand.claimed_until = errand.tries + 1, real_now() + LEASE
                    begun.append(errand)
        return begun

    async def _one(self, errand: Errand) -> None:
        try:
            failed: CannotSend | None = None
            try:
                async with asyncio.timeout(SECONDS):
                    await self.runs[errand.kind].send(self.database, errand)
            except CannotSend as why:
                failed = why
            except Exception as odd:  # whatever an outside system does is its failure, and may pass
                if is_away(odd) and not isinstance(odd, OSError | TimeoutError):
                    raise  # our own store is away: the lease runs out, and nothing is counted
                failed = CannotSend(f"{type(odd).__name__}: {odd}"[:300])
            await self._record(errand, failed)
        except Exception as odd:
            log.warning("errand not recorded, it will be run again", kind=errand.kind, error=f"{type(odd).__name__}: {odd}"[:300])
        finally:
            self.lanes[errand.lane] -= 1
            if not self.lanes[errand.lane]:
                del self.lanes[errand.lane]

    async def _record(self, errand: Errand, failed: CannotSend | None) -> None:
        over = failed is None or failed.permanent or errand.tries > len(WAITS)
        fresh: dict[str, Any] = {"claimed_until": None, "error": str(failed)[:500] if failed else None}
        if over:
            fresh |= {"state": "failed" if failed else "sent", "ended_at": real_now()}
        else:
            fresh |= {"due_at": real_now() + WAITS[errand.tries - 1]}
        async with self.database.transaction(SYSTEM) as tx:
            mine = update(Errand).where(Errand.id == errand.id, Errand.tries == errand.tries, Errand.state == "waiting")
            held = (await tx.execute(mine.values(fresh).returning(Errand.id))).one_or_none()
            ended = self.runs[errand.kind].ended
            if held is not None and over and ended is not None:
                await ended(tx, errand, fresh["error"])
