"""The board of an operation: who is where now, sites by shifts, with what was counted."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from pydantic import Field
from sqlalchemy import and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.dispatch.reads import brief, brief_people, count_where
from services.dispatch.rules.patterns import day_bounds
from services.dispatch.shapes import OperationId, OperationKind, OperationStanding, PersonBrief, ShiftStanding
from services.dispatch.tables import (
    OPEN_STATES,
    Assignment,
    KnownFitness,
    OpenPlace,
    Operation,
    SampleCount,
    Shift,
    ShiftRole,
    Site,
)
from shared.auth import Caller, require
from shared.clock import now, today, zone
from shared.db import Read
from shared.refusals import Refused
from shared.service import Slice
from shared.web import Shown

board = Slice(prefix="/operations", tags=["board"])

STATES = ("proposed", "confirmed", "checked_in", "checked_out", "no_show")


class BoardCover(Shown):
    """How places are covered. `late`: confirmed, the shift has begun, not there yet. `unfit_since`: fit when asked and not any more; null
    for who may not ask who is fit: a role has few places, and everybody knows who holds them."""

    head_count: int = Field(examples=[2])
    proposed: int = 0
    confirmed: int = Field(0, examples=[0])
    checked_in: int = Field(0, examples=[2])
    checked_out: int = 0
    late: int = 0
    no_show: int = 0
    unfit_since: int | None = Field(0, examples=[0])


class BoardRole(BoardCover):
    """A role of a shift."""

    name: str


class BoardShift(Shown):
    """A shift on the board. `open_place_count`: alerts that somebody is still looked for. `late_people`, `no_show_people`: who they are,
    as far as the caller may see who is on it."""

    id: UUID
    starts_at: datetime
    ends_at: datetime
    state: ShiftStanding = Field(examples=["open"])
    signup: bool
    leader: PersonBrief | None
    roles: list[BoardRole]
    open_place_count: int = Field(examples=[0])
    late_people: list[PersonBrief] = Field(examples=[[]])
    no_show_people: list[PersonBrief] = Field(examples=[[]])
    version: int


class HourCount(Shown):
    """Samples of an hour of a local day."""

    on: date
    hour: int
    samples: int


class BoardSite(Shown):
    """A site with its shifts, in order of time, and what it counted."""

    id: UUID
    name: str
    address: str | None
    leader: PersonBrief | None
    shifts: list[BoardShift]
    counts: list[HourCount]
    samples: int


class BoardTotals(BoardCover):
    """All of it together; shifts that were cancelled left out."""

    shift_count: int = Field(examples=[1])
    open_place_count: int = Field(examples=[0])
    samples: int


class BoardOperation(Shown):
    """Which operation the board is of."""

    id: UUID
    name: str
    kind: OperationKind
    place: str
    state: OperationStanding = Field(examples=["open"])
    from_on: date
    until_on: date
    requirement: str | None


class Board(Shown):
    """The board from a local day on, for so many days."""

    operation: BoardOperation
    on: date
    days: int
    as_of: datetime
    sites: list[BoardSite]
    totals: BoardTotals


@board.get("/{operation_id}/board")
async def show_board(
    operation_id: OperationId,
    caller: Annotated[Caller, require("board.read")],
    read: Read,
    on: Annotated[date | None, Query(description="The first local day; without it today, or the operation's day nearest to it")] = None,
    days: Annotated[int, Query(ge=1, le=31, description="How many days")] = 1,
) -> Board:
    """Sites by shifts: how each role is covered, who is late, who did not come, who is not fit any more, and the samples of each hour.
    Refused: `not_found`."""
    operation = await read.scalar(select(Operation).where(Operation.id == operation_id))
    if operation is None:
        raise Refused("not_found", 404)
    first = on or min(max(today(), operation.from_on), operation.until_on)
    sites = list(await read.scalars(select(Site).where(Site.operation_id == operation_id).order_by(Site.place_in_list, Site.id)))
    start, end = day_bounds(first, zone(), days)
    shown = (Shift.operation_id == operation_id, Shift.starts_at >= start, Shift.starts_at < end)
    shifts = list(await read.scalars(select(Shift).where(*shown).order_by(Shift.starts_at, Shift.ends_at)))
    tells_fit = caller.reach("candidate.read").everything
    roles = await _roles(read, shown, operation.requirement, tells_fit=tells_fit)
    places = await _open_places(read, shown)
    counts = await _samples(read, operation_id, first, days)
    away = await _not_there(read, shown)
    absent = {person_id for found in away.values() for person_id in found}
    people = await brief_people(read, {*(one.leader_id for one in sites), *(one.leader_id for one in shifts), *absent})

    def leader(person_id: UUID | None) -> PersonBrief | None:
        return brief(people, person_id) if person_id else None

    by_site: dict[UUID, list[BoardShift]] = defaultdict(list)
    for one in shifts:
        by_site[one.site_id].append(
            BoardShift(
                id=one.id,
                starts_at=one.starts_at,
                ends_at=one.ends_at,
                state=one.state,  # type: ignore[arg-type]
                signup=one.signup,
                leader=leader(one.leader_id),
                roles=roles.get(one.id, []),
                open_place_count=places.get(one.id, 0),
                late_people=[brief(people, person_id) for person_id in away[one.id, "confirmed"]],
                no_show_people=[brief(people, person_id) for person_id in away[one.id, "no_show"]],
                version=one.version,
            )
        )
    rows = [
        BoardSite(
            id=site.id,
            name=site.name,
            address=site.address,
            leader=leader(site.leader_id),
            shifts=by_site[site.id],
            counts=counts[site.id],
            samples=sum(one.samples for one in counts[site.id]),
        )
        for site in sites
    ]
    return Board(
        operation=BoardOperation.model_validate(operation), on=first, days=days, as_of=now(), sites=rows, totals=_totals(rows, tells_fit)
    )


async def _roles(read: AsyncSession, shown: Sequence[Any], rule: str | None, *, tells_fit: bool) -> dict[UUID, list[BoardRole]]:
    """How each role of each shift is covered, counted by the database."""
    asks = rule is not None and tells_fit
    held = and_(Assignment.shift_id == ShiftRole.shift_id, Assignment.role == ShiftRole.name)
    late = count_where(Assignment.state == "confirmed", Assignment.starts_at <= now())
    fit = and_(
        KnownFitness.fit_from <= Assignment.starts_at,
        or_(KnownFitness.fit_until.is_(None), KnownFitness.fit_until >= Assignment.ends_at),
    )
    unfit = count_where(Assignment.state.in_(OPEN_STATES), Assignment.override_reason.is_(None), func.coalesce(fit, False).is_(False))
    wanted = (
        select(
            ShiftRole.shift_id,
            ShiftRole.name,
            ShiftRole.head_count,
            *(count_where(Assignment.state == state).label(state) for state in STATES),
            late.label("late"),
            *([unfit.label("unfit_since")] if asks else []),
        )
        .join(Shift, Shift.id == ShiftRole.shift_id)
        .outerjoin(Assignment, held)
    )
    if asks:
        wanted = wanted.outerjoin(KnownFitness, and_(KnownFitness.person_id == Assignment.person_id, KnownFitness.rule == rule))
    grouped = wanted.where(*shown).group_by(ShiftRole.shift_id, ShiftRole.name, ShiftRole.head_count, ShiftRole.place_in_list)
    found: dict[UUID, list[BoardRole]] = defaultdict(list)
    for row in await read.execute(grouped.order_by(ShiftRole.shift_id, ShiftRole.place_in_list)):
        role = BoardRole.model_validate(row)
        role.unfit_since = role.unfit_since if tells_fit else None
        found[row.shift_id].append(role)
    return found


async def _not_there(read: AsyncSession, shown: Sequence[Any]) -> dict[tuple[UUID, str], list[UUID]]:
    """By shift and state: who is late, that is confirmed and not there, and who did not come."""
    late = and_(Assignment.state == "confirmed", Assignment.starts_at <= now())
    wanted = select(Assignment.shift_id, Assignment.state, Assignment.person_id).join(Shift, Shift.id == Assignment.shift_id)
    wanted = wanted.where(*shown, or_(late, Assignment.state == "no_show")).order_by(Assignment.asked_at, Assignment.id)
    found: dict[tuple[UUID, str], list[UUID]] = defaultdict(list)
    for shift_id, state, person_id in await read.execute(wanted):
        found[shift_id, state].append(person_id)
    return found


async def _open_places(read: AsyncSession, shown: Sequence[Any]) -> dict[UUID, int]:
    counted = select(OpenPlace.shift_id, func.count()).join(Shift, Shift.id == OpenPlace.shift_id)
    return {row[0]: row[1] for row in await read.execute(counted.where(*shown, OpenPlace.state == "open").group_by(OpenPlace.shift_id))}


async def _samples(read: AsyncSession, operation_id: UUID, first: date, days: int) -> dict[UUID, list[HourCount]]:
    wanted = select(SampleCount.site_id, SampleCount.on, SampleCount.hour, SampleCount.samples).join(Site, Site.id == SampleCount.site_id)
    within = (SampleCount.on >= first, SampleCount.on < first + timedelta(days=days), SampleCount.superseded.is_(False))
    found: dict[UUID, list[HourCount]] = defaultdict(list)
    for row in await read.execute(wanted.where(Site.operation_id == operation_id, *within).order_by(SampleCount.on, SampleCount.hour)):
        found[row.site_id].append(HourCount(on=row.on, hour=row.hour, samples=row.samples))
    return found


def _totals(sites: Sequence[BoardSite], tells_fit: bool) -> BoardTotals:
    shifts = [shift for site in sites for shift in site.shifts if shift.state != "cancelled"]
    roles = [role for shift in shifts for role in shift.roles]
    return BoardTotals(
        **{name: sum(getattr(role, name) for role in roles) for name in BoardCover.model_fields if name != "unfit_since"},
        unfit_since=sum(role.unfit_since or 0 for role in roles) if tells_fit else None,
        shift_count=len(shifts),
        open_place_count=sum(shift.open_place_count for shift in shifts),
        samples=sum(site.samples for site in sites),
    )
