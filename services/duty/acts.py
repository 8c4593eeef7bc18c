"""What several slices write, given tx: duties booked, told and released; places filled; gaps opened when somebody falls out."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.duty import rules
from services.duty.ranking import Asked, candidates_for
from services.duty.reads import Known, People, Week, own_reasons, reached_by, standing, takes_over_at, week_of
from services.duty.rules import Key, Slot
from services.duty.tables import Amendment, Duty, Gap, KnownPerson
from shared.auth import SYSTEM, Caller
from shared.bookings import Span, book, booking, hold_time_of, release
from shared.clock import now, zone
from shared.events import PEOPLE_IN_ONE, DutiesChanged, DutyState, Event, GapFilled, GapOpened
from shared.messaging.outbox import publish_all
from shared.refusals import FieldError, Reason, Refused
from shared.rest import UNAVAILABLE

Because = Literal["left", "unavailable"]
CANDIDATES_TOLD = 20
ANY_LIMIT = ("unavailable", "too_little_rest", "too_many_hours")


def state_of(duty: Duty) -> DutyState:
    """What others are told of a duty."""
    return DutyState(
        id=duty.id,
        post_id=duty.post_id,
        post_name=duty.post_name,
        person_id=duty.person_id,
        starts_at=duty.starts_at,
        ends_at=duty.ends_at,
        gives_rights=duty.gives_rights,
        state="released" if duty.state == "released" else "published",
        version=duty.version,
    )


def events_of(duties: Sequence[Duty]) -> list[Event]:
    """What is told of these duties, 200 in one event."""
    states = [state_of(duty) for duty in duties]
    return [DutiesChanged(duties=states[start : start + PEOPLE_IN_ONE]) for start in range(0, len(states), PEOPLE_IN_ONE)]


def new_duty(week: Week, slot: Slot, person_id: UUID, state: str, begins_at: datetime | None = None) -> Duty:
    """Somebody on a place; whoever takes over later holds it from then on."""
    post = week.post(slot.post_id)
    return Duty(
        id=uuid4(),
        monday=week.monday,
        post_id=slot.post_id,
        on=slot.on,
        place=slot.place,
        person_id=person_id,
        post_name=post.name,
        gives_rights=post.gives_rights,
        starts_at=max(slot.starts_at, begins_at) if begins_at else slot.starts_at,
        ends_at=slot.ends_at,
        state=state,
        version=1,
    )


def span_of(week: Week, slot: Slot, duty: Duty) -> Span:
    """The booking of a duty."""
    return rules.time_of(slot, week.post(slot.post_id), duty.id, duty.person_id, duty.starts_at)


def take_off(week: Week, slot: Slot, duty: Duty, at: datetime) -> Span | None:
    """Somebody holds this duty no longer, from an instant on. What is served of it until then stays theirs, and the booking of that is
    answered; the whole one is released by the caller."""
    duty.version += 1
    if duty.starts_at >= at:
        duty.state = "released"
        return None
    post = week.post(slot.post_id)
    duty.relieved_at = duty.ends_at = at
    counted_hours = rules.share(post, slot, at - duty.starts_at)
    return Span(duty.id, duty.person_id, duty.starts_at, at, "duty", counted_hours, post.rest_hours)


async def replace(tx: AsyncSession, week: Week, change: Mapping[Key, UUID]) -> list[Duty]:
    """Others hold these places from now on, or from when they begin or were left; the people's time is held, the rules were asked.
    Answers every duty that changed."""
    at = now()
    off: list[Duty] = []
    served: list[Span] = []
    on: list[tuple[Slot, Duty]] = []
    for key, person_id in change.items():
        slot = _slot(week, key)
        if (old := week.duties.get(key)) is not None:
            off.append(old)
            if (kept := take_off(week, slot, old, at)) is not None:
                served.append(kept)
        on.append((slot, new_duty(week, slot, person_id, "published", takes_over_at(week, slot, at))))
    await tx.flush()  # the places are given up before they are taken
    await release(tx, *(duty.id for duty in off))
    await book(tx, *served, despite=ANY_LIMIT)
    await book(tx, *(span_of(week, slot, duty) for slot, duty in on))
    tx.add_all(duty for _, duty in on)
    for slot, duty in on:
        week.duties[slot.key] = duty
    return [*off, *(duty for _, duty in on)]


def _slot(week: Week, key: Key) -> Slot:
    slot = week.slot(key)
    if slot is None:
        raise Refused("not_found", 404)
    return slot


def note(
    tx: AsyncSession, week: Week, key: Key, old: UUID | None, new: UUID | None, because: str, reason: str, caller: Caller
) -> Amendment:
    """Put on record, for good, what was changed in a published roster, by whom and why."""
    post_id, on, place = key
    row = Amendment(
        monday=week.monday,
        post_id=post_id,
        post_name=week.post(post_id).name,
        on=on,
        place=place,
        old_person_id=old,
        new_person_id=new,
        because=because,
        reason=reason,
        by_id=caller.id,
        by_name=caller.name,
        at=now(),
    )
    tx.add(row)
    return row


def close_gap(week: Week, key: Key, person_id: UUID) -> list[Event]:
    """Somebody holds the place that was open; tells it."""
    gap = week.gaps.pop(key, None)
    if gap is None:
        return []
    gap.filled_at, gap.filled_by = now(), person_id
    return [GapFilled(gap_id=gap.id, person_id=person_id)]


def refuse(week: Week, problems: Mapping[Key, Sequence[Reason]], held: Mapping[Key, UUID], people: People) -> Refused:
    """What forbids a week to be published or amended, place by place with names; the assignments that duties meet stand apart, so that
    they can be freed in one step. `gaps` when a place is empty, else `clashes`."""
    errors, assignments = [], []
    for slot in week.slots:
        known, on = people.get(held[slot.key]) if slot.key in held else None, slot.on.isoformat()
        where = {"post": week.post(slot.post_id).name, "on": on, "place": slot.place, "person": known.name if known else None}
        for reason in problems.get(slot.key, ()):
            field = f"slots.{slot.post_id}.{on}.{slot.place}"
            errors.append(FieldError(field, reason.code, {**reason.params, **where}))
            if reason.code == "overlap" and reason.params["kind"] == "assignment" and known:
                met = {name: reason.params[name] for name in ("ref", "starts_at", "ends_at")}
                assignments.append({"person_id": str(known.id), "person": known.name, **met})
    code = "gaps" if any(error.code == "gap" for error in errors) else "clashes"
    counts = {"gap_count": sum(error.code == "gap" for error in errors), "problem_count": sum(error.code != "gap" for error in errors)}
    return Refused(code, 409, {**counts, "assignments": assignments}, errors)


async def stand_in(tx: AsyncSession, gap: Gap, week: Week, known: Known, reason: str, caller: Caller) -> list[Event]:
    """Somebody stands in where a place is open; their time is held, the roster's row too. Refused: what forbids it."""
    key = (gap.post_id, gap.on, gap.place)
    slot, post = _slot(week, key), week.post(gap.post_id)
    if forbidden := own_reasons(post, slot, known, await reached_by(tx, post.pool_departments)):
        raise Refused(forbidden[0].code, 409, {**forbidden[0].params, "person_id": str(known.id)})
    duties = await replace(tx, week, {key: known.id})
    note(tx, week, key, gap.person_id, known.id, "filled", reason, caller)
    assert week.roster is not None
    week.roster.version += 1
    return [*events_of(duties), *close_gap(week, key, known.id)]


async def fall_out(tx: AsyncSession, person_ids: Collection[UUID], because: Because) -> int:
    """These people left, or cannot be had: whatever they hold from then on is open again, and each place is an alert with those who can
    stand in, the best first. Answers how many places opened."""
    if not person_ids:
        return 0
    await hold_time_of(tx, *person_ids)  # before it is looked what they hold: a roster may be on its way to be published
    mondays = sorted({duty.monday for duty in await _hold_what(tx, person_ids, because)})
    count = 0
    for monday in mondays:  # the rows of rosters are held in the order of their weeks
        week = await week_of(tx, monday, hold=True)
        gone = [duty for duty in await _hold_what(tx, person_ids, because) if duty.monday == monday]
        events: list[Event] = []
        for duty in gone:
            events += await _open(tx, week, duty, because)
        if gone and week.roster:
            week.roster.version += 1
        await publish_all(tx, [*events_of(gone), *events])
        count += len(gone)
    return count


async def _hold_what(tx: AsyncSession, person_ids: Collection[UUID], because: Because) -> list[Duty]:
    """The published duties of these people that they cannot hold: after they left, or while they cannot be had."""
    ahead = select(Duty, KnownPerson.left_on).outerjoin(KnownPerson, KnownPerson.id == Duty.person_id)
    ahead = ahead.where(Duty.person_id.in_(person_ids), Duty.state == "published", standing(), Duty.ends_at > now())
    if because == "unavailable":
        return list(await tx.scalars(ahead.where(_cannot_be_had()).order_by(Duty.starts_at)))
    found = (await tx.execute(ahead.where(KnownPerson.left_on.is_not(None)).order_by(Duty.starts_at))).all()
    return [duty for duty, left_on in found if left_on is not None and duty.ends_at > rules.day_begins(left_on, zone())]


async def _open(tx: AsyncSession, week: Week, duty: Duty, because: Because) -> list[Event]:
    key = (duty.post_id, duty.on, duty.place)
    slot, at = _slot(week, key), now()
    if because == "left" and (left_on := await tx.scalar(select(KnownPerson.left_on).where(KnownPerson.id == duty.person_id))):
        at = max(at, rules.day_begins(left_on, zone()))
    begins_at = max(duty.starts_at, at)
    served = take_off(week, slot, duty, at)
    del week.duties[key]
    await tx.flush()
    await release(tx, duty.id)
    await book(tx, *([served] if served else []), despite=ANY_LIMIT)
    gap = Gap(
        id=uuid4(),
        monday=week.monday,
        post_id=duty.post_id,
        on=duty.on,
        place=duty.place,
        person_id=duty.person_id,
        because=because,
        starts_at=begins_at,
        ends_at=slot.ends_at,
        opened_at=now(),
    )
    tx.add(gap)
    note(tx, week, key, duty.person_id, None, because, "", SYSTEM)
    [ranked] = await candidates_for(tx, wanted_of(week, slot, gap))
    free = [known.id for known, one in ranked if not one.reasons]
    opened = GapOpened(
        gap_id=gap.id,
        post_name=duty.post_name,
        person_id=duty.person_id,
        starts_at=gap.starts_at,
        ends_at=gap.ends_at,
        because=because,
        candidate_ids=free[:CANDIDATES_TOLD],
    )
    return [opened]


def wanted_of(week: Week, slot: Slot, gap: Gap) -> Asked:
    """The time that a gap asks of whoever stands in; who fell out is not asked."""
    post = week.post(slot.post_id)
    return Asked(post, rules.time_of(slot, post, gap.id, gap.person_id, max(gap.starts_at, now())))


def _cannot_be_had() -> ColumnElement[bool]:
    """Does the calendar say that whoever holds the duty cannot be had, in what is left of it?"""
    left = func.tstzrange(func.greatest(Duty.starts_at, now()), Duty.ends_at)
    met = booking.c.person_id == Duty.person_id, booking.c.kind == UNAVAILABLE, booking.c.during.op("&&")(left)
    return exists().where(*met).correlate(Duty)


async def away_with_duties(tx: AsyncSession) -> set[UUID]:
    """Who holds a published duty that is still to come, or runs, while the calendar says that they cannot be had."""
    wanted = select(Duty.person_id).where(Duty.state == "published", standing(), Duty.ends_at > now(), _cannot_be_had())
    return set(await tx.scalars(wanted))
