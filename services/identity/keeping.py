"""How long identity keeps what it keeps about people: sessions, sign-ins, looks and codes whose time is over go every night."""

from datetime import datetime, time, timedelta

from sqlalchemy import delete, or_
from sqlalchemy.ext.asyncio import AsyncSession

from services.identity.tables import Activation, Bucket, KnownDevice, Lockout, Look, Session, SetupCode, SignIn
from shared.auth import SYSTEM
from shared.clock import now, real_now, zone
from shared.db import Database
from shared.due import later
from shared.house import Due
from shared.service import Slice
from shared.settings import settings

keeping = Slice()

KIND, AT_NIGHT = "keeping.remove", time(3, 20)


def next_night() -> datetime:
    """The coming night, in the institution's zone."""
    local = now().astimezone(zone())
    tonight = datetime.combine(local.date(), AT_NIGHT, zone())
    return tonight if tonight > local else tonight + timedelta(days=1)


@keeping.due(KIND)
async def remove_what_is_over(tx: AsyncSession, row: Due) -> None:
    """Remove sign-ins and looks by business time, sessions and counters by the machine's, by which they live; then again the next night."""
    kept = timedelta(days=settings().sign_in_days)
    at, real = now(), real_now()
    await tx.execute(delete(SignIn).where(SignIn.at < at - kept))
    await tx.execute(delete(Look).where(Look.looked_at < at - timedelta(days=settings().look_days)))
    over = or_(Activation.expires_at < at - kept, Activation.expires_at.is_(None) & (Activation.asked_at < at - kept))
    await tx.execute(delete(Activation).where(over))
    await tx.execute(delete(Session).where(or_(Session.ended_at < real - kept, Session.expires_at < real - kept)))
    await tx.execute(delete(KnownDevice).where(KnownDevice.used_at < real - kept))
    await tx.execute(delete(Bucket).where(Bucket.filled_at < real - timedelta(days=1)))
    await tx.execute(delete(Lockout).where(Lockout.last_wrong_at < real - timedelta(days=2)))
    await tx.execute(delete(SetupCode).where(SetupCode.expires_at < real - timedelta(days=10 * 365)))
    await later(tx, KIND, "every night", next_night())


async def plan_removal(database: Database) -> None:
    """The coming night's removal is on the list, whenever a process starts."""
    async with database.transaction(SYSTEM) as tx:
        await later(tx, KIND, "every night", next_night())
