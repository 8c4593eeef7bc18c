"""Who could stand on a shift, the best first: few statements, whatever the number of people, and nobody's calendar read one by one."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, FromClause, Select, Text, and_, func, literal, or_, select, true, union, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from services.dispatch.rules.assigning import unfit_reason
from services.dispatch.rules.ranking import Standing, order
from services.dispatch.tables import Assignment, KnownFitness, KnownPerson, TeamMember
from shared.bookings import LONGEST_REST, LONGEST_WORK, Span, booking, limits, taken
from shared.clock import zone
from shared.db import as_system
from shared.refusals import Reason
from shared.rest import BREAK, DAY, UNAVAILABLE, what_forbids

LOOKS_BACK = timedelta(days=28)
LIKELIEST = 250
"""So many of those with the fewest hours are judged for an open place; among them are a few who can come."""

_begins, _ends, _hours = booking.c.begins_at, booking.c.ends_at, booking.c.hours
_works = booking.c.kind != UNAVAILABLE


@dataclass(frozen=True, slots=True)
class Vacancy:
    """A place that somebody is looked for; `key` is by whom it was left."""

    key: UUID
    shift_id: UUID
    rule: str | None
    starts_at: datetime
    ends_at: datetime
    without: UUID | None = None


def here_on(moment: datetime) -> ColumnElement[bool]:
    """Who has not left by then."""
    return or_(KnownPerson.left_on.is_(None), KnownPerson.left_on > moment.astimezone(zone()).date())


def searched(search: str) -> ColumnElement[bool]:
    """Letters of a name, pinyin, or a number."""
    said = search.replace(" ", "")
    by_pinyin = func.replace(KnownPerson.sort_key, " ", "", type_=Text()).icontains(said, autoescape=True)
    by_number = KnownPerson.number.istartswith(said, autoescape=True)
    return or_(KnownPerson.name.icontains(search, autoescape=True), by_number, by_pinyin)


def _asked_first(ends_at: datetime) -> FromClause:
    """Whom one asks first, `id` and `sort_key` of each who is here: who came as a volunteer, or is in a team; where there are none,
    everybody."""
    here = select(KnownPerson.id, KnownPerson.sort_key).where(here_on(ends_at))
    came, in_team = KnownPerson.employment == "volunteer", select(TeamMember.person_id)
    nobody = ~or_(select(KnownPerson.id).where(came).correlate(None).exists(), in_team.correlate(None).exists())
    members = here.join(TeamMember, TeamMember.person_id == KnownPerson.id)
    return union(here.where(came), members, here.where(nobody)).cte()


def _worked(people: Select[Any], before: datetime) -> FromClause:
    """Of each of these people who worked: hours in the 28 days before, and when the last of them ended. Added up at once: looking into
    the calendar person by person took four times as long for 5,000 of them."""
    ended = func.max(_ends).filter(_ends <= before).label("last_end")
    theirs = _works, _ends > before - LOOKS_BACK, _ends < before + LONGEST_WORK, _begins < before, booking.c.person_id.in_(people)
    return select(booking.c.person_id, func.sum(_hours).label("hours"), ended).where(*theirs).group_by(booking.c.person_id).subquery()


def _pressed(starts_at: datetime, ends_at: datetime) -> Any:
    """Of each person with bookings near a time: does one meet it, or leave too little rest, and how many hours are near.

    The rest is shared/rest.py's, said in SQL: only for the hours in 24 a person's bookings must be looked at one by one. Days away
    only what asks for a rest of its own can matter.
    """
    least = timedelta(hours=limits().rest_hours)
    near_by = max(least, DAY)
    rest, own = booking.c.rest_hours, booking.c.rest_hours.is_not(None)
    before, after = _ends <= starts_at, _begins >= ends_at
    last = func.max(_ends).filter(before, _works)
    last_plain = func.max(_ends).filter(before, _works, ~own)
    first = func.min(_begins).filter(after, _works)
    met = func.bool_or(booking.c.during.op("&&")(func.tstzrange(starts_at, ends_at)))
    short = [
        func.bool_or(and_(before, _works, own, literal(starts_at) - _ends < func.make_interval(0, 0, 0, 0, 0, 0, rest * 3600))),
        and_(last == last_plain, last < starts_at - BREAK, last > starts_at - least),
        and_(first > ends_at + BREAK, first < ends_at + least),
        func.bool_or(and_(after, _works, own, _begins > ends_at + BREAK, _begins < ends_at + least)),
    ]
    near = func.sum(_hours).filter(_works, booking.c.during.op("&&")(func.tstzrange(starts_at - DAY, ends_at + DAY)))
    forbidden: ColumnElement[bool] = func.coalesce(met, False)
    for one in short:
        forbidden = or_(forbidden, func.coalesce(one, False))
    hours = (ends_at - starts_at).total_seconds() / 3600
    around = booking.c.during.op("&&")(func.tstzrange(starts_at - near_by, ends_at + near_by))
    further = booking.c.during.op("&&")(func.tstzrange(starts_at - LONGEST_REST, ends_at + LONGEST_REST))
    asked = select(
        booking.c.person_id,
        forbidden.label("met"),
        (func.coalesce(near, 0.0) + hours > limits().most_hours_in_24).label("unsure"),
    )
    return asked.where(or_(around, and_(own, further))).group_by(booking.c.person_id).subquery()


async def barred_by_hours(read: AsyncSession, starts_at: datetime, ends_at: datetime) -> set[UUID]:
    """Who would have too many hours in 24: the few with many near that time are judged one by one."""
    pressed = _pressed(starts_at, ends_at)
    unsure = list(await read.scalars(select(pressed.c.person_id).where(pressed.c.unsure, ~pressed.c.met)))
    booked, bounds = await spans_of(read, unsure, starts_at, ends_at), limits()
    return {one for one in unsure if what_forbids(Span(one, one, starts_at, ends_at, "assignment"), booked.get(one, ()), bounds)}


async def ranked_for(
    read: AsyncSession,
    place: Vacancy,
    *,
    near: Collection[UUID] = (),
    search: str | None = None,
    limit: int,
    offset: int = 0,
) -> tuple[list[Standing], int]:
    """A page of those who could be asked for a shift, the best first, and how many there are. `near`: those on it, whose teams rank
    first. Without a search those who volunteered or are in a team; where there are none, everybody. Ordered as rules/ranking.py says."""
    barred = await barred_by_hours(read, place.starts_at, place.ends_at)
    pool: FromClause = _asked_first(place.ends_at)
    if search:
        pool = select(KnownPerson.id, KnownPerson.sort_key).where(here_on(place.ends_at), searched(search)).cte()
    one = pool.c
    worked, pressed = _worked(select(one.id), place.starts_at), _pressed(place.starts_at, place.ends_at)
    mates = select(TeamMember.person_id).where(TeamMember.team_id.in_(select(TeamMember.team_id).where(TeamMember.person_id.in_(near))))
    forbidden = or_(func.coalesce(pressed.c.met, False), one.id.in_(barred))
    if place.rule:
        fit = and_(KnownFitness.fit_from <= place.starts_at, or_(KnownFitness.fit_until.is_(None), KnownFitness.fit_until >= place.ends_at))
        theirs = select(fit).where(KnownFitness.person_id == one.id, KnownFitness.rule == place.rule)
        forbidden = or_(forbidden, func.coalesce(theirs.scalar_subquery(), False).is_(False))
    said_no = one.id.in_(select(Assignment.person_id).where(Assignment.shift_id == place.shift_id, Assignment.state == "declined"))
    same_team, hours = one.id.in_(mates), func.coalesce(worked.c.hours, 0.0)
    asked = (one.id, hours.label("hours"), worked.c.last_end, same_team.label("same_team"), said_no.label("declined"))
    wanted = select(*asked, func.count().over().label("total"))
    wanted = wanted.select_from(pool).outerjoin(worked, worked.c.person_id == one.id).outerjoin(pressed, pressed.c.person_id == one.id)
    on_it = select(Assignment.person_id).where(Assignment.shift_id == place.shift_id, Assignment.state.not_in(("declined", "released")))
    by = (forbidden, said_no, func.round(hours * 10), worked.c.last_end.asc().nulls_first(), same_team.desc(), one.sort_key, one.id)
    async with as_system(read):
        found = (await read.execute(wanted.where(one.id.not_in(on_it)).order_by(*by).limit(limit).offset(offset))).all()
    standings = [Standing(row.id, row.hours, row.last_end, row.same_team, row.declined) for row in found]
    return standings, found[0].total if found else 0


async def spans_of(read: AsyncSession, person_ids: Collection[UUID], starts_at: datetime, ends_at: datetime) -> dict[UUID, list[Span]]:
    """What is booked of these people so near to a time that it could matter."""
    booked: dict[UUID, list[Span]] = defaultdict(list)
    for span in await taken(read, person_ids, starts_at - LONGEST_REST, ends_at + LONGEST_REST):
        booked[span.person_id].append(span)
    return booked


async def standings_of(read: AsyncSession, person_ids: Collection[UUID], before: datetime) -> list[Standing]:
    """How these people rank, those who are here, in order of their names."""
    here = KnownPerson.id.in_(person_ids), here_on(before)
    worked = _worked(select(KnownPerson.id).where(*here), before)
    wanted = select(KnownPerson.id, worked.c.hours, worked.c.last_end).outerjoin(worked, worked.c.person_id == KnownPerson.id)
    async with as_system(read):
        found = await read.execute(wanted.where(*here).order_by(KnownPerson.sort_key, KnownPerson.id))
    return [Standing(person_id, hours or 0.0, last_end) for person_id, hours, last_end in found]


Fitness = Mapping[tuple[UUID, str], tuple[datetime | None, datetime | None]]


async def fitness_of(read: AsyncSession, person_ids: Collection[UUID], rules: Collection[str | None]) -> Fitness:
    """From when until when each of these people is fit for each of these rule sets."""
    named = {rule for rule in rules if rule}
    if not named or not person_ids:
        return {}
    wanted = select(KnownFitness.person_id, KnownFitness.rule, KnownFitness.fit_from, KnownFitness.fit_until)
    async with as_system(read):
        found = await read.execute(wanted.where(KnownFitness.rule.in_(named), KnownFitness.person_id.in_(person_ids)))
    return {(person_id, rule): (fit_from, fit_until) for person_id, rule, fit_from, fit_until in found}


def unfit(fitness: Fitness, person_id: UUID, rule: str | None, starts_at: datetime, ends_at: datetime) -> list[Reason]:
    """What the rule set says against somebody; who was never told of is not fit."""
    return unfit_reason(rule, *fitness.get((person_id, rule or ""), (None, None)), starts_at, ends_at)


async def shortlists(read: AsyncSession, places: Sequence[Vacancy], most: int) -> dict[UUID, list[Standing]]:
    """For each place those who are fit, free and rested, and did not decline that very shift, the best first, at most so many; three
    statements, whatever the number of places."""
    ahead = sorted({place.rule or "" for place in places})
    if not ahead:
        return {}
    begins, ends = min(one.starts_at for one in places), max(one.ends_at for one in places)
    likely = [_likeliest(rule, [one for one in places if (one.rule or "") == rule]).subquery() for rule in ahead]
    columns = ("rule", "id", "hours", "last_end", "fit_from", "fit_until")
    async with as_system(read):
        found = (await read.execute(union_all(*(select(*(one.c[name] for name in columns)) for one in likely)))).all()
        on_them = select(Assignment.shift_id, Assignment.person_id).where(Assignment.shift_id.in_({one.shift_id for one in places}))
        on = set(await read.execute(on_them.where(Assignment.state != "released")))
    booked = await spans_of(read, {row.id for row in found}, begins, ends)
    bounds, answers = limits(), {}
    pools: dict[str, list[Any]] = defaultdict(list)
    for row in found:
        pools[row.rule].append((Standing(row.id, row.hours or 0.0, row.last_end), row.fit_from, row.fit_until))
    for place in places:
        best: list[Standing] = []
        for one, fit_from, fit_until in sorted(pools[place.rule or ""], key=lambda it: order(it[0])):
            span = Span(place.key, one.person_id, place.starts_at, place.ends_at, "assignment")
            if one.person_id == place.without or (place.shift_id, one.person_id) in on:
                continue
            if unfit_reason(place.rule, fit_from, fit_until, place.starts_at, place.ends_at):
                continue
            if not what_forbids(span, booked.get(one.person_id, ()), bounds):
                best.append(one)
                if len(best) == most:
                    break
        answers[place.key] = best
    return answers


def _likeliest(rule: str, places: Sequence[Vacancy]) -> Select[Any]:
    """Those with the fewest hours who may be fit for one of the places of a rule set."""
    begins, ends = min(one.starts_at for one in places), min(one.ends_at for one in places)
    pool = _asked_first(ends)
    one = pool.c
    worked = _worked(select(one.id), begins)
    columns = (worked.c.hours, worked.c.last_end, KnownFitness.fit_from, KnownFitness.fit_until)
    wanted = select(literal(rule).label("rule"), one.id, *columns).select_from(pool).outerjoin(worked, worked.c.person_id == one.id)
    same = and_(KnownFitness.person_id == one.id, KnownFitness.rule == rule)
    fit = and_(
        KnownFitness.fit_from <= max(place.starts_at for place in places),
        or_(KnownFitness.fit_until.is_(None), KnownFitness.fit_until >= ends),
    )
    wanted = wanted.outerjoin(KnownFitness, same).where(fit if rule else true())
    by = (func.coalesce(worked.c.hours, 0), worked.c.last_end.asc().nulls_first(), one.sort_key, one.id)
    return wanted.order_by(*by).limit(LIKELIEST)
