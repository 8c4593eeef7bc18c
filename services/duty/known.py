"""What others told duty; whoever left, or cannot be had, falls out of what they hold. Shifts are kept for people's own calendars."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import and_, delete, func, not_, or_, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.duty.acts import away_with_duties, fall_out
from services.duty.tables import Amendment, Feed, KnownAssignment, KnownDepartment, KnownPerson, KnownShift, Post
from shared.auth import SYSTEM
from shared.bookings import hold_time_of, release_all_of
from shared.clock import now
from shared.db import Database
from shared.due import later
from shared.events import AssignmentsChanged, PersonState, ShiftsChanged
from shared.house import Due
from shared.known import GONE, blank, known_people, remember

WATCH = "availability.watch"
WATCHED_EVERY = timedelta(minutes=1)


async def _changed(tx: AsyncSession, people: Sequence[PersonState]) -> None:
    """A telling of somebody who stays opens nothing; which version holds is looked up, since this one may have been overtaken."""
    await fall_out(tx, sorted({one.id for one in people if one.left_on is not None}), "left")


async def _removed(tx: AsyncSession, person_ids: Sequence[UUID]) -> None:
    """Their keep time is over: links, booked time and what was written about them go; who held which place is a bare id from now on."""
    await hold_time_of(tx, *person_ids)
    for table in (Feed, KnownAssignment):
        await tx.execute(delete(table).where(table.person_id.in_(person_ids)))
    await release_all_of(tx, person_ids)
    concerned = or_(Amendment.old_person_id.in_(person_ids), Amendment.new_person_id.in_(person_ids))
    await blank(tx, update(Amendment).where(concerned, Amendment.reason != "").values(reason=GONE))
    await blank(tx, update(Amendment).where(Amendment.by_id.in_(person_ids)).values(by_id=None, by_name=""))
    for one in person_ids:
        pool = func.array_remove(Post.pool_people, one)
        emptied = and_(func.cardinality(Post.pool_people) == 1, func.cardinality(Post.pool_departments) == 0)
        named = update(Post).where(Post.pool_people.contains([one]), not_(emptied))  # an empty pool would be everyone's
        await blank(tx, named.values(pool_people=pool, version=Post.version + 1))


known = known_people(KnownPerson, KnownDepartment, changed=_changed, removed=_removed)


@known.on(ShiftsChanged)
async def remember_shifts(event: ShiftsChanged, tx: AsyncSession) -> None:
    """What shifts are of, and where."""
    await remember(tx, KnownShift, event.shifts, None)


@known.on(AssignmentsChanged)
async def remember_assignments(event: AssignmentsChanged, tx: AsyncSession) -> None:
    """Who is on which shift, and when."""
    await remember(tx, KnownAssignment, event.assignments, None)


@known.due(WATCH)
async def watch_availability(tx: AsyncSession, row: Due) -> None:
    """Whoever the calendar says cannot be had falls out of their duties: nobody tells why, so the calendar is asked."""
    await later(tx, WATCH, row.key, now() + WATCHED_EVERY)
    await fall_out(tx, sorted(await away_with_duties(tx)), "unavailable")


async def plan_watch(database: Database) -> None:
    """The calendar is watched from the start on."""
    async with database.transaction(SYSTEM) as tx:
        await later(tx, WATCH, "calendar", now())
