"""Who is on duty, as duty told it: the published intervals from which the duty officer's rights follow, for as long as they last."""

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from services.identity.tables import KnownDuty
from shared.events import DutiesChanged, PeopleRemoved
from shared.known import remember
from shared.service import Slice

on_duty = Slice()


@on_duty.on(DutiesChanged)
async def remember_duties(event: DutiesChanged, tx: AsyncSession) -> None:
    """Duties were published, amended or released; whoever asks for a token next gets the rights of that moment."""
    await remember(tx, KnownDuty, event.duties, None)


@on_duty.on(PeopleRemoved)
async def forget_duties(event: PeopleRemoved, tx: AsyncSession) -> None:
    """Their records are gone, and nobody signs in as them."""
    await tx.execute(delete(KnownDuty).where(KnownDuty.person_id.in_(event.person_ids)))
