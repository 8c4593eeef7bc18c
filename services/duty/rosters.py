"""Rosters: a week of duties as it is planned, checked, published and amended. What is published has no gap."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.duty import rules
from services.duty.acts import close_gap, events_of, new_duty, note, refuse, replace, span_of
from services.duty.reads import Glance, People, Week, amendments_of, brief, glance_at, people_of, problems_of, week_of
from services.duty.rules import Key
from services.duty.shapes import (
    AmendmentShown,
    CheckShown,
    CheckWish,
    CopyWish,
    PostBrief,
    PublicationWish,
    ReasonShown,
    RosterMonday,
    RosterShown,
    SlotProblems,
    SlotShown,
    SlotsWish,
    SlotWish,
    days_of,
)
from services.duty.tables import Amendment, Duty, Roster
from shared.auth import Caller, require
from shared.bookings import book, hold_time_of
from shared.clock import now
from shared.db import Read, Tx
from shared.events import Event
from shared.messaging.outbox import publish_all
from shared.refusals import Reason, Refused, wrong
from shared.service import Slice

rosters = Slice(prefix="/rosters", tags=["rosters"])

Problems = Mapping[Key, Sequence[Reason]]


@rosters.get("/{monday}")
async def read_roster(monday: RosterMonday, caller: Annotated[Caller, require("roster.read")], read: Read) -> RosterShown:
    """A week: its posts, every place, who holds it, how it was amended. A draft, problems and reasons are shown to those who plan."""
    week = await week_of(read, monday)
    if week.state == "none" and not _plans(caller):
        week.posts, week.slots = [], []
    amendments = await amendments_of(read, monday) if week.published else ()
    people = await people_of(read, [*week.held.values(), *_named_in(amendments)])
    problems = await problems_of(read, week, week.held, people) if _plans(caller) else {}
    return _shown(week, people, problems, amendments, caller)


@rosters.put("/{monday}/slots")
async def fill_slots(monday: RosterMonday, wish: SlotsWish, caller: Annotated[Caller, require("roster.plan")], tx: Tx) -> RosterShown:
    """Say who holds which place. A draft is saved with its problems. A published roster is amended, for good and with a reason, and
    refused as a whole when anything forbids it: `gaps` for a place that would be empty, `clashes` for the rest, place by place in `errors`,
    with the assignments that are met in `params.assignments`. Refused: `changed_meanwhile`; 422 for a place or person that is not there,
    a place named twice, a reason that is missing."""
    seen = await glance_at(tx, monday)
    if seen.state == "published":
        return await _amend(tx, monday, seen, wish, caller)
    if seen.state == "none":
        await tx.execute(insert(Roster).values(monday=monday, state="draft", version=0).on_conflict_do_nothing())
    week = await week_of(tx, monday, hold=True)
    _unchanged(week, wish.version)
    wishes = _wishes(week, wish.slots)
    people = await people_of(tx, [*week.held.values(), *(one for one in wishes.values() if one)])
    _check_known(wish.slots, people)
    await _save_draft(tx, week, wishes)
    problems = await problems_of(tx, week, week.held, people)
    return _shown(week, people, problems, (), caller)


@rosters.post("/{monday}/check")
async def check_roster(monday: RosterMonday, wish: CheckWish, caller: Annotated[Caller, require("roster.plan")], read: Read) -> CheckShown:
    """What would be wrong if these people held these places; saves nothing. 422 as for the places themselves."""
    week = await week_of(read, monday)
    held = {**week.held, **_wishes(week, wish.slots)}
    standing = {key: person_id for key, person_id in held.items() if person_id is not None}
    people = await people_of(read, standing.values())
    without = [duty.id for key, duty in week.duties.items() if standing.get(key) != duty.person_id]
    problems = await problems_of(read, week, standing, people, without=without)
    shown = [
        SlotProblems(post_id=slot.post_id, on=slot.on, place=slot.place, problems=_said(problems[slot.key]))
        for slot in week.slots
        if slot.key in problems
    ]
    return CheckShown(
        problems=shown, gap_count=len(rules.gaps(week.slots, standing)), problem_count=sum(len(one.problems) for one in shown)
    )


@rosters.post("/{monday}/publication")
async def publish_roster(
    monday: RosterMonday, wish: PublicationWish, caller: Annotated[Caller, require("roster.plan")], tx: Tx
) -> RosterShown:
    """Publish a week: from now on it hangs on the wall, and everybody's time in it is booked. Refused as a whole: `gaps` while a place is
    empty, `clashes` when anything forbids a duty; place by place in `errors`, with names, and the assignments that duties meet in
    `params.assignments`. Refused: `changed_meanwhile`, `published_already`, `no_posts`."""
    seen = await glance_at(tx, monday)
    await hold_time_of(tx, *seen.held.values())  # before the row: whoever books a person holds the person first
    week = await week_of(tx, monday, hold=True)
    if week.published:
        raise Refused("published_already", 409)
    _unchanged(week, wish.version, seen)
    if not week.slots:
        raise Refused("no_posts", 409)
    people = await people_of(tx, week.held.values())
    problems = await problems_of(tx, week, week.held, people)
    empty = {slot.key: [Reason("gap")] for slot in rules.gaps(week.slots, week.held)}
    if empty or problems or week.roster is None:
        raise refuse(week, {**problems, **empty}, week.held, people)
    await _publish(tx, week, week.roster, caller)
    return _shown(week, people, {}, (), caller)


@rosters.post("/{monday}/copy")
async def copy_roster(monday: RosterMonday, wish: CopyWish, caller: Annotated[Caller, require("roster.plan")], tx: Tx) -> RosterShown:
    """Fill the empty places of a draft with those who held them in another week, day by day. Refused: `published_already`,
    `nothing_to_copy`."""
    other = await week_of(tx, wish.from_monday)
    await tx.execute(insert(Roster).values(monday=monday, state="draft", version=0).on_conflict_do_nothing())
    week = await week_of(tx, monday, hold=True)
    if week.published:
        raise Refused("published_already", 409)
    before = {((on - wish.from_monday).days, post_id, place): person for (post_id, on, place), person in other.held.items()}
    empty = rules.gaps(week.slots, week.held)
    found = {slot.key: before.get(((slot.on - monday).days, slot.post_id, slot.place)) for slot in empty}
    people = await people_of(tx, [*week.held.values(), *(one for one in found.values() if one)])
    taken_over = {key: person for key, person in found.items() if person in people}
    if not taken_over:
        raise Refused("nothing_to_copy", 409)
    await _save_draft(tx, week, taken_over)
    return _shown(week, people, await problems_of(tx, week, week.held, people), (), caller)


async def _save_draft(tx: AsyncSession, week: Week, wishes: Mapping[Key, UUID | None]) -> None:
    gone = []
    for key, person_id in wishes.items():
        duty, slot = week.duties.get(key), week.slot(key)
        if duty is not None and person_id is None:
            gone.append(duty.id)
            del week.duties[key]
        elif duty is not None and person_id is not None:
            duty.person_id = person_id
        elif person_id is not None and slot is not None:
            week.duties[key] = fresh = new_duty(week, slot, person_id, "draft")
            tx.add(fresh)
    if gone:
        await tx.execute(delete(Duty).where(Duty.id.in_(gone)).execution_options(synchronize_session=False))
    assert week.roster is not None
    week.roster.version += 1
    await tx.flush()


async def _publish(tx: AsyncSession, week: Week, roster: Roster, caller: Caller) -> None:
    here = {slot.key: slot for slot in week.slots}
    if of_no_post := [duty.id for key, duty in week.duties.items() if key not in here]:  # their posts were changed meanwhile
        await tx.execute(delete(Duty).where(Duty.id.in_(of_no_post)).execution_options(synchronize_session=False))
    week.duties = {key: duty for key, duty in week.duties.items() if key in here}
    for key, duty in week.duties.items():
        slot, post = here[key], week.post(key[0])
        duty.state, duty.version = "published", duty.version + 1
        duty.starts_at, duty.ends_at = slot.starts_at, slot.ends_at
        duty.post_name, duty.gives_rights = post.name, post.gives_rights
    roster.state, roster.version = "published", roster.version + 1
    roster.published_at, roster.published_by = now(), caller.id
    roster.posts = [post.model_dump(mode="json") for post in week.posts]
    await tx.flush()
    await book(tx, *(span_of(week, here[key], duty) for key, duty in week.duties.items()))
    await publish_all(tx, events_of(list(week.duties.values())))


async def _amend(tx: AsyncSession, monday: date, seen: Glance, wish: SlotsWish, caller: Caller) -> RosterShown:
    if not wish.reason:
        raise wrong("reason", "required")
    there_now = [person for one in wish.slots if (person := seen.held.get((one.post_id, one.on, one.place)))]
    await hold_time_of(tx, *there_now, *(one.person_id for one in wish.slots if one.person_id))
    week = await week_of(tx, monday, hold=True)
    _unchanged(week, wish.version, seen)
    held = week.held
    wishes = {key: person_id for key, person_id in _wishes(week, wish.slots).items() if held.get(key) != person_id}
    amendments = await amendments_of(tx, week.monday)
    named = [*held.values(), *(one for one in wishes.values() if one), *_named_in(amendments)]
    people = await people_of(tx, named)
    _check_known(wish.slots, people)
    change = {key: person_id for key, person_id in wishes.items() if person_id is not None}
    without = [week.duties[key].id for key in change if key in week.duties]
    problems = await problems_of(tx, week, {**held, **change}, people, without=without, last=change)
    forbids = {key: found for key, found in problems.items() if key in change}
    forbids |= {key: [Reason("gap")] for key, person_id in wishes.items() if person_id is None}
    if forbids:
        raise refuse(week, forbids, change, people)
    if change:
        noted = await _carry_out(tx, week, change, wish.reason, caller)
        amendments = [*noted, *amendments]
    return _shown(week, people, problems, amendments, caller)


async def _carry_out(tx: AsyncSession, week: Week, change: Mapping[Key, UUID], reason: str, caller: Caller) -> list[Amendment]:
    held = week.held
    fell_out = {key: gap.person_id for key, gap in week.gaps.items()}
    duties = await replace(tx, week, change)
    noted, closed = [], list[Event]()
    for key, person_id in change.items():
        noted.append(note(tx, week, key, held.get(key) or fell_out.get(key), person_id, "amended", reason, caller))
        closed += close_gap(week, key, person_id)
    assert week.roster is not None
    week.roster.version += 1
    await tx.flush()
    await publish_all(tx, [*events_of(duties), *closed])
    return noted


def _unchanged(week: Week, version: int, seen: Glance | None = None) -> None:
    """Refused when somebody else changed the week since it was read, or between looking at it and holding its row."""
    if week.version != version or (seen is not None and seen.version != version):
        raise Refused("changed_meanwhile", 409, {"version": week.version})


def _wishes(week: Week, slots: Sequence[SlotWish]) -> dict[Key, UUID | None]:
    """What is wished, by place. 422 for a place that is not there, or named twice."""
    here, found = {slot.key for slot in week.slots}, dict[Key, UUID | None]()
    for number, one in enumerate(slots):
        key = (one.post_id, one.on, one.place)
        if key not in here or key in found:
            raise wrong(f"slots.{number}.post_id", "not_a_choice")
        found[key] = one.person_id
    return found


def _check_known(slots: Sequence[SlotWish], people: People) -> None:
    for number, one in enumerate(slots):
        if one.person_id is not None and one.person_id not in people:
            raise wrong(f"slots.{number}.person_id", "unknown_id")


def _plans(caller: Caller) -> bool:
    return caller.reach("roster.plan").everything


def _named_in(amendments: Sequence[Amendment]) -> set[UUID]:
    return {one for row in amendments for one in (row.old_person_id, row.new_person_id) if one is not None}


def _said(reasons: Sequence[Reason]) -> list[ReasonShown]:
    return [ReasonShown(code=reason.code, params=dict(reason.params)) for reason in reasons]


def _shown(week: Week, people: People, problems: Problems, amendments: Sequence[Amendment], caller: Caller) -> RosterShown:
    plans = _plans(caller)
    slots = []
    for slot in week.slots:
        duty, gap = week.duties.get(slot.key), week.gaps.get(slot.key)
        slots.append(
            SlotShown(
                post_id=slot.post_id,
                on=slot.on,
                place=slot.place,
                starts_at=slot.starts_at,
                ends_at=slot.ends_at,
                duty_id=duty.id if duty else None,
                person=brief(people, duty.person_id, plans) if duty else None,
                gap_id=gap.id if gap else None,
                problems=_said(problems.get(slot.key, ())),
            )
        )
    return RosterShown(
        monday=week.monday,
        state=week.state,  # type: ignore[arg-type]
        version=week.version,
        published_at=week.roster.published_at if week.roster else None,
        days=days_of(week.monday),
        posts=[post.seen(plans=plans) for post in week.posts],
        slots=slots,
        gap_count=len(rules.gaps(week.slots, week.held)),
        problem_count=sum(len(one.problems) for one in slots),
        amendments=[_amendment_shown(row, people, plans) for row in amendments],
    )


def _amendment_shown(row: Amendment, people: People, plans: bool) -> AmendmentShown:
    because = row.because if plans or row.because in ("amended", "filled") else "fell_out"
    return AmendmentShown(
        at=row.at,
        by=row.by_name,
        because=because,  # type: ignore[arg-type]
        reason=row.reason if plans else None,
        post=PostBrief(id=row.post_id, name=row.post_name),
        on=row.on,
        place=row.place,
        old=brief(people, row.old_person_id, plans),
        new=brief(people, row.new_person_id, plans),
    )
