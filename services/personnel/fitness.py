"""Fitness: what each rule set asks, who meets it from when until when, and what would put it right."""

from datetime import date, datetime
from typing import Annotated

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.personnel.acts import looked
from services.personnel.reads import person_of, standings_of
from services.personnel.rules.fitness import RULE_SETS, lacking
from services.personnel.shapes import PersonId, ProgrammeCode, StandingCode
from services.personnel.tables import Fitness, Person
from shared.auth import Caller, require, signed_in
from shared.clock import now, today
from shared.db import Read, Tx
from shared.fitness import NAMES
from shared.refusals import Refused
from shared.service import Slice
from shared.web import Listed, Shown

fitness = Slice(tags=["fitness"])


class NeedShown(Shown):
    """What a rule set asks: in this programme, to stand so."""

    programme: ProgrammeCode
    standing: StandingCode


class RuleSetShown(Shown):
    """A rule set by its code; one without needs asks nothing."""

    code: str
    names: dict[str, str]
    needs: list[NeedShown]


class LackShown(Shown):
    """What would put it right: so many doses in the programme, from that day on (null: any day). `standing`: how the person stands
    instead; an exemption is no protection, and makes nobody fit."""

    programme: ProgrammeCode
    standing: StandingCode
    dose_count: int
    from_on: date | None


class FitnessShown(Shown):
    """Whether a person is fit now, and from when until when; no end: for good. Both null: not at all, and `lacking` says why."""

    rule: str
    fit: bool
    fit_from: datetime | None
    fit_until: datetime | None
    lacking: list[LackShown]


@fitness.get("/fitness/rules")
async def list_rule_sets(caller: Annotated[Caller, signed_in]) -> Listed[RuleSetShown]:
    """The rule sets, and what each asks."""
    items = [
        RuleSetShown(code=rule, names=dict(NAMES[rule]), needs=[NeedShown.model_validate(need) for need in needs])
        for rule, needs in RULE_SETS.items()
    ]
    return Listed(items=items, total=len(items))


@fitness.get("/fitness/mine")
async def show_my_fitness(caller: Annotated[Caller, require("health.read")], read: Read) -> Listed[FitnessShown]:
    """What the caller is fit for. Refused: `not_found` for an API client or an account without a person."""
    if caller.person_id is None:
        raise Refused("not_found", 404)
    person, _ = await person_of(read, caller.person_id)
    return await _fitness_of(read, person)


@fitness.get("/people/{person_id}/fitness")
async def show_fitness(person_id: PersonId, caller: Annotated[Caller, require("health.read")], tx: Tx) -> Listed[FitnessShown]:
    """What somebody is fit for, and why not. The look is recorded. Refused: `not_found` (also: not within your reach)."""
    if not caller.reach("health.read").holds(person_id):
        raise Refused("not_found", 404)
    person, _ = await person_of(tx, person_id)
    found = await _fitness_of(tx, person)
    looked(tx, "record", [person.id])
    return found


async def _fitness_of(read: AsyncSession, person: Person) -> Listed[FitnessShown]:
    kept = {row.rule: row for row in await read.scalars(select(Fitness).where(Fitness.person_id == person.id))}
    standings, at = await standings_of(read, person.id, today()), now()
    items = []
    for rule, needs in RULE_SETS.items():
        row = kept.get(rule)
        begin, end = (row.fit_from, row.fit_until) if row else (None, None)
        is_fit = not needs or (begin is not None and begin <= at and (end is None or at < end))
        lacks = [] if is_fit else [LackShown.model_validate(one) for one in lacking(rule, standings)]
        items.append(FitnessShown(rule=rule, fit=is_fit, fit_from=begin, fit_until=end, lacking=lacks))
    return Listed(items=items, total=len(items))
