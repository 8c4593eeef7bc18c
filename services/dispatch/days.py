"""Days of an operation: opened for the people, and copied with their shifts, with whoever was on them where that is possible."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import Path
from pydantic import Field
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.dispatch.acts import add_shifts, held_operation, tell_assignments, tell_shifts
from services.dispatch.reads import assignment_shown, brief, brief_people, operation_shown, unfit_of
from services.dispatch.rules.patterns import day_bounds, same_times
from services.dispatch.shapes import (
    AssignmentShown,
    OperationBrief,
    OperationId,
    OperationShown,
    PersonBrief,
    RoleWish,
    Unplaced,
)
from services.dispatch.tables import HOLDS_PLACE, Assignment, Operation, Shift, ShiftRole, Site
from shared.auth import Caller, require
from shared.bookings import LONGEST_REST, Span, book, hold_time_of, limits, taken
from shared.clock import now, today, zone
from shared.db import Read, Tx
from shared.refusals import Reason, Refused, wrong
from shared.rest import what_forbids
from shared.service import Slice
from shared.web import Body, Shown

ONE_DAY = timedelta(days=1)

days = Slice(prefix="/operations", tags=["operations"])

Day = Annotated[date, Path(description="A local day", examples=["2021-08-05"])]


class DayCopy(Body):
    """Which day's shifts to make on which other day; `with_people`: ask the same people."""

    from_on: date
    to_on: date
    with_people: bool = False

    model_config = Body.model_config | {
        "json_schema_extra": {"example": {"from_on": "2021-08-04", "to_on": "2021-08-05", "with_people": True}}
    }


class NotAsked(Unplaced):
    """Who was on the shift of the day copied and was not asked for the new one."""

    shift_id: UUID
    role: str


class DayCopied(Shown):
    """What came of it. `left_out_count`: shifts that were there already, or that the day's clock skips."""

    on: date
    shift_count: int
    left_out_count: int = Field(examples=[0])
    asked_count: int
    refused: list[NotAsked]


class ListedShift(Shown):
    """A shift of the day with its people: whom the caller may see of them."""

    id: UUID
    starts_at: datetime
    ends_at: datetime
    leader: PersonBrief | None
    roles: list[RoleWish]
    assignments: list[AssignmentShown]


class ListedSite(Shown):
    """A site with the shifts of the day."""

    id: UUID
    name: str
    address: str | None
    shifts: list[ListedShift]


class DayList(Shown):
    """Who is where on a day, to be printed: paper is what is left when nothing else is."""

    operation: OperationBrief
    on: date
    sites: list[ListedSite]


@days.get("/{operation_id}/days/{on}")
async def list_day(operation_id: OperationId, on: Day, caller: Annotated[Caller, require("assignment.read")], read: Read) -> DayList:
    """The shifts of a local day with the people who hold a place, site by site. Refused: `not_found`."""
    operation = await read.scalar(select(Operation).where(Operation.id == operation_id))
    if operation is None:
        raise Refused("not_found", 404)
    start, end = day_bounds(on, zone())
    that_day = (Shift.operation_id == operation_id, Shift.starts_at >= start, Shift.starts_at < end, Shift.state != "cancelled")
    sites = list(await read.scalars(select(Site).where(Site.operation_id == operation_id).order_by(Site.place_in_list, Site.id)))
    shifts = list(await read.scalars(select(Shift).where(*that_day).order_by(Shift.starts_at, Shift.ends_at)))
    ids = [one.id for one in shifts]
    needed = ShiftRole.shift_id.in_(ids), ShiftRole.head_count > 0
    roles = list(await read.scalars(select(ShiftRole).where(*needed).order_by(ShiftRole.place_in_list)))
    on_them = select(Assignment).where(Assignment.shift_id.in_(ids), Assignment.state.in_(HOLDS_PLACE))
    people = list(await read.scalars(on_them.order_by(Assignment.role, Assignment.asked_at, Assignment.id)))
    names = await brief_people(read, {*(one.leader_id for one in shifts), *(one.person_id for one in people)}, numbers=True)

    def listed(shift: Shift) -> ListedShift:
        return ListedShift(
            id=shift.id,
            starts_at=shift.starts_at,
            ends_at=shift.ends_at,
            leader=brief(names, shift.leader_id) if shift.leader_id else None,
            roles=[RoleWish(name=one.name, head_count=one.head_count) for one in roles if one.shift_id == shift.id],
            assignments=[assignment_shown(one, names, caller) for one in people if one.shift_id == shift.id],
        )

    here = [
        ListedSite(id=site.id, name=site.name, address=site.address, shifts=[listed(one) for one in shifts if one.site_id == site.id])
        for site in sites
    ]
    return DayList(operation=OperationBrief.model_validate(operation), on=on, sites=[one for one in here if one.shifts])


@days.post("/{operation_id}/opening")
async def open_operation(operation_id: OperationId, caller: Annotated[Caller, require("operation.change")], tx: Tx) -> OperationShown:
    """Open a planned operation: its shifts are open to sign-up from now on. Refused: `opened_already`, `ended_already`, `not_found`."""
    row = await held_operation(tx, operation_id)
    if row.state == "open":
        raise Refused("opened_already", 409)
    row.state = "open"
    row.version += 1
    await tx.flush()
    planned = (Shift.operation_id == row.id, Shift.state == "planned")
    opened = update(Shift).where(*planned).values(state="open", version=Shift.version + 1).returning(Shift)
    shifts = list(await tx.scalars(opened.execution_options(synchronize_session=False, populate_existing=True)))
    names = await tx.execute(select(Site.id, Site.name).where(Site.operation_id == row.id))
    sites = {row[0]: row[1] for row in names}
    await tell_shifts(tx, shifts, {one.id: (row.name, sites[one.site_id]) for one in shifts})
    return await operation_shown(tx, row)


@days.post("/{operation_id}/days/copy", status_code=201)
async def copy_day(operation_id: OperationId, wish: DayCopy, caller: Annotated[Caller, require("operation.change")], tx: Tx) -> DayCopied:
    """Make a day's shifts anew on another day, at the same times by the clock on the wall; what is there already is left out. People are
    asked again where they are fit, free and rested; who is not is named with the reason. The day after the last lengthens the
    operation by it. Refused: `not_found`, `ended_already`; 422 `outside_operation`, `in_the_past`, `no_shifts` (nothing to copy)."""
    start, end = day_bounds(wish.from_on, zone())
    that_day = (Shift.operation_id == operation_id, Shift.starts_at >= start, Shift.starts_at < end, Shift.state != "cancelled")
    people: list[Assignment] = []
    if wish.with_people:
        on_them = select(Assignment).join(Shift, Shift.id == Assignment.shift_id).where(*that_day)
        people = list(await tx.scalars(on_them.where(Assignment.state.in_(HOLDS_PLACE)).order_by(Shift.starts_at, Assignment.asked_at)))
        if people:
            await hold_time_of(tx, *{one.person_id for one in people})
    row = await held_operation(tx, operation_id)
    if wish.to_on < today():
        raise wrong("to_on", "in_the_past")
    if not row.from_on <= wish.to_on <= row.until_on + ONE_DAY or wish.to_on == wish.from_on:
        raise wrong("to_on", "outside_operation")
    found = await tx.execute(select(Shift, Site.name).join(Site, Site.id == Shift.site_id).where(*that_day).order_by(Shift.starts_at))
    old = [(shift, site) for shift, site in found]
    if not old:
        raise wrong("from_on", "no_shifts")
    if wish.to_on > row.until_on:
        row.until_on, row.version = wish.to_on, row.version + 1
    made = await _made(tx, row, old, wish.to_on)
    placed, refused = await _asked(tx, row, people, made)
    await tell_assignments(tx, placed)
    return DayCopied(on=wish.to_on, shift_count=len(made), left_out_count=len(old) - len(made), asked_count=len(placed), refused=refused)


async def _made(tx: AsyncSession, row: Operation, old: Sequence[tuple[Shift, str]], to_on: date) -> dict[UUID, Shift]:
    """The new shifts by the old one's id."""
    start, end = day_bounds(to_on, zone())
    there = select(Shift.site_id, Shift.starts_at, Shift.ends_at).where(
        Shift.operation_id == row.id, Shift.starts_at >= start, Shift.starts_at < end, Shift.state != "cancelled"
    )
    taken_times = {(site_id, starts_at, ends_at) for site_id, starts_at, ends_at in await tx.execute(there)}
    made: dict[UUID, Shift] = {}
    named: dict[UUID, tuple[str, str]] = {}
    for shift, site in old:
        span = same_times(shift.starts_at, shift.ends_at, to_on, zone())
        if span is None or (shift.site_id, *span) in taken_times:
            continue
        fresh = Shift(
            id=uuid4(),
            operation_id=row.id,
            site_id=shift.site_id,
            starts_at=span[0],
            ends_at=span[1],
            leader_id=shift.leader_id,
            signup=shift.signup,
            bring=shift.bring,
            state=row.state,
            version=1,
        )
        made[shift.id], named[fresh.id] = fresh, (row.name, site)
    needed = ShiftRole.shift_id.in_(made), ShiftRole.head_count > 0
    roles = await tx.scalars(select(ShiftRole).where(*needed).order_by(ShiftRole.place_in_list))
    needs = [
        {"shift_id": made[one.shift_id].id, "name": one.name, "head_count": one.head_count, "place_in_list": one.place_in_list}
        for one in roles
    ]
    await add_shifts(tx, list(made.values()), needs, named)
    return made


async def _asked(
    tx: AsyncSession, row: Operation, people: Sequence[Assignment], made: dict[UUID, Shift]
) -> tuple[list[Assignment], list[NotAsked]]:
    """Everybody who was on a shift and can be on its copy is asked; the others are named with the first reason."""
    wanted = [(one, made[one.shift_id]) for one in people if one.shift_id in made]
    if not wanted:
        return [], []
    times = [(shift.starts_at, shift.ends_at) for _, shift in wanted]
    ids = {one.person_id for one, _ in wanted}
    booked: dict[UUID, list[Span]] = defaultdict(list)
    for span in await taken(tx, ids, min(one[0] for one in times) - LONGEST_REST, max(one[1] for one in times) + LONGEST_REST):
        booked[span.person_id].append(span)
    unfit = await unfit_of(tx, row.requirement, [(one.person_id, shift.starts_at, shift.ends_at) for one, shift in wanted])
    placed, spans, against = [], [], []
    for number, (one, shift) in enumerate(wanted):
        span = Span(uuid4(), one.person_id, shift.starts_at, shift.ends_at, "assignment")
        reasons = [Reason("not_fit", {"rule": row.requirement})] if unfit[number] else []
        reasons += what_forbids(span, booked[one.person_id], limits())
        if reasons:
            against.append((one, shift, reasons[0]))
            continue
        booked[one.person_id].append(span)
        spans.append(span)
        placed.append(_proposed(span, shift, one.role))
    await book(tx, *spans)
    if placed:
        tx.add_all(placed)
        await tx.flush()
    names = await brief_people(tx, {one.person_id for one, _, _ in against})
    return placed, [
        NotAsked(person=brief(names, one.person_id), code=reason.code, params=dict(reason.params), shift_id=shift.id, role=one.role)
        for one, shift, reason in against
    ]


def _proposed(span: Span, shift: Shift, role: str) -> Assignment:
    return Assignment(
        id=span.ref,
        shift_id=shift.id,
        person_id=span.person_id,
        role=role,
        state="proposed",
        starts_at=shift.starts_at,
        ends_at=shift.ends_at,
        walk_on=False,
        late=False,
        asked_at=now(),
        version=1,
    )
