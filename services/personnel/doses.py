"""Doses: recorded as they were given, corrected by a new row that supersedes the old; both stay readable."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Path
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.personnel.acts import compute_standing
from services.personnel.reads import DEFAULT_PROGRAMME, judged, person_of, standing_shown
from services.personnel.rules.products import recognise, suggestions
from services.personnel.rules.programmes import PROGRAMMES
from services.personnel.rules.standing import span_on
from services.personnel.shapes import DoseShown, Lot, Number, ProgrammeCode, StandingShown
from services.personnel.tables import Dose, Person
from shared.auth import Caller, require
from shared.clock import now, today
from shared.db import Tx, as_system
from shared.refusals import Refused, wrong
from shared.service import Slice
from shared.story import example_id
from shared.web import Body, Line, Note, Shown

doses = Slice(prefix="/doses", tags=["doses"])

DoseId = Annotated[UUID, Path(examples=[example_id("dose")])]


class NewDose(Body):
    """A dose that was given. The person by id or by number; the product by code or by a name that people use."""

    person_id: UUID | None = None
    person_number: Number | None = None
    programme: ProgrammeCode = DEFAULT_PROGRAMME  # type: ignore[assignment]
    product: Line
    given_on: date
    lot: Lot | None = None
    place: Line | None = None
    source: Literal["own_record", "reported"] = "own_record"
    note: Note | None = None

    model_config = Body.model_config | {
        "json_schema_extra": {
            "example": {"person_number": "20140312", "product": "北京生物", "given_on": "2021-08-04", "lot": "202107B0417"}
        }
    }


class Correction(Body):
    """What is right instead, or that the dose was never given (`withdrawn`); what is not sent stays as it was. The reason is kept."""

    product: Line | None = None
    given_on: date | None = None
    lot: Lot | None = None
    place: Line | None = None
    withdrawn: bool = False
    note: Note

    model_config = Body.model_config | {"json_schema_extra": {"example": {"given_on": "2021-03-12", "note": "按接种证更正日期"}}}


class DoseRecorded(Shown):
    """The dose as it stands now, and what it did to the person's standing, which like the verdict on the dose speaks of the other doses:
    both are there only for those who may see standings."""

    person_id: UUID
    dose: DoseShown
    standing: StandingShown | None


@doses.post("", status_code=201)
async def record_dose(wish: NewDose, caller: Annotated[Caller, require("dose.record")], tx: Tx) -> DoseRecorded:
    """Record a dose. Whether it counts is the programme's rule; one that does not is kept, and the reason shown to those who may see it.
    Refused: `twice` (same day, same product), 422 for a date to come, an unknown product, a person who is not here."""
    person = await _person(tx, wish)
    row = Dose(
        person_id=person.id,
        programme=wish.programme,
        product=_product(wish.programme, wish.product),
        given_on=_date(wish.given_on, person),
        lot=wish.lot,
        place=wish.place,
        source="api" if caller.kind == "client" else wish.source,
        note=wish.note,
        superseded=False,
        withdrawn=False,
        entered_by=caller.id,
        entered_by_name=caller.name,
        entered_at=now(),
    )
    tx.add(row)
    return await _recorded(tx, person, row, caller)


@doses.post("/{dose_id}/corrections", status_code=201)
async def correct_dose(dose_id: DoseId, wish: Correction, caller: Annotated[Caller, require("dose.record")], tx: Tx) -> DoseRecorded:
    """Correct a dose: a new row supersedes it, both stay readable. Refused: `corrected_meanwhile`, `twice`, `not_found`; 422
    `nothing_changed` when there is a note alone."""
    async with as_system(tx):
        person_id = await tx.scalar(select(Dose.person_id).where(Dose.id == dose_id))
    if person_id is None:
        raise Refused("not_found", 404)
    person, _ = await person_of(tx, person_id, hold=True)
    old = await tx.get(Dose, dose_id, populate_existing=True)
    if old is None:
        raise Refused("not_found", 404)
    if old.superseded:
        raise Refused("corrected_meanwhile", 409)
    right = {
        "product": _product(old.programme, wish.product) if wish.product else old.product,
        "given_on": _date(wish.given_on, person) if wish.given_on else old.given_on,
        "lot": wish.lot if "lot" in wish.model_fields_set else old.lot,
        "place": wish.place if "place" in wish.model_fields_set else old.place,
        "withdrawn": wish.withdrawn,
    }
    if all(getattr(old, field) == value for field, value in right.items()):
        raise wrong("note", "nothing_changed")
    old.superseded = True
    await tx.flush()  # the old row must leave the unique index before the new one enters
    row = Dose(
        person_id=person.id,
        programme=old.programme,
        **right,
        source=old.source,
        note=wish.note,
        corrects_id=old.id,
        superseded=False,
        entered_by=caller.id,
        entered_by_name=caller.name,
        entered_at=now(),
    )
    tx.add(row)
    return await _recorded(tx, person, row, caller)


async def _recorded(tx: AsyncSession, person: Person, row: Dose, caller: Caller) -> DoseRecorded:
    rows, spans = await compute_standing(tx, person, row.programme)
    shown = next(one for one in judged(row.programme, rows, person.born_on) if one.id == row.id)
    if not caller.reach("standing.read").holds(person.id):
        shown.number, shown.valid, shown.reason = None, None, None
        return DoseRecorded(person_id=person.id, dose=shown, standing=None)
    return DoseRecorded(person_id=person.id, dose=shown, standing=standing_shown(span_on(spans, today()).standing, row.programme, today()))


async def _person(tx: AsyncSession, wish: NewDose) -> Person:
    """Whose dose it is, held until the transaction ends."""
    if (wish.person_id is None) == (wish.person_number is None):
        raise wrong("person_id", "one_of_two", other="person_number")
    which = Person.id == wish.person_id if wish.person_id else Person.number == wish.person_number
    found = await tx.scalar(select(Person).where(which).with_for_update())
    if found is None:
        raise wrong("person_id" if wish.person_id else "person_number", "unknown_id")
    return found


def _product(programme: str, text: str) -> str:
    rule = PROGRAMMES[programme]
    known = {product.code for product in rule.products}
    if text in known:
        return text
    found = recognise(text, rule)
    if found is None:
        near = [dict(one.names) for one in suggestions(text, rule)[:3]]
        raise wrong("product", "product_unknown", text=text, suggestions=near)
    return found.code


def _date(given_on: date, person: Person) -> date:
    if given_on > today():
        raise wrong("given_on", "in_future")
    if person.born_on and given_on < person.born_on:
        raise wrong("given_on", "before_birth")
    if given_on.year < 1900:
        raise wrong("given_on", "too_long_ago")
    return given_on
