"""Feeds: one's own duties and shifts in one's own calendar, by a secret link that can be ended (iCalendar, RFC 5545)."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from secrets import token_urlsafe
from typing import Annotated, Any
from uuid import UUID

from fastapi import Path, Response
from icalendar import Calendar, Event
from pydantic import Field
from sqlalchemy import func, select

from services.duty.tables import Duty, Feed, KnownAssignment, KnownShift
from shared.auth import Caller, anyone, require
from shared.clock import now
from shared.db import Read, Tx, as_system
from shared.once import secret_answer
from shared.refusals import Refused
from shared.service import Slice
from shared.story import example_id
from shared.web import Listed, Shown

feeds = Slice(prefix="/feeds", tags=["feeds"])

FeedId = Annotated[UUID, Path(examples=[example_id("feed")])]
FeedSecret = Annotated[str, Path(max_length=100, examples=["Zm91ciBoaWxscyBhbmQgYSByaXZlciBhbmQgYSBkYW0"])]
OPEN_AT_MOST = 5
LOOKS_BACK = timedelta(days=90)
_STANDINGS = {"proposed": "TENTATIVE", "declined": "CANCELLED", "released": "CANCELLED"}
KEPT_FOR = timedelta(minutes=15)
CALENDAR: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/calendar": {"schema": {"type": "string"}}}, "description": "The duties and shifts as iCalendar"}
}


class FeedMade(Shown):
    """A link to one's duties and shifts; the path holds its secret and is shown this once."""

    id: UUID
    path: str = Field(examples=["/feeds/wCkGf0b8uUqPz3o1y7Jd2sXhT5aRvNn4eLmQ9iBxE6A/duties.ics"])
    made_at: datetime


class FeedShown(Shown):
    """A link that is in use."""

    id: UUID
    made_at: datetime


@feeds.post("", status_code=201)
@secret_answer
async def make_feed(caller: Annotated[Caller, require("duty.feed")], tx: Tx) -> FeedMade:
    """Make a link to one's own duties and shifts for a calendar. Whoever has it reads them, without signing in. Refused: `too_many_feeds`
    (at most 5 at once)."""
    if caller.person_id is None:
        raise Refused("not_found", 404)
    count = await tx.scalar(select(func.count()).select_from(Feed).where(Feed.person_id == caller.person_id, Feed.ended_at.is_(None)))
    if (count or 0) >= OPEN_AT_MOST:
        raise Refused("too_many_feeds", 409, {"limit": OPEN_AT_MOST})
    secret = token_urlsafe(32)
    row = Feed(person_id=caller.person_id, secret_hash=_hash(secret), made_at=now())
    tx.add(row)
    await tx.flush()
    return FeedMade(id=row.id, path=f"/feeds/{secret}/duties.ics", made_at=row.made_at)


@feeds.get("/mine")
async def list_feeds(caller: Annotated[Caller, require("duty.feed")], read: Read) -> Listed[FeedShown]:
    """One's own links that are in use, without their secrets."""
    wanted = select(Feed).where(Feed.ended_at.is_(None), Feed.person_id == caller.person_id).order_by(Feed.made_at)
    found = list(await read.scalars(wanted))
    return Listed(items=[FeedShown.model_validate(row) for row in found], total=len(found))


@feeds.delete("/{feed_id}", status_code=204)
async def end_feed(feed_id: FeedId, caller: Annotated[Caller, require("duty.feed")], tx: Tx) -> None:
    """End a link of one's own: whoever still has it reads nothing any more. Ending it again changes nothing. Refused: `not_found`."""
    row = await tx.get(Feed, feed_id, with_for_update=True)
    if row is None:
        raise Refused("not_found", 404)
    row.ended_at = row.ended_at or now()


@feeds.get("/{secret}/duties.ics", response_class=Response, responses=CALENDAR)
async def read_feed(secret: FeedSecret, caller: Annotated[Caller, anyone("the secret in the link is the proof")], read: Read) -> Response:
    """The duties and shifts of whoever made the link, 90 days back and all that are to come. What one is asked for is tentative; what was
    taken off or declined stays, as cancelled. Refused: `not_found`, also once the link was ended."""
    async with as_system(read):
        person_id = await read.scalar(select(Feed.person_id).where(Feed.secret_hash == _hash(secret), Feed.ended_at.is_(None)))
        if person_id is None:
            raise Refused("not_found", 404)
        mine = select(Duty).where(Duty.person_id == person_id, Duty.state != "draft", Duty.ends_at > now() - LOOKS_BACK)
        duties = list(await read.scalars(mine.order_by(Duty.starts_at)))
        on_them = select(KnownAssignment, KnownShift).join(KnownShift, KnownShift.id == KnownAssignment.shift_id)
        on_them = on_them.where(KnownAssignment.person_id == person_id, KnownAssignment.ends_at > now() - LOOKS_BACK)
        shifts = (await read.execute(on_them.where(KnownShift.state != "planned").order_by(KnownAssignment.starts_at))).all()
    calendar = Calendar()
    calendar.add("prodid", "-//Muster//duty//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    for duty in duties:
        standing = "CANCELLED" if duty.state == "released" else "CONFIRMED"
        calendar.add_component(_event(duty, duty.post_name, standing, duty.version))
    for one, shift in shifts:
        standing = "CANCELLED" if shift.state == "cancelled" else _STANDINGS.get(one.state, "CONFIRMED")
        event = _event(one, f"{shift.operation_name} · {one.role}", standing, one.version + shift.version)  # both only ever rise
        event.add("location", shift.site_name)
        calendar.add_component(event)
    headers = {"cache-control": f"private, max-age={int(KEPT_FOR.total_seconds())}", "x-content-type-options": "nosniff"}
    return Response(calendar.to_ical(), media_type="text/calendar; charset=utf-8", headers=headers)


def _event(one: Duty | KnownAssignment, summary: str, standing: str, sequence: int) -> Event:
    event = Event()
    event.add("uid", f"{one.id}@muster")
    event.add("sequence", sequence)
    event.add("dtstamp", now().replace(microsecond=0))
    event.add("dtstart", one.starts_at.astimezone(UTC))
    event.add("dtend", one.ends_at.astimezone(UTC))
    event.add("summary", summary)
    event.add("status", standing)
    return event


def _hash(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()
