"""The number of a shift's leader, for the people of that shift and nobody else."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Path
from sqlalchemy import select

from services.notifications.reads import ON_A_SHIFT
from services.notifications.rules import NUMBER_SHOWN_FOR
from services.notifications.tables import KnownAssignment, KnownContact, KnownPerson, KnownShift
from shared.auth import Caller, require
from shared.clock import now
from shared.db import Read, as_system
from shared.refusals import Refused
from shared.service import Slice
from shared.story import example_id
from shared.web import Shown

leader_numbers = Slice(prefix="/shifts", tags=["leader numbers"])

ShiftId = Annotated[UUID, Path(examples=[example_id("shift")])]


class LeaderNumber(Shown):
    """Whom to call; `phone` is null when none is on record."""

    shift_id: UUID
    name: str
    phone: str | None
    ends_at: datetime


@leader_numbers.get("/{shift_id}/leader_number")
async def show_leader_number(shift_id: ShiftId, caller: Annotated[Caller, require("leader_number.read")], read: Read) -> LeaderNumber:
    """The leader's name and number, for whoever is on the shift, until a day after it. Refused: `not_found` for all others, and for who
    may say who leads, and so might read anybody's; `nobody_to_call` (404) when nobody leads it."""
    if caller.reach("operation.change").everything:
        raise Refused("not_found", 404)
    mine = KnownAssignment.person_id == caller.person_id
    states = KnownAssignment.state.in_((*ON_A_SHIFT, "checked_out"))
    on_it = select(KnownAssignment.id).where(KnownAssignment.shift_id == shift_id, mine, states)
    shift = await read.get(KnownShift, shift_id)
    if shift is None or shift.state == "cancelled" or now() > shift.ends_at + NUMBER_SHOWN_FOR or await read.scalar(on_it.limit(1)) is None:
        raise Refused("not_found", 404)
    async with as_system(read):
        wanted = select(KnownPerson.name, KnownContact.phone).outerjoin(KnownContact, KnownContact.person_id == KnownPerson.id)
        found = (await read.execute(wanted.where(KnownPerson.id == shift.leader_id))).one_or_none()
    if found is None:
        raise Refused("nobody_to_call", 404)
    return LeaderNumber(shift_id=shift_id, name=found.name, phone=found.phone, ends_at=shift.ends_at)
