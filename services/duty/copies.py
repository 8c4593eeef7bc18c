"""The copy: all that duty keeps about whoever asks, for their download; a roster that is still a draft is no fact yet."""

from datetime import date, datetime
from typing import Annotated, TypeVar
from uuid import UUID

from pydantic import Field
from sqlalchemy import or_, select

from services.duty.tables import Amendment, Duty, Feed, Gap, KnownPerson, Post
from shared.auth import Caller, signed_in
from shared.clock import now
from shared.db import Read, as_system
from shared.refusals import Refused
from shared.service import Slice
from shared.web import Shown

copies = Slice(prefix="/people", tags=["people"])

Kept = TypeVar("Kept", bound=Shown)


class PersonKept(Shown):
    """Who one is here, as personnel told it."""

    number: str
    name: str
    department_id: UUID
    employment: str
    left_on: date | None


class DutyKept(Shown):
    """A duty as it is kept."""

    post_name: str
    on: date
    place: int
    starts_at: datetime
    ends_at: datetime
    state: str = Field(examples=["published"])
    relieved_at: datetime | None


class AmendmentKept(Shown):
    """A change of a published roster that concerned one, or that one made. Why is there where it speaks of oneself, or one typed it: of
    whom one took over from it may be news of their health."""

    post_name: str
    on: date
    because: str | None = Field(examples=["amended"])
    reason: str | None = Field(examples=["换班"])
    by_name: str
    at: datetime


class GapKept(Shown):
    """A duty that one fell out of, and why; or stood in for."""

    on: date
    because: str | None = Field(examples=["unavailable"])
    starts_at: datetime
    ends_at: datetime
    opened_at: datetime
    filled_at: datetime | None


class FeedKept(Shown):
    """A link to one's duties; its secret is kept in a form that cannot be turned back."""

    made_at: datetime
    ended_at: datetime | None


class Copy(Shown):
    """All that duty keeps about the caller."""

    made_at: datetime
    person: PersonKept | None
    duties: list[DutyKept]
    amendments: list[AmendmentKept]
    gaps: list[GapKept]
    feeds: list[FeedKept]
    pools: list[str] = Field(examples=[["后勤夜班"]])


@copies.get("/me/copy")
async def copy_own(caller: Annotated[Caller, signed_in], read: Read) -> Copy:
    """All that duty keeps about the caller, for the download; `pools`: the posts that name them. Refused: `not_found` for an API client
    or an account without a person."""
    own = caller.person_id
    if own is None:
        raise Refused("not_found", 404)
    async with as_system(read):  # one's own rows, named one by one below
        person = await read.get(KnownPerson, own)
        duties = await read.scalars(select(Duty).where(Duty.person_id == own, Duty.state != "draft").order_by(Duty.starts_at))
        concerned = or_(Amendment.old_person_id == own, Amendment.new_person_id == own, Amendment.by_id == own)
        amendments = await read.scalars(select(Amendment).where(concerned).order_by(Amendment.at))
        gaps = await read.scalars(select(Gap).where(or_(Gap.person_id == own, Gap.filled_by == own)).order_by(Gap.opened_at))
        feeds = await read.scalars(select(Feed).where(Feed.person_id == own).order_by(Feed.made_at))
        pools = await read.scalars(select(Post.name).where(Post.pool_people.contains([own])).order_by(Post.name))
        return Copy(
            made_at=now(),
            person=PersonKept.model_validate(person) if person else None,
            duties=[DutyKept.model_validate(row) for row in duties],
            amendments=[_told(AmendmentKept.model_validate(row), own in (row.old_person_id, row.by_id)) for row in amendments],
            gaps=[_told(GapKept.model_validate(row), row.person_id == own) for row in gaps],
            feeds=[FeedKept.model_validate(row) for row in feeds],
            pools=list(pools),
        )


def _told(kept: Kept, why: bool) -> Kept:
    """As it is kept; without why."""
    return kept if why else kept.model_copy(update={name: None for name in ("because", "reason") if name in type(kept).model_fields})
