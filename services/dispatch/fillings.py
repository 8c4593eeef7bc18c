"""Fillings: whole shifts or a whole day filled from a team with the best-ranked who are fit, free and rested; shown before it is done."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Self
from uuid import UUID, uuid4

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError
from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.dispatch.acts import fill_places, tell_assignments
from services.dispatch.ranking import fitness_of, spans_of, standings_of, unfit
from services.dispatch.reads import brief, brief_people
from services.dispatch.rules.patterns import day_bounds
from services.dispatch.rules.ranking import Need, Plan, fill
from services.dispatch.shapes import PersonBrief, SiteBrief, Unplaced
from services.dispatch.tables import HOLDS_PLACE, Assignment, Operation, Shift, ShiftRole, Site, Team, TeamMember
from shared.auth import Caller, require
from shared.bookings import Span, book, hold_time_of, limits
from shared.clock import now, zone
from shared.db import Tx, as_system
from shared.refusals import Reason, Refused, wrong
from shared.service import Slice
from shared.story import example_id
from shared.web import Body, Shown

fillings = Slice(prefix="/assignments", tags=["assignments"])


class Filling(Body):
    """Which shifts (named, or those of an operation's local day) to fill from which team; without one from all of them. `preview` shows
    the plan and does nothing; `plan` is the key of the plan that was shown: another one is then not carried out."""

    shift_ids: Annotated[list[UUID], Field(max_length=200)] = []
    operation_id: UUID | None = None
    on: date | None = None
    team_id: UUID | None = None
    preview: bool = True
    plan: Annotated[str, Field(max_length=64)] | None = None

    model_config = Body.model_config | {
        "json_schema_extra": {
            "example": {"operation_id": example_id("operation"), "on": "2021-08-05", "team_id": example_id("team"), "preview": True}
        }
    }

    @model_validator(mode="after")
    def _says_which(self) -> Self:
        if not self.shift_ids and (self.operation_id is None or self.on is None):
            raise PydanticCustomError("say_which", "name shifts, or an operation and a day")
        return self


class Picked(Shown):
    """Somebody the plan puts on a role, with their hours in the 28 days before the first shift of the plan."""

    person: PersonBrief
    hours_28_days: float


class FilledRole(Shown):
    """A role of a shift as it would be: `taken_count` held it before, `missing_count` stay empty."""

    name: str
    head_count: int = Field(examples=[2])
    taken_count: int = Field(examples=[1])
    people: list[Picked]
    missing_count: int = Field(examples=[0])


class FilledShift(Shown):
    """A shift of the plan."""

    shift_id: UUID
    site: SiteBrief
    starts_at: datetime
    ends_at: datetime
    roles: list[FilledRole]


class Filled(Shown):
    """The plan, or what was done of it: which places get whom, and who of the team is on none, with the first reason against it."""

    plan: str = Field(examples=["4be1c07a95d2f386"])
    done: bool
    shifts: list[FilledShift]
    asked_count: int = Field(examples=[1])
    missing_count: int = Field(examples=[0])
    left_out: list[Unplaced]


@dataclass(frozen=True, slots=True)
class _Place:
    """A role of a shift to fill."""

    shift: Shift
    site: Site
    rule: str | None
    role: str
    head_count: int
    taken: int

    @property
    def need(self) -> Need:
        return Need(self.shift.id, self.role, max(self.head_count - self.taken, 0), self.shift.starts_at, self.shift.ends_at, self.taken)


@fillings.post("/filling")
async def fill_shifts(wish: Filling, caller: Annotated[Caller, require("assignment.confirm")], tx: Tx) -> Filled:
    """Fill shifts to come from a team, each place with the best-ranked who is fit, free and rested; where there are too few, one of each
    role everywhere before the second of one anywhere. Shown first, then the same plan is
    carried out and everybody is asked. Refused: `plan_changed` when `plan` is not what would be done now, with what would; 422
    `unknown_id`, `no_shifts` (none to come among them)."""
    people = await _team(tx, wish.team_id)
    if not wish.preview and people:
        await hold_time_of(tx, *people)
    places = await _places(tx, wish, hold=not wish.preview)
    standings = await standings_of(tx, people, min(one.shift.starts_at for one in places))
    booked = await spans_of(tx, people, min(one.shift.starts_at for one in places), max(one.shift.ends_at for one in places))
    rules = {one.shift.id: one.rule for one in places}
    fitness = await fitness_of(tx, people, set(rules.values()))

    declined = await _declined(tx, people, rules)

    def against(person_id: UUID, need: Need) -> Sequence[Reason]:
        if (need.shift_id, person_id) in declined:
            return [Reason("declined")]
        return unfit(fitness, person_id, rules[need.shift_id], need.starts_at, need.ends_at)

    plan = fill([one.need for one in places], standings, booked, against, limits())
    key = _key(plan)
    hours = {one.person_id: one.hours for one in standings}
    names = await brief_people(tx, people, numbers=True)
    shown = _shown(key, places, plan, names, hours, done=not wish.preview)
    if wish.preview:
        return shown
    if wish.plan is not None and wish.plan != key:
        raise Refused("plan_changed", 409, {"current": shown.model_copy(update={"done": False}).model_dump(mode="json")})
    placed = [_proposed(need, person_id) for need, person_id in plan.picked]
    await book(tx, *(Span(one.id, one.person_id, one.starts_at, one.ends_at, "assignment") for one in placed))
    tx.add_all(placed)
    await tx.flush()
    await fill_places(tx, placed)
    await tell_assignments(tx, placed)
    return shown


async def _team(tx: AsyncSession, team_id: UUID | None) -> list[UUID]:
    if team_id is None:
        async with as_system(tx):
            return list(await tx.scalars(select(TeamMember.person_id).distinct()))
    asked = select(Team.id, TeamMember.person_id).outerjoin(TeamMember, TeamMember.team_id == Team.id).where(Team.id == team_id)
    async with as_system(tx):
        rows = (await tx.execute(asked)).all()
    if not rows:
        raise wrong("team_id", "unknown_id")
    return [row[1] for row in rows if row[1]]


async def _declined(tx: AsyncSession, people: Sequence[UUID], shift_ids: Iterable[UUID]) -> set[tuple[UUID, UUID]]:
    """Who said of which of these shifts that they cannot come: no plan asks them again."""
    said = select(Assignment.shift_id, Assignment.person_id).where(Assignment.state == "declined", Assignment.person_id.in_(people))
    async with as_system(tx):
        return {(shift_id, person_id) for shift_id, person_id in await tx.execute(said.where(Assignment.shift_id.in_(shift_ids)))}


async def _places(tx: AsyncSession, wish: Filling, *, hold: bool) -> list[_Place]:
    """The roles of the shifts to come, in order of time; `hold` keeps the rows of the shifts until the transaction ends."""
    which: list[ColumnElement[bool]] = [Shift.id.in_(wish.shift_ids)] if wish.shift_ids else []
    if not which and wish.operation_id and wish.on:
        start, end = day_bounds(wish.on, zone())
        which = [Shift.operation_id == wish.operation_id, Shift.starts_at >= start, Shift.starts_at < end]
    which += [Shift.state != "cancelled", Shift.starts_at > now()]
    if hold:
        await tx.execute(select(Shift.id).where(*which).order_by(Shift.id).with_for_update())
    held = and_(Assignment.shift_id == ShiftRole.shift_id, Assignment.role == ShiftRole.name, Assignment.state.in_(HOLDS_PLACE))
    counted = (
        select(ShiftRole.shift_id, ShiftRole.name, ShiftRole.head_count, ShiftRole.place_in_list, func.count(Assignment.id).label("taken"))
        .outerjoin(Assignment, held)
        .where(ShiftRole.shift_id.in_(select(Shift.id).where(*which)))
        .group_by(ShiftRole.shift_id, ShiftRole.name, ShiftRole.head_count, ShiftRole.place_in_list)
        .subquery()
    )
    wanted = select(Shift, Site, Operation.requirement, counted.c.name, counted.c.head_count, counted.c.taken)
    wanted = wanted.join(Site, Site.id == Shift.site_id).join(Operation, Operation.id == Shift.operation_id)
    wanted = wanted.join(counted, counted.c.shift_id == Shift.id)
    by = (Shift.starts_at, Shift.ends_at, Site.place_in_list, Shift.id, counted.c.place_in_list)
    async with as_system(tx):
        rows = (await tx.execute(wanted.order_by(*by))).all()
    if not rows:
        raise wrong("shift_ids" if wish.shift_ids else "on", "no_shifts")
    return [_Place(*row) for row in rows]


def _key(plan: Plan) -> str:
    """By which the plan is known again: who would stand where."""
    said = "\n".join(f"{need.shift_id} {need.role} {person_id}" for need, person_id in plan.picked)
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def _shown(
    key: str, places: Sequence[_Place], plan: Plan, names: Mapping[UUID, PersonBrief], hours: Mapping[UUID, float], *, done: bool
) -> Filled:
    picked: dict[tuple[UUID, str], list[Picked]] = {}
    for need, person_id in plan.picked:
        one = Picked(person=brief(names, person_id), hours_28_days=round(hours[person_id], 1))
        picked.setdefault((need.shift_id, need.role), []).append(one)
    shifts: dict[UUID, FilledShift] = {}
    for place in places:
        shift, at = place.shift, (place.shift.id, place.role)
        row = shifts.setdefault(
            shift.id,
            FilledShift(
                shift_id=shift.id, site=SiteBrief.model_validate(place.site), starts_at=shift.starts_at, ends_at=shift.ends_at, roles=[]
            ),
        )
        counts: dict[str, Any] = {"head_count": place.head_count, "taken_count": place.taken, "missing_count": plan.missing.get(at, 0)}
        row.roles.append(FilledRole(name=place.role, people=picked.get(at, []), **counts))
    left_out = [Unplaced(person=brief(names, one), code=why.code, params=dict(why.params)) for one, why in plan.against.items()]
    return Filled(
        plan=key,
        done=done,
        shifts=list(shifts.values()),
        asked_count=len(plan.picked),
        missing_count=sum(plan.missing.values()),
        left_out=left_out,
    )


def _proposed(need: Need, person_id: UUID) -> Assignment:
    return Assignment(
        id=uuid4(),
        shift_id=need.shift_id,
        person_id=person_id,
        role=need.role,
        state="proposed",
        starts_at=need.starts_at,
        ends_at=need.ends_at,
        walk_on=False,
        late=False,
        asked_at=now(),
        version=1,
    )
