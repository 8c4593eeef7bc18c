"""People put on a shift, one or several: their time held, then the shift, judged, booked and told; the one way for whoever does it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID, uuid4

from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.dispatch.acts import fill_places, tell_assignments
from services.dispatch.ranking import fitness_of, unfit
from services.dispatch.reads import assignment_shown, brief, brief_people
from services.dispatch.rules.assigning import forbidden_by_shift
from services.dispatch.rules.moving import OVERRIDABLE, standing_reasons
from services.dispatch.shapes import AssignmentShown, Placed, Unplaced
from services.dispatch.tables import HOLDS_PLACE, Assignment, KnownPerson, Operation, Shift, ShiftRole
from shared.auth import Caller
from shared.bookings import Span, book_judged, hold_time_of, judge
from shared.clock import now, zone
from shared.db import as_system
from shared.refusals import Reason, Refused, wrong


@dataclass(frozen=True, slots=True)
class Manner:
    """How somebody comes on a shift: asked, by themselves, or there already; with a leader's override and its reason, or without."""

    state: Literal["proposed", "confirmed", "checked_in"]
    by: Caller
    override: str | None = None
    signing_up: bool = False
    running: bool = False
    instead_of: UUID | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """Who was placed, and who could not be, with the reason that is hardest."""

    shift: Shift
    placed: list[Assignment]
    refused: list[tuple[UUID, Reason]]


async def place_people(tx: AsyncSession, shift_id: UUID, role: str, person_ids: Sequence[UUID], manner: Manner) -> Outcome:
    """Put these people on a role of a shift, as far as nothing forbids it. Refused as a whole: `not_found`, `cancelled_already`,
    `over_already`, `has_begun`, `not_open`, `no_signup`, `not_allowed` (an override without the right); 422 `no_role`, `unknown_id`."""
    if manner.override is not None and not manner.by.reach("assignment.override").everything:
        raise Refused("not_allowed", 403, {"action": "assignment.override"})
    people = list(dict.fromkeys(person_ids))
    await hold_time_of(tx, *people)
    wanted = select(Shift, Operation.requirement).join(Operation, Operation.id == Shift.operation_id).where(Shift.id == shift_id)
    found = (await tx.execute(wanted.with_for_update(of=Shift))).one_or_none()
    if found is None:
        raise Refused("not_found", 404)
    shift, rule = found
    signup = shift.signup if manner.signing_up else None
    if code := forbidden_by_shift(shift.state, shift.starts_at, shift.ends_at, now(), signup=signup, running=manner.running):
        raise Refused(code, 409)
    reasons = await _reasons(tx, shift, rule, people)
    placed: list[Assignment] = []
    refused: list[tuple[UUID, Reason]] = []
    left = await _free_places(tx, shift, role)
    for person_id, against in zip(people, reasons, strict=True):
        if not left:
            against.insert(1 if against and against[0].code in ("on_it_already", "has_left") else 0, Reason("full", {"role": role}))
        standing = standing_reasons(against, overridden=manner.override is not None)
        if standing:
            refused.append((person_id, standing[0]))
            continue
        placed.append(_assignment(shift, role, person_id, manner, overridden=bool(against)))
        left -= 1
    begins_at = max(shift.starts_at, now()) if manner.running else shift.starts_at  # who comes to a shift that runs is there from now on
    await book_judged(tx, *(Span(one.id, one.person_id, begins_at, one.ends_at, "assignment") for one in placed))
    tx.add_all(placed)
    await tx.flush()
    await fill_places(tx, placed, manner.instead_of)
    await tell_assignments(tx, placed)
    return Outcome(shift, placed, refused)


async def _reasons(tx: AsyncSession, shift: Shift, rule: str | None, people: Sequence[UUID]) -> list[list[Reason]]:
    """What forbids each of these people the shift but for the places, the hardest first; their time and the shift are held."""
    on_it = and_(Assignment.person_id == KnownPerson.id, Assignment.shift_id == shift.id, Assignment.state.not_in(("declined", "released")))
    asked = select(KnownPerson.id, KnownPerson.left_on, Assignment.id).outerjoin(Assignment, on_it).where(KnownPerson.id.in_(people))
    async with as_system(tx):
        known = {person_id: (left_on, there) for person_id, left_on, there in await tx.execute(asked)}
    if len(known) < len(people):
        raise wrong("person_ids", "unknown_id")
    fitness = await fitness_of(tx, people, {rule})
    begins_at = min(max(shift.starts_at, now()), shift.ends_at)
    spans = [Span(uuid4(), one, begins_at, shift.ends_at, "assignment") for one in people]
    last_day = shift.ends_at.astimezone(zone()).date()
    answers = []
    for person_id, booked in zip(people, await judge(tx, spans), strict=True):
        left_on, there = known[person_id]
        reasons = [Reason("on_it_already")] if there else []
        reasons += [Reason("has_left")] if left_on is not None and left_on <= last_day else []
        hard = [one for one in booked if one.code not in OVERRIDABLE]
        soft = [one for one in booked if one.code in OVERRIDABLE]
        answers.append([*reasons, *hard, *unfit(fitness, person_id, rule, begins_at, shift.ends_at), *soft])
    return answers


async def _free_places(tx: AsyncSession, shift: Shift, role: str) -> int:
    """How many places of a role nobody holds; the shift's row is held, so that nobody else takes them meanwhile."""
    held = and_(Assignment.shift_id == ShiftRole.shift_id, Assignment.role == ShiftRole.name, Assignment.state.in_(HOLDS_PLACE))
    wanted = select(ShiftRole.head_count, Assignment.id).outerjoin(Assignment, held)
    async with as_system(tx):
        rows = (await tx.execute(wanted.where(ShiftRole.shift_id == shift.id, ShiftRole.name == role))).all()
    if not rows:
        raise wrong("role", "no_role")
    return int(rows[0][0]) - sum(1 for row in rows if row[1] is not None)


def _assignment(shift: Shift, role: str, person_id: UUID, manner: Manner, *, overridden: bool) -> Assignment:
    here, at = manner.state == "checked_in", now()
    by = manner.by if overridden else None
    return Assignment(
        id=uuid4(),
        shift_id=shift.id,
        person_id=person_id,
        role=role,
        state=manner.state,
        starts_at=shift.starts_at,
        ends_at=shift.ends_at,
        walk_on=here,
        late=False,
        asked_at=at,
        answered_at=None if manner.state == "proposed" else at,
        override_reason=manner.override if overridden else None,
        override_by=by.id if by else None,
        override_by_name=by.name if by else None,
        checked_in_at=at if here else None,
        version=1,
    )


async def placed_shown(read: AsyncSession, outcome: Outcome) -> Placed:
    """What came of it, with names; where one was asked for and could not be placed, that is the refusal."""
    if len(outcome.refused) == 1 and not outcome.placed:
        [(person_id, reason)] = outcome.refused
        raise Refused(reason.code, 409, {**reason.params, "person_id": str(person_id)})
    counted = Counter(one.person_id for one in outcome.placed) + Counter(person_id for person_id, _ in outcome.refused)
    names = await brief_people(read, counted)
    return Placed(
        done=[assignment_shown(one, names, read.info["caller"]) for one in outcome.placed],
        refused=[Unplaced(person=brief(names, one), code=reason.code, params=dict(reason.params)) for one, reason in outcome.refused],
    )


async def one_placed(read: AsyncSession, outcome: Outcome) -> AssignmentShown:
    """The one who was placed."""
    return (await placed_shown(read, outcome)).done[0]
