"""Arrivals: what a site's code stands for to whoever scans it, the shifts one leads now, and whom a leader means by a name."""

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import Path, Query
from pydantic import Field, StringConstraints
from sqlalchemy import func, select

from services.dispatch.leading import is_led_by
from services.dispatch.ranking import here_on, searched
from services.dispatch.reads import assignment_shown, brief, brief_people, count_where
from services.dispatch.shapes import AssignmentShown, PersonBrief, ShiftId, SiteBrief
from services.dispatch.tables import HOLDS_PLACE, Assignment, KnownPerson, Operation, Shift, ShiftRole, Site
from shared.auth import Caller, require
from shared.clock import now, zone
from shared.db import Read, as_system
from shared.refusals import Refused
from shared.service import Slice
from shared.web import Listed, Shown

arrivals = Slice(tags=["attendance"])

BEFORE, AHEAD = timedelta(hours=12), timedelta(hours=48)
MOST_MEANT = 10

Code = Annotated[str, Path(max_length=200, examples=["kX3v-9TqLm2a"])]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=100)]


class Here(Shown):
    """A site, and one's own shifts there: those that ended in the last 12 hours, run, or begin in the next 48; the first first."""

    site: SiteBrief
    operation: str
    mine: list[AssignmentShown]


class LedShift(Shown):
    """A shift that one leads: how many places it has, how many are held, how many people are there."""

    id: UUID
    operation: str
    site: SiteBrief
    starts_at: datetime
    ends_at: datetime
    next_day: bool
    head_count: int = Field(examples=[2])
    held_count: int = Field(examples=[2])
    there_count: int = Field(examples=[1])


@arrivals.get("/checkin/{code}")
async def show_site(code: Code, caller: Annotated[Caller, require("attendance.record")], read: Read) -> Here:
    """What the QR code at a site stands for, and one's own shifts there. Refused: `not_found` for a code that is no site's."""
    wanted = select(Site, Operation.name).join(Operation, Operation.id == Site.operation_id).where(Site.code == code)
    found = (await read.execute(wanted.limit(1))).one_or_none()
    if found is None:
        raise Refused("not_found", 404)
    site, operation = found
    mine = select(Assignment).join(Shift, Shift.id == Assignment.shift_id).where(Shift.site_id == site.id, Shift.state == "open")
    mine = mine.where(Assignment.person_id == caller.person_id, Assignment.state.not_in(("declined", "released")))
    near = (Assignment.ends_at > now() - BEFORE, Assignment.starts_at < now() + AHEAD)
    rows = list(await read.scalars(mine.where(*near).order_by(Assignment.starts_at).limit(20)))
    people = await brief_people(read, {row.person_id for row in rows})
    return Here(site=SiteBrief.model_validate(site), operation=operation, mine=[assignment_shown(row, people, caller) for row in rows])


@arrivals.get("/shifts/led/mine")
async def list_led(caller: Annotated[Caller, require("attendance.record")], read: Read) -> Listed[LedShift]:
    """The shifts that one leads: those that ended in the last 12 hours, run, or begin in the next 48; the first first."""
    led = (Shift.leader_id == caller.person_id, Shift.state == "open", Shift.ends_at > now() - BEFORE, Shift.starts_at < now() + AHEAD)
    wanted = select(Shift, Site, Operation.name).join(Site, Site.id == Shift.site_id).join(Operation, Operation.id == Shift.operation_id)
    ordered = wanted.where(*led).order_by(Shift.starts_at, Site.place_in_list).limit(50)
    rows = (await read.execute(ordered)).all() if caller.person_id else []
    if not rows:  # so it is for nearly everybody, at each look at the first page
        return Listed(items=[], total=0, page_size=50)
    ids = [shift.id for shift, _, _ in rows]
    places = select(ShiftRole.shift_id, func.sum(ShiftRole.head_count)).where(ShiftRole.shift_id.in_(ids)).group_by(ShiftRole.shift_id)
    head_counts = {row[0]: row[1] for row in await read.execute(places)}
    held, there = count_where(Assignment.state.in_(HOLDS_PLACE)), count_where(Assignment.state.in_(("checked_in", "checked_out")))
    counted = select(Assignment.shift_id, held, there).where(Assignment.shift_id.in_(ids)).group_by(Assignment.shift_id)
    covered = {row[0]: (row[1], row[2]) for row in await read.execute(counted)}
    items = [
        LedShift(
            id=shift.id,
            operation=operation,
            site=SiteBrief.model_validate(site),
            starts_at=shift.starts_at,
            ends_at=shift.ends_at,
            next_day=_last_day(shift.ends_at) != shift.starts_at.astimezone(zone()).date(),
            head_count=head_counts.get(shift.id, 0),
            held_count=covered.get(shift.id, (0, 0))[0],
            there_count=covered.get(shift.id, (0, 0))[1],
        )
        for shift, site, operation in rows
    ]
    return Listed(items=items, total=len(items), page_size=50)


@arrivals.get("/shifts/{shift_id}/walkons")
async def find_walk_ons(
    shift_id: ShiftId,
    caller: Annotated[Caller, require("attendance.record")],
    read: Read,
    q: Annotated[Name, Query(description="Letters of a name, pinyin, or a number; two at least", examples=["梁予安"])],
) -> Listed[PersonBrief]:
    """Whom who leads or coordinates may mean: ten at most who are here and not on the shift. Refused: `not_found` for everybody else."""
    shift = await read.scalar(select(Shift).where(Shift.id == shift_id))
    if shift is None or not is_led_by(shift, caller):
        raise Refused("not_found", 404)
    async with as_system(read):
        on_it = select(Assignment.person_id).where(Assignment.shift_id == shift_id, Assignment.state.not_in(("declined", "released")))
        wanted = select(KnownPerson.id).where(searched(q), here_on(now()), KnownPerson.id.not_in(on_it))
        ids = list(await read.scalars(wanted.order_by(KnownPerson.sort_key, KnownPerson.number).limit(MOST_MEANT)))
    people = await brief_people(read, ids, numbers=True)
    return Listed(items=[brief(people, one) for one in ids], total=len(ids), page_size=MOST_MEANT)


def _last_day(ends_at: datetime) -> object:
    return (ends_at - timedelta(microseconds=1)).astimezone(zone()).date()
