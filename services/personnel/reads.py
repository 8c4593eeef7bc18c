"""Questions that several slices ask: who is it, how do they stand, what is on record."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, bindparam, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from services.personnel.rules.doses import Given, judge
from services.personnel.rules.fitness import RULE_SETS, lacking
from services.personnel.rules.programmes import PROGRAMMES
from services.personnel.rules.standing import Standing as Computed
from services.personnel.shapes import (
    DepartmentBrief,
    DoseShown,
    ExemptionShown,
    FitnessShown,
    LackShown,
    PersonBrief,
    PersonShown,
    ProgrammeRecord,
    StandingShown,
    StatementShown,
)
from services.personnel.tables import Department, Dose, Exemption, Fitness, Person, Standing, Statement
from shared.auth import Caller
from shared.below import with_everything_below
from shared.clock import now, today
from shared.refusals import Refused

DEFAULT_PROGRAMME = "covid19"


def on_strength(on: date) -> ColumnElement[bool]:
    """The head-count of a day: who had joined by then and had not left; a date that is not known does not exclude."""
    return and_(or_(Person.joined_on.is_(None), Person.joined_on <= on), or_(Person.left_on.is_(None), Person.left_on > on))


def stands(on: date, programme: str = DEFAULT_PROGRAMME) -> ColumnElement[bool]:
    """Joins each person to the one standing that holds on a date."""
    return and_(Standing.person_id == Person.id, Standing.programme == programme, Standing.from_on <= on, Standing.until_on > on)


URGED = ("due", "overdue", "not_started", "unknown")


def to_be_urged(*codes: str) -> ColumnElement[bool]:
    """Who is to be urged, of those joined to their standing: how they stand says so, and they are of age or have begun."""
    too_young = and_(Standing.notes.contains(["under_age"]), Standing.valid_count == 0)
    return and_(Standing.code.in_((*URGED, *codes)), ~too_young)


def within(caller: Caller, action: str) -> ColumnElement[bool]:
    """The people of the departments that an action reaches; one's own row alone is no reason to be counted in somebody else's."""
    reach = caller.reach(action)
    return true() if reach.everything else Person.department_id.in_(with_everything_below(Department, reach.departments))


async def brief_people(read: AsyncSession, ids: Collection[UUID]) -> dict[UUID, PersonBrief]:
    """The names of these people."""
    if not ids:
        return {}
    found = await read.execute(select(Person.id, Person.name).where(Person.id.in_(ids)))
    return {person_id: PersonBrief(id=person_id, name=name) for person_id, name in found}


# what is asked whenever a person or their record is opened, composed once
_PERSON: Any = bindparam("of_person")
_ON: Any = bindparam("on_date")
_WHO = select(Person, Department).join(Department, Department.id == Person.department_id).where(Person.id == _PERSON)
_WHO_HELD = _WHO.with_for_update(of=Person)
_DOSES = select(Dose).where(Dose.person_id == _PERSON)
_EXEMPTIONS = select(Exemption).where(Exemption.person_id == _PERSON).order_by(Exemption.recorded_at.desc())
_STATEMENTS = select(Statement).where(Statement.person_id == _PERSON).order_by(Statement.recorded_at.desc())
_STANDINGS = select(Standing).where(Standing.person_id == _PERSON, Standing.from_on <= _ON, Standing.until_on > _ON)


async def person_of(tx: AsyncSession, person_id: UUID, *, hold: bool = False) -> tuple[Person, Department]:
    """A person within the caller's reach and their department; `hold` keeps the row until the transaction ends. Refused: `not_found`."""
    found = (await tx.execute(_WHO_HELD if hold else _WHO, {"of_person": person_id})).one_or_none()
    if found is None:
        raise Refused("not_found", 404)
    return found[0], found[1]


def person_shown(person: Person, department: Department, caller: Caller) -> PersonShown:
    """A person as this caller may see them: contacts and birth date are not for everybody."""
    inside = caller.reach("contact.read").holds(person.id)
    return PersonShown(
        id=person.id,
        number=person.number,
        name=person.name,
        department=DepartmentBrief.model_validate(department),
        employment=person.employment,  # type: ignore[arg-type]
        phone=person.phone if inside else None,
        email=person.email if inside else None,
        born_on=person.born_on if inside else None,
        joined_on=person.joined_on,
        left_on=person.left_on,
        version=person.version,
    )


def standing_shown(found: Standing | Computed, programme: str, on: date) -> StandingShown:
    """A standing as of a date: one on record, or one that was computed just now."""
    return StandingShown(
        programme=programme,  # type: ignore[arg-type]
        code=found.code,  # type: ignore[arg-type]
        on=on,
        valid_count=found.valid_count,
        needed_count=found.needed_count,
        next_from_on=found.next_from_on,
        next_until_on=found.next_until_on,
        exempt_until_on=found.exempt_until_on,
        notes=list(found.notes),
    )


def shown_exemption(row: Exemption, person: PersonBrief, caller: Caller, department: DepartmentBrief | None = None) -> ExemptionShown:
    """An exemption as this caller may see it: a leader decides by issuer, validity and certificate, without the reason.
    What another decider noted may repeat it, and is kept back likewise."""
    inside = caller.reach("health.read").holds(row.person_id)
    return ExemptionShown(
        id=row.id,
        person=person,
        department=department,
        programme=row.programme,  # type: ignore[arg-type]
        kind=row.kind,  # type: ignore[arg-type]
        from_on=row.from_on,
        until_on=row.until_on,
        issuer=row.issuer,
        certificate=row.certificate,
        reason=row.reason if inside else None,
        state=row.state,  # type: ignore[arg-type]
        recorded_by=row.recorded_by_name,
        recorded_at=row.recorded_at,
        decided_by=row.decided_by_name,
        decided_at=row.decided_at,
        decision_note=row.decision_note if inside or (row.decided_by and row.decided_by == caller.id) else None,
        may_decide=may_decide(row, caller),
    )


def may_decide(row: Exemption, caller: Caller) -> bool:
    """Another person decides: neither who recorded the exemption nor whom it is for."""
    allowed = caller.reach("exemption.decide").everything and row.state == "pending"
    return allowed and caller.person_id is not None and caller.id != row.recorded_by and caller.person_id != row.person_id


def judged(programme: str, doses: Sequence[Dose], born_on: date | None) -> list[DoseShown]:
    """The doses of one programme with what the rule says of each; a superseded or withdrawn one counts for nothing."""
    rule = PROGRAMMES[programme]
    current = [Given(row.id, row.product, row.given_on) for row in doses if not row.superseded and not row.withdrawn]
    verdicts = {one.id: one for one in judge(rule, current, born_on)}
    products = {product.code: product for product in rule.products}
    shown = []
    for row in sorted(doses, key=lambda one: (one.given_on, one.entered_at, str(one.id))):
        verdict = verdicts.get(row.id)
        known = products.get(row.product)
        shown.append(
            DoseShown(
                id=row.id,
                number=verdict.number if verdict else None,
                product=row.product,
                product_names=dict(known.names) if known else {"en": row.product, "zh-Hans": row.product},
                given_on=row.given_on,
                lot=row.lot,
                place=row.place,
                source=row.source,
                note=row.note,
                entered_by=row.entered_by_name,
                entered_at=row.entered_at,
                valid=bool(verdict and verdict.valid),
                reason=verdict.reason if verdict else ("withdrawn" if row.withdrawn else "superseded"),
                superseded=row.superseded,
                withdrawn=row.withdrawn,
                corrects_id=row.corrects_id,
            )
        )
    return shown


async def standings_of(read: AsyncSession, person_id: UUID, on: date) -> dict[str, Standing]:
    """Programme -> how a person stands in it on a date; in one that has nothing of them on record they do not stand."""
    return {row.programme: row for row in await read.scalars(_STANDINGS, {"of_person": person_id, "on_date": on})}


async def fitness_of(read: AsyncSession, person_id: UUID, known: Mapping[str, Standing] | None = None) -> list[FitnessShown]:
    """What somebody is fit for, rule set by rule set, and what would put it right. `known`: how they stand today, where it was read."""
    kept = {row.rule: row for row in await read.scalars(select(Fitness).where(Fitness.person_id == person_id))}
    standings, at = await standings_of(read, person_id, today()) if known is None else known, now()
    items = []
    for rule, needs in RULE_SETS.items():
        row = kept.get(rule)
        begin, end = (row.fit_from, row.fit_until) if row else (None, None)
        is_fit = not needs or (begin is not None and begin <= at and (end is None or at < end))
        lacks = [] if is_fit else [LackShown.model_validate(one) for one in lacking(rule, standings)]
        items.append(FitnessShown(rule=rule, fit=is_fit, fit_from=begin, fit_until=end, lacking=lacks))
    return items


async def record_of(
    read: AsyncSession, person: Person, caller: Caller, on: date, known: Sequence[Standing] | None = None
) -> list[ProgrammeRecord]:
    """Everything on record for a person, by programme. `known`: their standings of that day, where they were read before."""
    whose = {"of_person": person.id}
    doses = list(await read.scalars(_DOSES, whose))
    exemptions = list(await read.scalars(_EXEMPTIONS, whose))
    statements = list(await read.scalars(_STATEMENTS, whose))
    standings = await read.scalars(_STANDINGS, {**whose, "on_date": on}) if known is None else known
    brief = PersonBrief(id=person.id, name=person.name)
    return [
        ProgrammeRecord(
            programme=row.programme,  # type: ignore[arg-type]
            standing=standing_shown(row, row.programme, on),
            doses=judged(row.programme, [one for one in doses if one.programme == row.programme], person.born_on),
            exemptions=[shown_exemption(one, brief, caller) for one in exemptions if one.programme == row.programme],
            statements=[shown_statement(one) for one in statements if one.programme == row.programme],
        )
        for row in sorted(standings, key=lambda one: one.programme)
    ]


def shown_statement(row: Statement) -> StatementShown:
    """A statement as it was recorded."""
    return StatementShown(
        id=row.id,
        programme=row.programme,  # type: ignore[arg-type]
        kind=row.kind,  # type: ignore[arg-type]
        on=row.on,
        note=row.note,
        recorded_by=row.recorded_by_name,
        recorded_at=row.recorded_at,
    )
