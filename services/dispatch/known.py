"""What others told dispatch, and what follows: whoever left, is not fit any more or cannot be had is off the shifts to come."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, bindparam, case, delete, null, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.dispatch.acts import Because, release_assignments
from services.dispatch.ranking import Fitness, fitness_of, unfit
from services.dispatch.tables import (
    Assignment,
    KnownDepartment,
    KnownFitness,
    KnownPerson,
    Operation,
    SampleCount,
    Shift,
    Site,
    Team,
    TeamMember,
    TimeCorrection,
)
from shared.bookings import Span, hold_time_of, release_all_of, taken
from shared.clock import now, zone
from shared.events import FitnessChanged, PersonState
from shared.known import GONE, blank, known_people, remember
from shared.rest import UNAVAILABLE


async def free_who_cannot(tx: AsyncSession, person_ids: Collection[UUID]) -> None:
    """Of these people's shifts to come, release those that they cannot do any more: each place is open, with whom to ask instead."""
    if person_ids:
        await hold_time_of(tx, *person_ids)
        await _free_held(tx, person_ids)


async def _free_held(tx: AsyncSession, person_ids: Collection[UUID]) -> None:
    coming = select(Assignment, Operation.requirement).join(Shift, Shift.id == Assignment.shift_id)
    coming = coming.join(Operation, Operation.id == Shift.operation_id)
    whose = Assignment.person_id == any_(bindparam("people", list(person_ids), ARRAY(Uuid)))
    coming = coming.where(whose, Assignment.state.in_(("proposed", "confirmed")), Assignment.ends_at > now())
    ahead = (await tx.execute(coming)).all()
    if not ahead:
        return
    shifts = {row.shift_id for row, _ in ahead}
    await tx.execute(select(Shift.id).where(Shift.id.in_(shifts)).order_by(Shift.id).with_for_update())
    held = (await tx.execute(coming.order_by(Assignment.starts_at).execution_options(populate_existing=True))).all()
    people = {row.person_id for row, _ in held}
    here = await tx.execute(select(KnownPerson.id, KnownPerson.left_on).where(KnownPerson.id.in_(people)))
    left = dict(here.all())
    fitness = await fitness_of(tx, people, {rule for _, rule in held})
    away = await taken(tx, people, now(), max(row.ends_at for row, _ in held))
    unavailable = [span for span in away if span.kind == UNAVAILABLE]
    why: dict[UUID, Because] = {}
    gone: list[Assignment] = []
    for row, rule in held:
        left_on = left.get(row.person_id)
        if row.person_id not in left or (left_on is not None and left_on <= row.ends_at.astimezone(zone()).date()):
            why[row.id] = "left"
        elif because := _cannot(row, rule, fitness, unavailable):
            why[row.id] = because
        if row.id in why:
            gone.append(row)
    await release_assignments(tx, gone, why)


def _cannot(row: Assignment, rule: str | None, fitness: Fitness, unavailable: Sequence[Span]) -> Because | None:
    begins_at: datetime = max(row.starts_at, now())
    if row.override_reason is None and unfit(fitness, row.person_id, rule, begins_at, row.ends_at):
        return "unfit"
    met = any(one.person_id == row.person_id and one.starts_at < row.ends_at and begins_at < one.ends_at for one in unavailable)
    return "unavailable" if met else None


async def _free_who_left(tx: AsyncSession, people: Sequence[PersonState]) -> None:
    await free_who_cannot(tx, [one.id for one in people if one.left_on is not None])


async def _forget(tx: AsyncSession, person_ids: Sequence[UUID]) -> None:
    """Their keep time is over: what they gave as a reason goes, and where they led; who was on which shift is a bare id from now on."""
    await tx.execute(delete(KnownPerson).where(KnownPerson.id.in_(person_ids)))
    await free_who_cannot(tx, person_ids)
    await tx.execute(delete(KnownFitness).where(KnownFitness.person_id.in_(person_ids)))
    await tx.execute(delete(TeamMember).where(TeamMember.person_id.in_(person_ids)))
    await hold_time_of(tx, *person_ids)
    await release_all_of(tx, person_ids)
    for column in (Team.leader_id, Team.deputy_id, Site.leader_id, Shift.leader_id):
        await blank(tx, update(column.class_).where(column.in_(person_ids)).values({column.key: None}))
    said = or_(Assignment.reason.is_not(None), Assignment.override_reason.is_not(None))
    why = {"reason": null(), "override_reason": case((Assignment.override_reason.is_not(None), GONE))}
    await blank(tx, update(Assignment).where(Assignment.person_id.in_(person_ids), said).values(why))
    await blank(tx, update(Assignment).where(Assignment.override_by.in_(person_ids)).values(override_by_name=GONE))
    theirs = TimeCorrection.assignment_id.in_(select(Assignment.id).where(Assignment.person_id.in_(person_ids)))
    await blank(tx, update(TimeCorrection).where(theirs).values(reason=GONE))
    await blank(tx, update(TimeCorrection).where(TimeCorrection.corrected_by.in_(person_ids)).values(corrected_by_name=GONE))
    await blank(tx, update(SampleCount).where(SampleCount.entered_by.in_(person_ids)).values(entered_by=None, entered_by_name=""))


known = known_people(KnownPerson, KnownDepartment, {"fitness": KnownFitness}, changed=_free_who_left, removed=_forget)


@known.on(FitnessChanged)
async def remember_fitness(event: FitnessChanged, tx: AsyncSession) -> None:
    """Who is fit for what; whoever is not any more is off the shifts to come that ask for it. Their time is held first, so that nobody is
    asked for a shift by what was known before."""
    await hold_time_of(tx, *{one.person_id for one in event.fitness})
    await remember(tx, KnownFitness, event.fitness, event.telling, key=("person_id", "rule"))
    await _free_held(tx, {one.person_id for one in event.fitness})
