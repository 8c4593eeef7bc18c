"""Fitness: what each rule set asks, who meets it from when until when, and what would put it right."""

from typing import Annotated

from pydantic import Field

from services.personnel.acts import looked
from services.personnel.reads import fitness_of, person_of
from services.personnel.rules.fitness import RULE_SETS
from services.personnel.shapes import FitnessShown, PersonId, ProgrammeCode, StandingCode
from shared.auth import Caller, require, signed_in
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

    code: str = Field(examples=["testing_point"])
    names: dict[str, str] = Field(examples=[{"zh-Hans": "核酸采样点", "en": "Testing point"}])
    needs: list[NeedShown]


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
    found = await fitness_of(read, person.id)
    return Listed(items=found, total=len(found))


@fitness.get("/people/{person_id}/fitness")
async def show_fitness(person_id: PersonId, caller: Annotated[Caller, require("health.read")], tx: Tx) -> Listed[FitnessShown]:
    """What somebody is fit for, and why not. The look is recorded. Refused: `not_found` (also: not within your reach)."""
    if not caller.reach("health.read").holds(person_id):
        raise Refused("not_found", 404)
    person, _ = await person_of(tx, person_id)
    found = await fitness_of(tx, person.id)
    looked(tx, "record", [person.id])
    return Listed(items=found, total=len(found))
