"""Corrections: when somebody came and went, said anew by whoever leads there, with the reason; what stood before stays readable."""

from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.dispatch.acts import hold_assignment, tell_assignments
from services.dispatch.leading import is_led_by, kept_short
from services.dispatch.reads import assignment_shown, brief_people, correction_shown
from services.dispatch.rules.assigning import forbidden_correction, forbidden_times, is_late, stay_bounds
from services.dispatch.rules.moving import OVERRIDABLE
from services.dispatch.shapes import AssignmentId, AssignmentShown, CorrectionShown, ShiftId
from services.dispatch.tables import Assignment, TimeCorrection
from shared.auth import Caller, require
from shared.bookings import Span, book, release, taken
from shared.clock import now
from shared.db import Read, Tx
from shared.refusals import Refused, wrong
from shared.service import Slice
from shared.web import Body, Listed, Note, Shown

corrections = Slice(tags=["attendance"])

HAPPENED = OVERRIDABLE | {"unavailable"}
"""What forbids to ask somebody does not undo that they were there."""


class TimesWish(Body):
    """When somebody really came and went, and why it stood otherwise; without `checked_out_at` they are there still."""

    checked_in_at: AwareDatetime
    checked_out_at: AwareDatetime | None = None
    reason: Note

    model_config = Body.model_config | {
        "json_schema_extra": {
            "example": {
                "checked_in_at": "2021-08-04T08:00:00+08:00",
                "checked_out_at": "2021-08-04T12:40:00+08:00",
                "reason": "签退时点错了人",
            }
        }
    }


class PersonsCorrections(Shown):
    """Of one assignment, each correction, the newest first."""

    assignment_id: AssignmentId
    corrections: list[CorrectionShown]


@corrections.post("/assignments/{assignment_id}/correction")
async def correct_times(
    assignment_id: AssignmentId, wish: TimesWish, caller: Annotated[Caller, require("attendance.record")], tx: Tx
) -> AssignmentShown:
    """Say anew when somebody came and went: whoever leads the shift or coordinates, at any time after. Hours add up from what stands now;
    what stood before stays on record with the reason, also for the person. The same times again change nothing. Refused: `not_found`, also
    for oneself; `not_checked_in`, `off_already`, `overlap` (the person was elsewhere then); 422 `in_future`, `left_before_coming`,
    `far_from_shift` (an hour before, four hours after), `required` (of a shift long over somebody is not there still)."""
    shift, row = await hold_assignment(tx, assignment_id)
    if not is_led_by(shift, caller):
        raise Refused("not_found", 404)
    if code := forbidden_correction(row.state):
        raise Refused(code, 409)
    if found := forbidden_times(row.starts_at, row.ends_at, wish.checked_in_at, wish.checked_out_at, now()):
        earliest, latest = stay_bounds(row.starts_at, row.ends_at)
        bounds = {"earliest": earliest.isoformat(), "latest": latest.isoformat()} if found[1] == "far_from_shift" else {}
        raise wrong(*found, **bounds)
    if (row.checked_in_at, row.checked_out_at) != (wish.checked_in_at, wish.checked_out_at):
        try:
            await _correct(tx, row, wish, caller)
        except Refused as no:
            raise kept_short(no, caller) from no
    return assignment_shown(row, await brief_people(tx, {row.person_id}), caller)


@corrections.get("/shifts/{shift_id}/corrections")
async def list_corrections(
    shift_id: ShiftId, caller: Annotated[Caller, require("assignment.read")], read: Read
) -> Listed[PersonsCorrections]:
    """Of the people on a shift whom the caller may see: whose times were said anew, what stood before, and why."""
    of_shift = TimeCorrection.assignment_id.in_(select(Assignment.id).where(Assignment.shift_id == shift_id))
    rows = list(await read.scalars(select(TimeCorrection).where(of_shift).order_by(TimeCorrection.corrected_at.desc()).limit(500)))
    items = [
        PersonsCorrections(assignment_id=one, corrections=[correction_shown(row, caller) for row in rows if row.assignment_id == one])
        for one in dict.fromkeys(row.assignment_id for row in rows)
    ]
    return Listed(items=items, total=len(items), page_size=500)


async def _correct(tx: AsyncSession, row: Assignment, wish: TimesWish, caller: Caller) -> None:
    old = {"old_checked_in_at": row.checked_in_at, "old_checked_out_at": row.checked_out_at}
    new = {"checked_in_at": wish.checked_in_at, "checked_out_at": wish.checked_out_at, "reason": wish.reason}
    by = {"corrected_by": caller.id, "corrected_by_name": caller.name, "corrected_at": now()}
    tx.add(TimeCorrection(assignment_id=row.id, **old, **new, **by))
    row.checked_in_at, row.checked_out_at = wish.checked_in_at, wish.checked_out_at
    row.state = "checked_out" if wish.checked_out_at else "checked_in"
    row.late = not row.walk_on and is_late(row.starts_at, wish.checked_in_at)
    row.version += 1
    await tx.flush()
    await _book_anew(tx, row, wish.checked_in_at, wish.checked_out_at or row.ends_at)
    await tell_assignments(tx, [row])


async def _book_anew(tx: AsyncSession, row: Assignment, came_at: datetime, went_at: datetime) -> None:
    """The person's time is what of the shift they were there, and free again for the rest of it."""
    booked = await taken(tx, [row.person_id], row.starts_at, row.ends_at)
    if any(one.ref == row.id for one in booked):
        await release(tx, row.id)
    begins_at, ends_at = max(row.starts_at, came_at), min(row.ends_at, went_at)
    if begins_at < ends_at:
        await book(tx, Span(row.id, row.person_id, begins_at, ends_at, "assignment"), despite=HAPPENED)
