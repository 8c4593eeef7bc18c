"""Assignments: people put on shifts, their answers, released and freed; and one's own with all that one must know to go there."""

from datetime import date, datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query
from pydantic import Field
from sqlalchemy import and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.dispatch.acts import hold_assignment, release_assignments, tell_assignments
from services.dispatch.placing import Manner, one_placed, place_people, placed_shown
from services.dispatch.ranking import LOOKS_BACK
from services.dispatch.reads import assignment_shown, brief, brief_people, correction_shown
from services.dispatch.rules.assigning import forbidden_step, forbidden_taking_back, worked_hours
from services.dispatch.rules.patterns import day_bounds
from services.dispatch.shapes import (
    AssignmentId,
    AssignmentShown,
    AssignmentStanding,
    CorrectionShown,
    PersonBrief,
    Placed,
    ShiftId,
    SiteBrief,
    Why,
)
from services.dispatch.tables import OPEN_STATES, Assignment, OpenPlace, Operation, Shift, Site, TimeCorrection
from shared.auth import Caller, require
from shared.bookings import hold_time_of
from shared.clock import now, zone
from shared.db import Read, Tx, as_system
from shared.refusals import Refused, wrong
from shared.service import Slice
from shared.story import example_id
from shared.web import Body, Line, Note, Shown

assignments = Slice(tags=["assignments"])

_STEPS = {"received": "confirmed", "decline": "declined", "take_back": "released"}


class AssignmentWish(Body):
    """Whom to ask for a role of a shift; `override`: the reason of a leader who does so in spite of fitness, rest or hours."""

    shift_id: UUID
    role: Line
    person_ids: Annotated[list[UUID], Field(min_length=1, max_length=200)]
    override: Note | None = None

    model_config = Body.model_config | {
        "json_schema_extra": {"example": {"shift_id": example_id("shift"), "role": "信息登记", "person_ids": [example_id("person")]}}
    }


class Answer(Body):
    """What whoever was asked says: `received`, or `decline` with a reason; who signed up by themselves may also `take_back`."""

    answer: Literal["received", "decline", "take_back"]
    reason: Note | None = None

    model_config = Body.model_config | {"json_schema_extra": {"example": {"answer": "decline", "reason": "家中有事"}}}


class Freeing(Body):
    """Which assignments a duty needs the people of; `refs` are the refs of their bookings."""

    refs: Annotated[list[UUID], Field(min_length=1, max_length=500)]
    because: Literal["duty"] = "duty"

    model_config = Body.model_config | {"json_schema_extra": {"example": {"refs": [example_id("assignment")], "because": "duty"}}}


class Freed(Shown):
    """Who was freed; whoever was not on a shift any more is left out."""

    freed: list[AssignmentShown]


class SignUp(Body):
    """For which role."""

    role: Line

    model_config = Body.model_config | {"json_schema_extra": {"example": {"role": "信息登记"}}}


class Own(Shown):
    """One's own assignment. `next_day`: it ends on another day than it begins; `bring`: of the operation, then of the shift; `corrections`:
    how the times one was there were said anew, the newest first."""

    id: UUID = Field(examples=[example_id("assignment")])
    shift_id: UUID
    role: str
    state: AssignmentStanding = Field(examples=["checked_out"])
    starts_at: datetime
    ends_at: datetime
    next_day: bool
    late: bool
    walk_on: bool
    asked_at: datetime
    answered_at: datetime | None
    reason: str | None
    checked_in_at: datetime | None
    checked_out_at: datetime | None
    hours: float = Field(examples=[4.7])
    corrections: list[CorrectionShown]
    operation_id: UUID
    operation: str
    place: str
    note: str | None
    site: SiteBrief
    bring: list[str]
    leader: PersonBrief | None
    shift_state: Literal["planned", "open", "cancelled"] = Field(examples=["open"])
    shift_reason: str | None
    version: int


class Mine(Shown):
    """One's own assignments, soonest first; `hours_28_days` and `hours_total` are hours that one was there."""

    items: list[Own]
    hours_28_days: float
    hours_total: float


@assignments.post("/assignments", status_code=201)
async def assign_people(wish: AssignmentWish, caller: Annotated[Caller, require("assignment.confirm")], tx: Tx) -> Placed:
    """Ask one or several for a shift. Several: whoever cannot be asked is named with the reason, the others are asked. A single one who
    cannot is the refusal: `on_it_already`, `has_left`, `full`, `overlap`, `unavailable`, `not_fit` (rule, until), `too_little_rest`,
    `too_many_hours`; the last three a leader may override with a reason. Refused as a whole: `cancelled_already`, `over_already`,
    `has_begun`, `not_found`, `not_allowed`; 422 `no_role`, `unknown_id`."""
    manner = Manner("proposed", caller, override=wish.override)
    return await placed_shown(tx, await place_people(tx, wish.shift_id, wish.role, wish.person_ids, manner))


@assignments.post("/shifts/{shift_id}/signup", status_code=201)
async def sign_up(shift_id: ShiftId, wish: SignUp, caller: Annotated[Caller, require("assignment.answer")], tx: Tx) -> AssignmentShown:
    """Sign up for a shift that allows it. Refused: `not_open`, `no_signup`, `has_begun`, `full`, and all that forbids to be asked."""
    if caller.person_id is None:
        raise Refused("not_found", 404)
    outcome = await place_people(tx, shift_id, wish.role, [caller.person_id], Manner("confirmed", caller, signing_up=True))
    return await one_placed(tx, outcome)


@assignments.post("/assignments/freeing")
async def free_people(wish: Freeing, caller: Annotated[Caller, require("assignment.free")], tx: Tx) -> Freed:
    """Free people whom a duty needs, in one step: each leaves an open place, which the coordinators see with whom to ask instead."""
    wanted = select(Assignment).where(Assignment.id.in_(wish.refs), Assignment.state.in_(OPEN_STATES), Assignment.ends_at > now())
    async with as_system(tx):
        found = list(await tx.scalars(wanted))
        if not found:
            return Freed(freed=[])
        await hold_time_of(tx, *{one.person_id for one in found})
        shifts = {one.shift_id for one in found}
        await tx.scalars(select(Shift.id).where(Shift.id.in_(shifts)).order_by(Shift.id).with_for_update())
        gone = list(await tx.scalars(wanted.order_by(Assignment.starts_at).execution_options(populate_existing=True)))
    await release_assignments(tx, gone, wish.because)
    names = await brief_people(tx, {one.person_id for one in gone})
    return Freed(freed=[assignment_shown(one, names, caller) for one in gone])


@assignments.get("/assignments/mine")
async def list_mine(
    caller: Annotated[Caller, require("assignment.answer")],
    read: Read,
    since: Annotated[date | None, Query(alias="from", description="The first local day; 28 days ago without it")] = None,
    until: Annotated[date | None, Query(alias="until", description="The last local day; without end without it")] = None,
) -> Mine:
    """One's own assignments with the place, what to bring, and who leads; those of an operation that is still planned are left out."""
    first = day_bounds(since, zone())[0] if since else now() - LOOKS_BACK
    mine = Assignment.person_id == caller.person_id
    wanted = select(Assignment, Shift, Site, Operation).join(Shift, Shift.id == Assignment.shift_id).join(Site, Site.id == Shift.site_id)
    wanted = wanted.join(Operation, Operation.id == Shift.operation_id).where(mine, Assignment.ends_at > first, Shift.state != "planned")
    if until is not None:
        wanted = wanted.where(Assignment.starts_at < day_bounds(until, zone())[1])
    rows = (await read.execute(wanted.order_by(Assignment.starts_at, Assignment.asked_at).limit(500))).all()
    leaders = await brief_people(read, {shift.leader_id for _, shift, _, _ in rows})
    there = func.extract("epoch", Assignment.checked_out_at - Assignment.checked_in_at) / 3600
    recent = Assignment.checked_in_at > now() - LOOKS_BACK
    summed = select(func.sum(there).filter(recent), func.sum(there)).where(mine, Assignment.state == "checked_out")
    last, total = (await read.execute(summed)).one()
    said = select(TimeCorrection).where(TimeCorrection.assignment_id.in_([row[0].id for row in rows]))
    corrected = list(await read.scalars(said.order_by(TimeCorrection.corrected_at.desc())))
    items = [_own(*row, leaders, [correction_shown(one, caller) for one in corrected if one.assignment_id == row[0].id]) for row in rows]
    return Mine(items=items, hours_28_days=round(float(last or 0), 1), hours_total=round(float(total or 0), 1))


@assignments.post("/assignments/{assignment_id}/answer")
async def answer_assignment(
    assignment_id: AssignmentId, wish: Answer, caller: Annotated[Caller, require("assignment.answer")], tx: Tx
) -> AssignmentShown:
    """Say that one comes, or that one cannot, also after one had said so: then the place is open again, and seen. Refused: `not_found` for
    everybody else's, `off_already`, `confirmed_already`, `checked_in_already`, `over_already`; 422 `reason_needed` without a reason. One's
    own sign-up may be taken back within half an hour and before the shift begins: that is no decline, and alerts nobody unless it had
    answered an alert; else `not_taken_back`."""
    if wish.answer == "decline" and wish.reason is None:
        raise wrong("reason", "reason_needed")
    await _must_be_own(tx, assignment_id, caller)
    _, row = await hold_assignment(tx, assignment_id)
    if code := forbidden_step(row.state, _STEPS[wish.answer]):
        raise Refused(code, 409)
    if row.ends_at <= now():
        raise Refused("over_already", 409)
    if wish.answer == "take_back":
        if code := forbidden_taking_back(row.state, row.asked_at, row.answered_at, row.starts_at, now()):
            raise Refused(code, 409)
        await release_assignments(tx, [row], "declined" if await _answered_alert(tx, row) else "taken_back", reason=wish.reason)
    elif wish.answer == "decline":
        await release_assignments(tx, [row], "declined", reason=wish.reason)
    else:
        row.state, row.answered_at = "confirmed", now()
        row.version += 1
        await tx.flush()
        await tell_assignments(tx, [row])
    return assignment_shown(row, await brief_people(tx, {row.person_id}), caller)


@assignments.post("/assignments/{assignment_id}/release")
async def release_person(
    assignment_id: AssignmentId, wish: Why, caller: Annotated[Caller, require("assignment.confirm")], tx: Tx
) -> AssignmentShown:
    """Take somebody off a shift; the place is open again. Refused: `not_found`, `off_already`, `checked_out_already`, `over_already`."""
    _, row = await hold_assignment(tx, assignment_id)
    if code := forbidden_step(row.state, "released"):
        raise Refused(code, 409)
    if row.ends_at <= now():
        raise Refused("over_already", 409)
    await release_assignments(tx, [row], "released", reason=wish.reason)
    return assignment_shown(row, await brief_people(tx, {row.person_id}), caller)


async def _answered_alert(tx: AsyncSession, row: Assignment) -> bool:
    """Whether this assignment filled a place that somebody had fallen out of: the coordinators were told that it is filled."""
    place = (OpenPlace.shift_id == row.shift_id, OpenPlace.role == row.role, OpenPlace.filled_by == row.person_id)
    async with as_system(tx):
        wanted = select(OpenPlace.assignment_id).where(*place, OpenPlace.state == "filled", OpenPlace.closed_at >= row.asked_at)
        return await tx.scalar(wanted.limit(1)) is not None


async def _must_be_own(tx: AsyncSession, assignment_id: UUID, caller: Caller) -> None:
    """Nobody answers for another, whatever they may see."""
    own = and_(Assignment.id == assignment_id, Assignment.person_id == caller.person_id)
    if caller.person_id is None or await tx.scalar(select(Assignment.id).where(own)) is None:
        raise Refused("not_found", 404)


def _own(
    row: Assignment,
    shift: Shift,
    site: Site,
    operation: Operation,
    leaders: dict[UUID, PersonBrief],
    corrected: list[CorrectionShown],
) -> Own:
    ends_on = (row.ends_at - timedelta(microseconds=1)).astimezone(zone()).date()  # what ends at midnight is not yet the next day's
    return Own(
        id=row.id,
        shift_id=row.shift_id,
        role=row.role,
        state=row.state,  # type: ignore[arg-type]
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        next_day=ends_on != row.starts_at.astimezone(zone()).date(),
        late=row.late,
        walk_on=row.walk_on,
        asked_at=row.asked_at,
        answered_at=row.answered_at,
        reason=row.reason,
        checked_in_at=row.checked_in_at,
        checked_out_at=row.checked_out_at,
        hours=round(worked_hours(row.checked_in_at, row.checked_out_at), 1),
        corrections=corrected,
        operation_id=operation.id,
        operation=operation.name,
        place=operation.place,
        note=operation.note,
        site=SiteBrief.model_validate(site),
        bring=[one for one in (operation.bring, shift.bring) if one],
        leader=brief(leaders, shift.leader_id) if shift.leader_id else None,
        shift_state=shift.state,  # type: ignore[arg-type]
        shift_reason=shift.reason,
        version=row.version,
    )
