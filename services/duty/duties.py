"""Duties: who is on duty now, one's own, and everybody's between two days, as the published rosters say."""

from datetime import date, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.duty.reads import duty_shown, people_of
from services.duty.rules import day_begins
from services.duty.shapes import DutyShown
from services.duty.tables import Duty, Post
from shared.auth import Caller, require
from shared.clock import now, today, zone
from shared.db import Read
from shared.refusals import wrong
from shared.service import Slice
from shared.web import Listed

duties = Slice(tags=["duties"])

DAYS_AHEAD = timedelta(days=60)
DAYS_AT_MOST = timedelta(days=100)
From = Annotated[date | None, Query(alias="from", description="Local date; today when it is not said", examples=["2021-08-02"])]
Until = Annotated[date | None, Query(description="Local date, itself included; 60 days on when it is not said", examples=["2021-08-08"])]


@duties.get("/now")
async def list_on_duty(caller: Annotated[Caller, require("roster.read")], read: Read) -> Listed[DutyShown]:
    """Who is on duty at this moment, in the order of the posts."""
    at = now()
    return await _listed(read, Duty.starts_at <= at, Duty.ends_at > at)


@duties.get("/duties/mine")
async def list_own_duties(
    caller: Annotated[Caller, require("roster.read")], read: Read, from_: From = None, until: Until = None
) -> Listed[DutyShown]:
    """One's own duties that touch these days, the first first. 422 for more than 100 days."""
    if caller.person_id is None:
        return Listed(items=[], total=0)
    return await _listed(read, Duty.person_id == caller.person_id, *_between(from_, until))


@duties.get("/duties")
async def list_duties(
    caller: Annotated[Caller, require("roster.read")],
    read: Read,
    from_: From = None,
    until: Until = None,
    person_id: UUID | None = None,
) -> Listed[DutyShown]:
    """Everybody's duties that touch these days, or one person's. 422 for more than 100 days."""
    return await _listed(read, *([Duty.person_id == person_id] if person_id else []), *_between(from_, until))


def _between(from_on: date | None, until_on: date | None) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    first = from_on or today()
    last = until_on or first + DAYS_AHEAD
    if last < first:
        raise wrong("until", "ends_before_it_begins")
    if last - first > DAYS_AT_MOST or not date(2000, 1, 1) <= first <= date(2200, 1, 1):
        raise wrong("until", "too_far_ahead", max=(first + DAYS_AT_MOST).isoformat())
    begins_at: datetime = day_begins(first, zone())
    return Duty.ends_at > begins_at, Duty.starts_at < day_begins(last + timedelta(days=1), zone())


async def _listed(read: AsyncSession, *which: ColumnElement[bool]) -> Listed[DutyShown]:
    wanted: Select[Any] = select(Duty).join(Post, Post.id == Duty.post_id).where(Duty.state == "published", *which)
    found = list(await read.scalars(wanted.order_by(Duty.starts_at, Post.place_in_list, Duty.post_name, Duty.place)))
    people = await people_of(read, (duty.person_id for duty in found))
    return Listed(items=[duty_shown(duty, people) for duty in found], total=len(found), page_size=max(len(found), 1))
