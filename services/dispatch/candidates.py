"""Candidates: who could stand on a shift, ranked, with what forbids the others; and the shifts that one is fit and free for oneself."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from pydantic import Field
from sqlalchemy import and_, exists, func, literal_column, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.dispatch.ranking import Vacancy, fitness_of, ranked_for, spans_of, unfit
from services.dispatch.reads import brief, brief_people
from services.dispatch.rules.moving import OVERRIDABLE
from services.dispatch.shapes import CandidateShown, PersonBrief, ReasonShown, ShiftId, SiteBrief
from services.dispatch.tables import HOLDS_PLACE, Assignment, KnownFitness, Operation, Shift, ShiftRole, Site
from shared.auth import Caller, require
from shared.bookings import LONGEST_REST, Span, booking, limits
from shared.clock import now, zone
from shared.db import Read, as_system
from shared.refusals import Reason, Refused, wrong
from shared.rest import what_forbids
from shared.service import Slice
from shared.web import Line, Listed, PageNo, PageSize, Search, Shown

candidates = Slice(prefix="/shifts", tags=["candidates"])

MOST_OPEN = 100
LOOKED_AT = (300, 3000)
"""So many roles of the next shifts with free places are judged to find the first hundred; more only where those were not enough."""


class FreeRole(Shown):
    """A role that has free places."""

    name: str
    free_count: int = Field(examples=[1])


class OpenShift(Shown):
    """A shift that one can sign up for: fit, free and rested, as things stand now."""

    id: UUID
    operation_id: UUID
    operation: str
    place: str
    site: SiteBrief
    starts_at: datetime
    ends_at: datetime
    next_day: bool
    bring: list[str]
    leader: PersonBrief | None
    roles: list[FreeRole]


@candidates.get("/open/mine")
async def list_open_to_me(caller: Annotated[Caller, require("assignment.answer")], read: Read) -> Listed[OpenShift]:
    """The next shifts, at most 100, that may be signed up for and that one is fit, free and rested for, soonest first."""
    if caller.person_id is None:
        return Listed(items=[], total=0, page_size=MOST_OPEN)
    found: list[Sequence[Any]] = []
    for most in LOOKED_AT:
        rows = await _roles_with_places(read, caller.person_id, most)
        found = await _free_for(read, caller.person_id, rows)
        if len(found) >= MOST_OPEN or len(rows) < most:
            break
    found = found[:MOST_OPEN]
    ids = [rows[0].id for rows in found]
    of_site, of_operation = (Site.name.label("site"), Site.address), (Operation.name.label("operation"), Operation.place)
    of_shift = (Shift.id, Shift.operation_id, Shift.site_id, Shift.starts_at, Shift.ends_at, Shift.leader_id, Shift.bring)
    named = select(*of_shift, *of_site, *of_operation, Operation.bring.label("bring_always")).join(Site, Site.id == Shift.site_id)
    named = named.join(Operation, Operation.id == Shift.operation_id).where(Shift.id.in_(ids))
    places = {row.id: row for row in await read.execute(named)}
    leaders = await brief_people(read, {row.leader_id for row in places.values()})
    items = [_open_shift(places[rows[0].id], rows, leaders) for rows in found if rows[0].id in places]
    return Listed(items=items, total=len(items), page_size=MOST_OPEN)


async def _free_for(read: AsyncSession, person_id: UUID, roles: Sequence[Any]) -> list[Sequence[Any]]:
    """Of these roles, by shift, those of shifts that rest and hours allow."""
    shifts: dict[UUID, list[Any]] = {}
    for row in roles:
        shifts.setdefault(row.id, []).append(row)
    if not shifts:
        return []
    booked = (await spans_of(read, [person_id], roles[0].starts_at, max(row.ends_at for row in roles)))[person_id]
    bounds = limits()

    def free(row: Any) -> bool:
        wanted = Span(row.id, person_id, row.starts_at, row.ends_at, "assignment")
        near = (one for one in booked if one.ends_at > row.starts_at - LONGEST_REST and one.starts_at < row.ends_at + LONGEST_REST)
        return not what_forbids(wanted, near, bounds)

    return [rows for rows in shifts.values() if free(rows[0])]


async def _roles_with_places(read: AsyncSession, person_id: UUID, most: int) -> Sequence[Any]:
    """Roles with free places of the next shifts that one may sign up for, is fit for, and is not elsewhere at."""
    held = select(func.count()).select_from(Assignment).where(Assignment.shift_id == ShiftRole.shift_id, Assignment.role == ShiftRole.name)
    free = ShiftRole.head_count - held.where(Assignment.state.in_(HOLDS_PLACE)).correlate(ShiftRole).scalar_subquery()
    mine = and_(KnownFitness.person_id == person_id, KnownFitness.rule == Operation.requirement)
    fit = and_(KnownFitness.fit_from <= Shift.starts_at, or_(KnownFitness.fit_until.is_(None), KnownFitness.fit_until >= Shift.ends_at))
    met = exists().where(booking.c.person_id == person_id, booking.c.ends_at > Shift.starts_at, booking.c.begins_at < Shift.ends_at)
    wanted = (
        select(Shift.id, Shift.starts_at, Shift.ends_at, ShiftRole.name, free.label("free"))
        .join(Operation, Operation.id == Shift.operation_id)
        .join(ShiftRole, ShiftRole.shift_id == Shift.id)
        .outerjoin(KnownFitness, mine)
        .where(Shift.signup, Shift.state == "open", Shift.starts_at > now(), or_(Operation.requirement.is_(None), fit))
        .where(~met.correlate(Shift), free > 0)
        .order_by(Shift.starts_at, Shift.ends_at, Shift.id, ShiftRole.place_in_list)
        .limit(literal_column(str(most)))  # a number that the plan may count on
    )
    async with as_system(read):
        return (await read.execute(wanted)).all()


def _open_shift(row: Any, roles: Sequence[Any], leaders: Mapping[UUID, PersonBrief]) -> OpenShift:
    last = (row.ends_at - timedelta(microseconds=1)).astimezone(zone()).date()
    return OpenShift(
        id=row.id,
        operation_id=row.operation_id,
        operation=row.operation,
        place=row.place,
        site=SiteBrief(id=row.site_id, name=row.site, address=row.address),
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        next_day=last != row.starts_at.astimezone(zone()).date(),
        bring=[one for one in (row.bring_always, row.bring) if one],
        leader=brief(leaders, row.leader_id) if row.leader_id else None,
        roles=[FreeRole(name=one.name, free_count=one.free) for one in roles],
    )


@candidates.get("/{shift_id}/candidates")
async def list_candidates(
    shift_id: ShiftId,
    caller: Annotated[Caller, require("candidate.read")],
    read: Read,
    role: Annotated[Line | None, Query(description="For which role; the first without it")] = None,
    q: Search = None,
    page: PageNo = 1,
    page_size: PageSize = 50,
) -> Listed[CandidateShown]:
    """Who could be asked for a shift, the best first: fit, free and rested, then with the fewest hours in 28 days, longest rested, in a
    team with those who are there, then by name; whoever declined this shift last of them. Without `q` volunteers and members of teams
    (where there are none, everybody). Reasons: `not_fit` (rule, until), `on_duty`, `elsewhere`, `unavailable`, `too_little_rest`,
    `too_many_hours`, `full`. Refused: `not_found`; 422 `no_role`."""
    asked = select(Shift, Operation.requirement).join(Operation, Operation.id == Shift.operation_id).where(Shift.id == shift_id)
    found = (await read.execute(asked)).one_or_none()
    if found is None:
        raise Refused("not_found", 404)
    shift, rule = found
    full, there = await _places(read, shift, role)
    place = Vacancy(shift_id, shift_id, rule, shift.starts_at, shift.ends_at)
    first = (page - 1) * page_size
    shown, total = await ranked_for(read, place, near=there, search=q, limit=page_size, offset=first)
    bounds, ids = limits(), [one.person_id for one in shown]
    theirs, fitness = await spans_of(read, ids, shift.starts_at, shift.ends_at), await fitness_of(read, ids, {rule})
    names = await brief_people(read, ids, numbers=True)
    items = []
    for rank, one in enumerate(shown, first + 1):
        person_id = one.person_id
        reasons = [
            *unfit(fitness, person_id, rule, shift.starts_at, shift.ends_at),
            *_against(what_forbids(_span(shift, person_id), theirs.get(person_id, ()), bounds)),
            *([Reason("full")] if full else []),
        ]
        items.append(
            CandidateShown(
                person=brief(names, person_id),
                fit=not reasons,
                reasons=[ReasonShown(code=reason.code, params=dict(reason.params)) for reason in reasons],
                hours_28_days=round(one.hours, 1),
                last_end_at=one.last_end,
                same_team=one.same_team,
                declined=one.declined,
                rank=rank,
            )
        )
    return Listed(items=items, total=total, page=page, page_size=page_size)


async def _places(read: AsyncSession, shift: Shift, role: str | None) -> tuple[bool, list[UUID]]:
    """Whether the role, or every role, is full; and who is there already, its leader among them."""
    held = and_(Assignment.shift_id == ShiftRole.shift_id, Assignment.role == ShiftRole.name, Assignment.state.in_(HOLDS_PLACE))
    wanted = select(ShiftRole.name, ShiftRole.head_count, Assignment.person_id).outerjoin(Assignment, held)
    async with as_system(read):
        rows = (await read.execute(wanted.where(ShiftRole.shift_id == shift.id))).all()
    left = {name: head_count for name, head_count, _ in rows}
    if role is not None and role not in left:
        raise wrong("role", "no_role")
    for name, _, person_id in rows:
        left[name] -= person_id is not None
    there = [row[2] for row in rows if row[2]] + ([shift.leader_id] if shift.leader_id else [])
    return (left[role] if role is not None else max(left.values(), default=0)) <= 0, there


def _span(shift: Shift, person_id: UUID) -> Span:
    return Span(shift.id, person_id, shift.starts_at, shift.ends_at, "assignment")


def _against(found: Sequence[Reason]) -> list[Reason]:
    """What the calendar says against somebody: where they are at that time; else what of rest and hours."""
    away = [reason for reason in found if reason.code not in OVERRIDABLE]
    return [_named(reason) for reason in away or found]


def _named(reason: Reason) -> Reason:
    """Where somebody is at that time, in one word."""
    if reason.code != "overlap":
        return reason
    return Reason("on_duty" if reason.params["kind"] == "duty" else "elsewhere", reason.params)
