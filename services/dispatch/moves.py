"""People whose shift moves: whoever still can is asked again, whoever cannot is released, and everybody is told the old and new times."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.dispatch.acts import release_assignments, tell_assignments
from services.dispatch.reads import unfit_of
from services.dispatch.rules.moving import OVERRIDABLE, because_of, standing_reasons
from services.dispatch.tables import Assignment, Operation, Shift, Site
from shared.bookings import Span, book, judge, release
from shared.clock import now
from shared.events import ShiftMoved
from shared.messaging.outbox import publish
from shared.refusals import Reason, Refused


async def reasons_against(
    tx: AsyncSession, shift: Shift, rule: str | None, person_ids: Sequence[UUID], refs: Sequence[UUID]
) -> list[list[Reason]]:
    """What forbids each of these people this shift, by the calendar and by fitness, in their order; their bookings `refs` left out."""
    spans = [Span(ref, one, shift.starts_at, shift.ends_at, "assignment") for ref, one in zip(refs, person_ids, strict=True)]
    verdicts = await judge(tx, spans, without=refs)
    unfit = await unfit_of(tx, rule, [(one, shift.starts_at, shift.ends_at) for one in person_ids])
    return [[Reason("not_fit", {"rule": rule}), *found] if no else found for no, found in zip(unfit, verdicts, strict=True)]


async def move_people(
    tx: AsyncSession, shift: Shift, place: tuple[Operation, Site], assignments: Sequence[Assignment], old_start: datetime, old_end: datetime
) -> None:
    """The shift stands at its new times; its row and its people's time are held. Whoever is there already stays, or refuses the move:
    `overlap`, `unavailable`."""
    people, refs = [one.person_id for one in assignments], [one.id for one in assignments]
    verdicts = await reasons_against(tx, shift, place[0].requirement, people, refs)
    stay: list[Assignment] = []
    gone: dict[UUID, Any] = {}
    for one, verdict in zip(assignments, verdicts, strict=True):
        here = one.state == "checked_in"
        against = standing_reasons(verdict, overridden=here or one.override_reason is not None)
        if against and here:
            raise Refused(against[0].code, 409, {**against[0].params, "person_id": str(one.person_id)})
        if against:
            gone[one.id] = because_of(against[0])
        else:
            stay.append(one)
    for one in stay:
        one.starts_at, one.ends_at = shift.starts_at, shift.ends_at
        one.version += 1
        if one.state != "checked_in":
            one.state, one.asked_at, one.answered_at, one.late = "proposed", now(), None, False
    await tx.flush()
    if stay and (old_start, old_end) != (shift.starts_at, shift.ends_at):
        await release(tx, *(one.id for one in stay))
        spans = [Span(one.id, one.person_id, one.starts_at, one.ends_at, "assignment") for one in stay]
        await book(tx, *spans, despite=OVERRIDABLE)
    await tell_assignments(tx, stay)
    leaving = [one for one in assignments if one.id in gone]
    for one in leaving:  # after the others were written: rows of one kind are one statement
        one.starts_at, one.ends_at = shift.starts_at, shift.ends_at
    await release_assignments(tx, leaving, gone, reason=shift.reason)
    moved = ShiftMoved(
        shift_id=shift.id,
        operation_name=place[0].name,
        site_name=place[1].name,
        person_ids=[one.person_id for one in assignments],
        old_starts_at=old_start,
        old_ends_at=old_end,
        starts_at=shift.starts_at,
        ends_at=shift.ends_at,
        reason=shift.reason,
    )
    publish(tx, moved)
