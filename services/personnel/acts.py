"""What several slices write, given tx: standings computed anew, people and looks told."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Date, bindparam, cast, literal, null, or_, select, union_all, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.personnel.rules import names
from services.personnel.rules.fitness import RULE_SETS, begins_at, fit, rules_that_need
from services.personnel.rules.programmes import PROGRAMMES
from services.personnel.rules.standing import Exempt, Given, Span, timeline
from services.personnel.rules.standing import Standing as How
from services.personnel.rules.standing import Statement as Said
from services.personnel.tables import Department, Dose, Exemption, Fitness, Person, Standing, Statement
from shared.auth import Caller
from shared.bookings import Span as Time
from shared.bookings import block, unblock
from shared.clock import now, zone
from shared.db import as_system
from shared.due import later, never
from shared.events import (
    PEOPLE_IN_ONE,
    ContactsChanged,
    ContactState,
    DepartmentsChanged,
    DepartmentState,
    FitnessChanged,
    FitnessState,
    HealthRecordChanged,
    PeopleChanged,
    PersonState,
    ProofsChanged,
    ProofState,
    RecordLooked,
)
from shared.messaging.outbox import publish, publish_all
from shared.settings import settings


def name_person(person: Person) -> None:
    """Set what is derived from name and number: order and search."""
    person.sort_key = names.sort_key(person.name)
    person.findable = names.findable(person.name, person.number)
    person.pieces = names.pieces(person.name, person.number)


def state_of(person: Person) -> PersonState:
    """What others may know of a person."""
    return PersonState(
        id=person.id,
        number=person.number,
        name=person.name,
        sort_key=person.sort_key,
        department_id=person.department_id,
        employment=person.employment,
        left_on=person.left_on,
        version=person.version,
    )


def tell_person(tx: AsyncSession, person: Person) -> None:
    """Tell that a person was added or changed."""
    publish(tx, PeopleChanged(people=[state_of(person)]))


async def tell_people(tx: AsyncSession, states: Sequence[PersonState], telling: UUID | None = None) -> None:
    """Tell many people, 200 in one event."""
    chunks = (states[start : start + PEOPLE_IN_ONE] for start in range(0, len(states), PEOPLE_IN_ONE))
    await publish_all(tx, [PeopleChanged(people=list(chunk), telling=telling) for chunk in chunks])


def contact_state(person: Person) -> ContactState:
    """Where a person is reached, for notifications alone."""
    return ContactState(person_id=person.id, phone=person.phone, email=person.email, version=person.version)


async def tell_contacts(tx: AsyncSession, states: Sequence[ContactState], telling: UUID | None = None) -> None:
    """Tell notifications where people are reached, and identity the last four digits of their numbers; 200 in one event."""
    chunks = [states[start : start + PEOPLE_IN_ONE] for start in range(0, len(states), PEOPLE_IN_ONE)]
    await publish_all(tx, [ContactsChanged(contacts=list(chunk), telling=telling) for chunk in chunks])
    await publish_all(tx, [ProofsChanged(proofs=[_proof(one) for one in chunk], telling=telling) for chunk in chunks])


def _proof(contact: ContactState) -> ProofState:
    last4 = contact.phone[-4:] if contact.phone else None
    return ProofState.model_construct(person_id=contact.person_id, phone_last4=last4, version=contact.version)


def fitness_state(row: Any) -> FitnessState:
    """From when until when somebody is fit, never why."""
    return FitnessState.model_construct(
        person_id=row.person_id, rule=row.rule, fit_from=row.fit_from, fit_until=row.fit_until, version=row.version
    )


async def tell_fitness(tx: AsyncSession, states: Sequence[FitnessState], telling: UUID | None = None) -> None:
    """Tell who is fit for what, 200 in one event."""
    chunks = (states[start : start + PEOPLE_IN_ONE] for start in range(0, len(states), PEOPLE_IN_ONE))
    await publish_all(tx, [FitnessChanged(fitness=list(chunk), telling=telling) for chunk in chunks])


def department_state(department: Department) -> DepartmentState:
    """What others may know of a department."""
    return DepartmentState.model_validate(department, from_attributes=True)


async def tell_departments(tx: AsyncSession, departments: Sequence[Department], telling: UUID | None = None) -> None:
    """Tell that departments were added or changed."""
    states = [department_state(one) for one in departments]
    chunks = (states[start : start + PEOPLE_IN_ONE] for start in range(0, len(states), PEOPLE_IN_ONE))
    await publish_all(tx, [DepartmentsChanged(departments=list(chunk), telling=telling) for chunk in chunks])


# what is asked and written at every change of a record, composed once; standings as rows, without the weight of objects
_STANDING: Any = Standing.__table__
_PERSON: Any = bindparam("of_person")
_PROGRAMME: Any = bindparam("of_programme")
_DOSES = select(Dose).where(Dose.person_id == _PERSON, Dose.programme == _PROGRAMME)
_FORGET = _STANDING.delete().where(_STANDING.c.person_id == _PERSON, _STANDING.c.programme == _PROGRAMME)
_REMEMBER = _STANDING.insert()
_EXEMPT_AND_SAID: Any = union_all(
    select(Exemption.kind, Exemption.from_on, Exemption.until_on, literal(True).label("exempt")).where(
        Exemption.person_id == _PERSON, Exemption.programme == _PROGRAMME, Exemption.state == "approved"
    ),
    select(Statement.kind, Statement.on, cast(null(), Date), literal(False)).where(
        Statement.person_id == _PERSON, Statement.programme == _PROGRAMME
    ),
)


async def compute_standing(tx: AsyncSession, person: Person, programme: str) -> tuple[list[Dose], tuple[Span, ...]]:
    """Compute a person's standing anew and tell that the record changed; answers every dose on record and the spans. Hold the person's
    row before."""
    await tx.flush()
    whose = {"of_person": person.id, "of_programme": programme}
    async with as_system(tx):
        doses = list(await tx.scalars(_DOSES, whose))
        rows: Any = (await tx.execute(_EXEMPT_AND_SAID, whose)).all()
        spans = timeline(
            PROGRAMMES[programme],
            born_on=person.born_on,
            given=[Given(one.id, one.product, one.given_on) for one in doses if not one.superseded and not one.withdrawn],
            exempt=[Exempt(row[0], row[1], row[2]) for row in rows if row[3]],
            statements=[Said(row[0], row[1]) for row in rows if not row[3]],
        )
        await tx.execute(_FORGET, whose)
        await tx.execute(_REMEMBER, [span_row(person.id, programme, span) for span in spans])
        if rules := rules_that_need(programme):
            await _compute_fitness(tx, person.id, rules, {programme: spans})
    publish(tx, HealthRecordChanged(person_ids=[person.id]))
    return doses, spans


_FITNESS: Any = Fitness.__table__
_OTHER_SPANS = select(Standing.programme, Standing.from_on, Standing.until_on, Standing.code).where(Standing.person_id == _PERSON)


async def _compute_fitness(tx: AsyncSession, person_id: UUID, rules: Sequence[str], standings: Mapping[str, Sequence[Span]]) -> None:
    """Compute anew what somebody is fit for, and tell it where it changed. Of other programmes what is on record is asked."""
    if others := {need.programme for rule in rules for need in RULE_SETS[rule]} - standings.keys():
        found: dict[str, list[Span]] = {}
        asked: Any = _OTHER_SPANS.where(Standing.programme.in_(others)).order_by(Standing.programme, Standing.from_on)
        for name, from_on, until_on, code in await tx.execute(asked, {"of_person": person_id}):
            found.setdefault(name, []).append(Span(from_on, until_on, How(code, 0, 0)))
        standings = {**standings, **found}
    fits = [fit(rule, standings) for rule in rules]
    changed: list[Any] = []
    is_fit = [
        {"person_id": person_id, "rule": one.rule, "version": 1}
        | {"fit_from": begins_at(one.fit_from, zone()), "fit_until": begins_at(one.fit_until, zone())}
        for one in fits
        if one.fit_from
    ]
    if is_fit:
        fresh = insert(_FITNESS).values(is_fit)
        new = fresh.excluded
        differs = or_(_FITNESS.c.fit_from.is_distinct_from(new.fit_from), _FITNESS.c.fit_until.is_distinct_from(new.fit_until))
        kept = fresh.on_conflict_do_update(
            index_elements=["person_id", "rule"],
            set_={"fit_from": new.fit_from, "fit_until": new.fit_until, "version": _FITNESS.c.version + 1},
            where=differs,
        )
        changed += (await tx.execute(kept.returning(*_FITNESS.c))).all()
    if unfit := [one.rule for one in fits if not one.fit_from]:
        was_fit = update(_FITNESS).where(_FITNESS.c.person_id == person_id, _FITNESS.c.rule.in_(unfit), _FITNESS.c.fit_from.is_not(None))
        gone = was_fit.values(fit_from=None, fit_until=None, version=_FITNESS.c.version + 1)
        changed += (await tx.execute(gone.returning(*_FITNESS.c))).all()
    await tell_fitness(tx, [fitness_state(row) for row in changed])


_FOR_GOOD = datetime(9999, 1, 1, tzinfo=UTC)


async def keep_calendars(tx: AsyncSession, left: Mapping[UUID, date | None]) -> None:
    """Whoever has left cannot be had from that day on, nor counted, nor signs in; who has not, can. Hold their time before."""
    await unblock(tx, *left)
    ends = {person_id: begins_at(on, zone()) for person_id, on in left.items() if on}
    await block(tx, *(Time(one, one, end, _FOR_GOOD, "unavailable") for one, end in ends.items() if end and end < _FOR_GOOD))


REMOVAL = "person.remove"
_SECOND_THOUGHTS = timedelta(days=30)


async def plan_removal(tx: AsyncSession, person: Person) -> None:
    """Plan the removal of someone who left for the end of the keep time, or call it off when they did not leave after all. Never sooner
    than 30 days from now: a slip in the date must not cost a record before somebody sees it."""
    if (over_on := removal_on(person)) is None:
        await never(tx, REMOVAL, str(person.id))
        return
    at_midnight = datetime.combine(over_on, time(), zone())
    await later(tx, REMOVAL, str(person.id), max(at_midnight, now() + _SECOND_THOUGHTS))


def removal_on(person: Person) -> date | None:
    """The first day on which nothing is kept any more of someone who left."""
    if person.left_on is None or date.max - person.left_on <= (keep := timedelta(days=settings().left_days)):
        return None
    return person.left_on + keep


def span_row(person_id: UUID, programme: str, span: Span) -> dict[str, Any]:
    """A span of the rule as a row; since ever and for ever are the calendar's first and last day."""
    standing = span.standing
    return {
        "person_id": person_id,
        "programme": programme,
        "from_on": span.from_on or date.min,
        "until_on": span.until_on or date.max,
        "code": standing.code,
        "valid_count": standing.valid_count,
        "needed_count": standing.needed_count,
        "next_from_on": standing.next_from_on,
        "next_until_on": standing.next_until_on,
        "exempt_until_on": standing.exempt_until_on,
        "notes": list(standing.notes),
    }


What = Literal["record", "list", "export", "exemptions", "copy"]


def looked(
    tx: AsyncSession, what: What, person_ids: Iterable[UUID], filter_: Mapping[str, Any] | None = None, count: int | None = None
) -> None:
    """Put a look at health data on record: whose, or which filter and ids. Looking at one's own is no look. An export is on record
    whoever is in it, also when it names nobody; `count` says of how many people it speaks."""
    caller: Caller = tx.info["caller"]
    ids = [one for one in person_ids if one != caller.person_id]
    starts = range(0, len(ids), PEOPLE_IN_ONE) or ([0] if what == "export" else [])
    for start in starts:
        publish(
            tx,
            RecordLooked(
                account_id=caller.account_id,
                client_id=caller.client_id,
                looker_id=caller.person_id,
                looker_name=caller.name,
                what=what,
                person_ids=ids[start : start + PEOPLE_IN_ONE],
                people_count=len(ids) if count is None else count,
                filter=dict(filter_ or {}),
                purpose=caller.purpose or "api",
                looked_at=now(),
            ),
        )
