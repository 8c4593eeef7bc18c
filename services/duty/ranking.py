"""Whom to ask for a place: the likeliest are found by the database in one go, and only those are judged one by one."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, literal, or_, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from services.duty import rules
from services.duty.reads import ASKED_AT_MOST, Known, is_called, people_asked, reached_by
from services.duty.rules import Candidate, Ranked
from services.duty.shapes import CandidateShown, PostShown, ReasonShown
from services.duty.tables import KnownPerson
from shared.bookings import LONGEST_REST, Span, booking, limits, taken
from shared.clock import zone
from shared.rest import UNAVAILABLE


@dataclass(frozen=True, slots=True)
class Asked:
    """A place that somebody is looked for: of which post, and the time it takes; the span's person is not asked."""

    post: PostShown
    wanted: Span


Found = list[tuple[Known, Ranked]]


async def candidates_for(read: AsyncSession, *asked: Asked, search: str | None = None, most: int = ASKED_AT_MOST) -> list[Found]:
    """For each of these places those who may hold it, the best first; whoever has left is not among them. Three statements, whatever
    the number of places and the size of the pools: the likeliest are chosen by the database, and only those are judged one by one."""
    if not asked:
        return []
    reached = await reached_by(read, {one for place in asked for one in place.post.pool_departments})
    likeliest = [_likeliest(number, place, reached, search, most).subquery() for number, place in enumerate(asked)]
    rows = (await read.execute(union_all(*(select(one) for one in likeliest)))).all()
    found: list[dict[UUID, Known]] = [{} for _ in asked]
    for row in rows:
        found[row[-1]][row[0]] = Known(*row[:-1])
    booked = await _booked(read, {person_id for people in found for person_id in people}, [place.wanted for place in asked])
    ranked = []
    for place, people in zip(asked, found, strict=True):
        candidates = [Candidate(one.id, one.sort_key, booked.get(one.id, ())) for one in people.values()]
        ranked.append([(people[one.person_id], one) for one in rules.rank(place.wanted, candidates, limits(), zone())])
    return ranked


def _likeliest(number: int, place: Asked, reached: Mapping[UUID, set[UUID]], search: str | None, most: int) -> Select[Any]:
    post, wanted = place.post, place.wanted
    on = wanted.ends_at.astimezone(zone()).date()
    may: list[ColumnElement[bool]] = [or_(KnownPerson.left_on.is_(None), KnownPerson.left_on > on), KnownPerson.id != wanted.person_id]
    if post.pool_departments or post.pool_people:
        departments = set[UUID]().union(*(reached.get(one, set()) for one in post.pool_departments))
        may.append(or_(KnownPerson.department_id.in_(departments), KnownPerson.id.in_(post.pool_people)))
    if search:
        may.append(is_called(search))
    rest = timedelta(hours=limits().rest_hours)
    around = func.tstzrange(wanted.starts_at - rest, wanted.ends_at + rest)
    busy = select(booking.c.person_id).where(booking.c.during.op("&&")(around)).distinct().subquery()
    back = func.tstzrange(wanted.starts_at - rules.LOOKS_BACK, wanted.starts_at)
    length = func.extract("epoch", func.upper(booking.c.during) - func.lower(booking.c.during)) / 3600
    worked = (
        select(booking.c.person_id, func.sum(func.coalesce(booking.c.counted_hours, length)).label("hours"))
        .where(booking.c.during.op("&&")(back), booking.c.kind != UNAVAILABLE)
        .group_by(booking.c.person_id)
        .subquery()
    )
    found = people_asked().add_columns(literal(number).label("number_asked")).where(*may)
    found = found.outerjoin(worked, worked.c.person_id == KnownPerson.id).outerjoin(busy, busy.c.person_id == KnownPerson.id)
    likeliest: Select[Any] = found.order_by(busy.c.person_id.is_not(None), func.coalesce(worked.c.hours, 0), KnownPerson.sort_key).limit(
        most
    )
    return likeliest


async def _booked(read: AsyncSession, person_ids: Collection[UUID], wanted: Sequence[Span]) -> dict[UUID, list[Span]]:
    begins_at = min(one.starts_at for one in wanted) - rules.LOOKS_BACK
    booked: dict[UUID, list[Span]] = {}
    for span in await taken(read, person_ids, begins_at, max(one.ends_at for one in wanted) + LONGEST_REST):
        booked.setdefault(span.person_id, []).append(span)
    return booked


def shown_candidate(known: Known, ranked: Ranked) -> CandidateShown:
    """A candidate as those who plan read it."""
    return CandidateShown(
        person=known.brief(numbers=True),
        free=not ranked.reasons,
        reasons=[ReasonShown(code=one.code, params=dict(one.params)) for one in ranked.reasons],
        hours_28_days=ranked.hours,
        weekend_hours_28_days=ranked.weekend_hours,
    )
