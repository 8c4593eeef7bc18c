"""What others told duty; whoever left, or cannot be had, falls out of what they hold."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from services.duty.acts import away_with_duties, fall_out
from services.duty.tables import Feed, KnownDepartment, KnownPerson
from shared.auth import SYSTEM
from shared.clock import now
from shared.db import Database
from shared.due import later
from shared.events import PersonState
from shared.house import Due
from shared.known import known_people

WATCH = "availability.watch"
WATCHED_EVERY = timedelta(minutes=1)


async def _changed(tx: AsyncSession, people: Sequence[PersonState]) -> None:
    """A telling of somebody who stays opens nothing; which version holds is looked up, since this one may have been overtaken."""
    await fall_out(tx, sorted({one.id for one in people if one.left_on is not None}), "left")


async def _removed(tx: AsyncSession, person_ids: Sequence[UUID]) -> None:
    await tx.execute(delete(Feed).where(Feed.person_id.in_(person_ids)))


known = known_people(KnownPerson, KnownDepartment, changed=_changed, removed=_removed)


@known.due(WATCH)
async def watch_availability(tx: AsyncSession, row: Due) -> None:
    """Whoever the calendar says cannot be had falls out of their duties: nobody tells why, so the calendar is asked."""
    await later(tx, WATCH, row.key, now() + WATCHED_EVERY)
    await fall_out(tx, sorted(await away_with_duties(tx)), "unavailable")


async def plan_watch(database: Database) -> None:
    """The calendar is watched from the start on."""
    async with database.transaction(SYSTEM) as tx:
        await later(tx, WATCH, "calendar", now())
