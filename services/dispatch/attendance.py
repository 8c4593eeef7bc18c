"""Attendance: who came, when they really came and went, who is late, who never came, and who came unplanned."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.dispatch.acts import BEGINNING, hold_assignment, tell_assignments
from services.dispatch.leading import is_led_by, kept_short
from services.dispatch.placing import Manner, one_placed, place_people
from services.dispatch.ranking import fitness_of, unfit
from services.dispatch.reads import assignment_shown, brief_people
from services.dispatch.rules.assigning import COMES_EARLY, forbidden_arrival, forbidden_departure, forbidden_step, is_late
from services.dispatch.rules.moving import OVERRIDABLE
from services.dispatch.shapes import AssignmentId, AssignmentShown, ShiftId
from services.dispatch.tables import HOLDS_PLACE, Assignment, Operation, Shift, ShiftRole, Site
from shared.auth import Caller, require
from shared.bookings import Span, book, release
from shared.clock import now
from shared.db import Tx, as_system
from shared.due import later
from shared.house import Due
from shared.refusals import Refused, wrong
from shared.service import Slice
from shared.story import example_id
from shared.web import Body, Line, Note

attendance = Slice(tags=["attendance"])


class Arrival(Body):
    """`code`: what the QR code at the site says; whoever leads the shift needs none, and may say when it was."""

    code: Line | None = None
    at: AwareDatetime | None = None

    model_config = Body.model_config | {"json_schema_extra": {"example": {"code": "kX3v-9TqLm2a"}}}


class Scan(Body):
    """What the QR code at a site says."""

    code: Line

    model_config = Body.model_config | {"json_schema_extra": {"example": {"code": "kX3v-9TqLm2a"}}}


class Departure(Body):
    """Whoever leads the shift may say when it was; now without it."""

    at: AwareDatetime | None = None

    model_config = Body.model_config | {"json_schema_extra": {"example": {}}}


class Absence(Body):
    """Why somebody did not come, where it is known."""

    reason: Note | None = None

    model_config = Body.model_config | {"json_schema_extra": {"example": {"reason": "电话未接"}}}


class WalkOn(Body):
    """Who is there unplanned, for which role; `override` as when somebody is asked."""

    person_id: UUID
    role: Line
    override: Note | None = None

    model_config = Body.model_config | {"json_schema_extra": {"example": {"person_id": example_id("person"), "role": "信息登记"}}}


@attendance.post("/assignments/checkin")
async def check_in_here(wish: Scan, caller: Annotated[Caller, require("attendance.record")], tx: Tx) -> AssignmentShown:
    """Check in where one is: at one's own shift at the site of this code, the one that runs or begins within the hour. Refused:
    `wrong_code` where one has none there now, and all that `POST /assignments/{id}/checkin` refuses."""
    own = (Assignment.person_id == caller.person_id, Site.code == wish.code, Assignment.ends_at > now())
    wanted = select(Assignment.id).join(Shift, Shift.id == Assignment.shift_id).join(Site, Site.id == Shift.site_id).where(*own)
    wanted = wanted.where(Assignment.starts_at <= now() + COMES_EARLY, Assignment.state.not_in(("declined", "released")))
    by = (Assignment.state.not_in(("proposed", "confirmed", "no_show")), Assignment.starts_at)
    found = await tx.scalar(wanted.order_by(*by).limit(1)) if caller.person_id else None
    if found is None:
        raise Refused("wrong_code", 409)
    return await _come(tx, found, Arrival(code=wish.code), caller)


@attendance.post("/assignments/{assignment_id}/checkin")
async def check_in(
    assignment_id: AssignmentId, wish: Arrival, caller: Annotated[Caller, require("attendance.record")], tx: Tx
) -> AssignmentShown:
    """Check in: oneself with the code of the site, or by who leads the shift or coordinates, without. A minute after the beginning it is
    late. Who was marked as not come may still come while there is a place. Refused: `not_found`, `wrong_code`, `too_early` (more than an
    hour), `over_already`, `checked_in_already`, `checked_out_already`, `off_already`, `not_fit` (not any more), `full`, `overlap`; 422
    `in_future`."""
    try:
        return await _come(tx, assignment_id, wish, caller)
    except Refused as no:
        raise kept_short(no, caller) from no


@attendance.post("/assignments/{assignment_id}/checkout")
async def check_out(
    assignment_id: AssignmentId, wish: Departure, caller: Annotated[Caller, require("attendance.record")], tx: Tx
) -> AssignmentShown:
    """Check out, oneself or by who leads or coordinates. Who goes before the end has the rest of the time free again. Four hours after the
    end nobody has just gone: whoever leads says when it was. Refused: `not_found`, `not_checked_in`, `checked_out_already`, `off_already`,
    `ended_long_ago`; 422 `in_future`, `left_before_coming`."""
    shift, row = await hold_assignment(tx, assignment_id)
    at = _moment(wish.at, leads=_must_reach(row, shift, caller))
    if code := forbidden_step(row.state, "checked_out") or forbidden_departure(row.ends_at, at):
        raise Refused(code, 409)
    if row.checked_in_at is not None and at < row.checked_in_at:
        raise wrong("at", "left_before_coming")
    row.state, row.checked_out_at = "checked_out", at
    row.version += 1
    await tx.flush()
    if at < row.ends_at:
        await release(tx, row.id)
        begins_at = max(row.starts_at, row.checked_in_at or row.starts_at)
        if begins_at < at:
            await book(tx, Span(row.id, row.person_id, begins_at, at, "assignment"), despite=OVERRIDABLE)
    return await _told(tx, row)


@attendance.post("/assignments/{assignment_id}/noshow")
async def mark_no_show(
    assignment_id: AssignmentId, wish: Absence, caller: Annotated[Caller, require("attendance.record")], tx: Tx
) -> AssignmentShown:
    """Whoever leads or coordinates says that somebody did not come: the place and the person's time are free again. Refused: `not_found`,
    also for oneself; `not_begun`, `checked_in_already`, `checked_out_already`, `off_already`, `no_show_already`."""
    shift, row = await hold_assignment(tx, assignment_id)
    if not _must_reach(row, shift, caller):
        raise Refused("not_found", 404)
    if code := forbidden_step(row.state, "no_show"):
        raise Refused(code, 409)
    if now() < row.starts_at:
        raise Refused("not_begun", 409)
    row.state, row.reason = "no_show", wish.reason
    row.version += 1
    await tx.flush()
    await release(tx, row.id)
    return await _told(tx, row)


@attendance.post("/shifts/{shift_id}/walkons", status_code=201)
async def walk_on(shift_id: ShiftId, wish: WalkOn, caller: Annotated[Caller, require("attendance.record")], tx: Tx) -> AssignmentShown:
    """Somebody is there unplanned: checked in at once, by who leads or coordinates. Refused: `not_found` for everybody else, `too_early`,
    and all that forbids to ask somebody, of which who leads learns no more than what it is; 422 `no_role`, `unknown_id`."""
    shift = await tx.scalar(select(Shift).where(Shift.id == shift_id))
    if shift is None or not is_led_by(shift, caller):
        raise Refused("not_found", 404)
    if forbidden_arrival(shift.starts_at, shift.ends_at, now()) == "too_early":
        raise Refused("too_early", 409)
    manner = Manner("checked_in", caller, override=wish.override, running=True)
    try:
        return await one_placed(tx, await place_people(tx, shift_id, wish.role, [wish.person_id], manner))
    except Refused as no:
        raise kept_short(no, caller) from no


@attendance.due(BEGINNING)
async def mark_late(tx: AsyncSession, row: Due) -> None:
    """A shift begins: whoever is not there is late, until they come."""
    shift = await tx.scalar(select(Shift).where(Shift.id == UUID(row.key)).with_for_update())
    if shift is None or shift.state == "cancelled":
        return
    if shift.starts_at > now():  # moved in the meantime
        await later(tx, BEGINNING, row.key, shift.starts_at)
        return
    missing = select(Assignment).where(Assignment.shift_id == shift.id, Assignment.state.in_(("proposed", "confirmed")))
    late = list(await tx.scalars(missing.order_by(Assignment.id).with_for_update()))
    for one in late:
        one.late = True
        one.version += 1
    await tx.flush()
    await tell_assignments(tx, late)


async def _come(tx: AsyncSession, assignment_id: UUID, wish: Arrival, caller: Caller) -> AssignmentShown:
    shift, row = await hold_assignment(tx, assignment_id)
    leads = _must_reach(row, shift, caller)
    at = _moment(wish.at, leads=leads)
    asked = select(Site.code, Operation.requirement).join(Operation, Operation.id == Site.operation_id).where(Site.id == shift.site_id)
    code, rule = (await tx.execute(asked)).one()
    if wish.code != code and not (leads and wish.code is None):
        raise Refused("wrong_code", 409)
    if forbidden := forbidden_step(row.state, "checked_in") or forbidden_arrival(row.starts_at, row.ends_at, at):
        raise Refused(forbidden, 409)
    fitness = await fitness_of(tx, [row.person_id], {rule})
    begins_at = max(row.starts_at, at)
    if row.override_reason is None and (against := unfit(fitness, row.person_id, rule, begins_at, row.ends_at)):
        raise Refused(against[0].code, 409, {**against[0].params, "person_id": str(row.person_id)})
    if row.state == "no_show":
        await _take_place_again(tx, row, begins_at)
    row.state, row.checked_in_at, row.late = "checked_in", at, is_late(row.starts_at, at)
    row.version += 1
    await tx.flush()
    return await _told(tx, row)


async def _take_place_again(tx: AsyncSession, row: Assignment, begins_at: datetime) -> None:
    """Somebody comes who was given up: if the place and their time are still free. Their time and the shift are held."""
    held = select(Assignment.id).where(Assignment.shift_id == row.shift_id, Assignment.role == row.role, Assignment.state.in_(HOLDS_PLACE))
    async with as_system(tx):
        taken = len((await tx.scalars(held)).all())
        head_count = await tx.scalar(select(ShiftRole.head_count).where(ShiftRole.shift_id == row.shift_id, ShiftRole.name == row.role))
    if taken >= (head_count or 0):
        raise Refused("full", 409, {"role": row.role})
    overridden = OVERRIDABLE if row.override_reason is not None else ()
    await book(tx, Span(row.id, row.person_id, begins_at, row.ends_at, "assignment"), despite=overridden)


def _must_reach(row: Assignment, shift: Shift, caller: Caller) -> bool:
    """Whether the caller leads; `not_found` for whoever neither does nor speaks for themselves."""
    if is_led_by(shift, caller):
        return True
    if row.person_id != caller.person_id:
        raise Refused("not_found", 404)
    return False


def _moment(at: datetime | None, *, leads: bool) -> datetime:
    if at is None:
        return now()
    if not leads:
        raise Refused("not_allowed", 403, {"action": "attendance.record"})
    if at > now():
        raise wrong("at", "in_future")
    return at


async def _told(tx: AsyncSession, row: Assignment) -> AssignmentShown:
    await tell_assignments(tx, [row])
    return assignment_shown(row, await brief_people(tx, {row.person_id}), tx.info["caller"])
