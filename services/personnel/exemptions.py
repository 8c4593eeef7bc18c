"""Exemptions: recorded with certificate and issuer, holding only once another person approved them, and lapsing by themselves."""

from datetime import date
from typing import Annotated, Any, Literal, get_args
from uuid import UUID

from fastapi import Path
from pydantic import Field
from sqlalchemy import func, select

from services.personnel.acts import compute_standing, looked
from services.personnel.reads import DEFAULT_PROGRAMME, person_of, shown_exemption
from services.personnel.shapes import DepartmentBrief, ExemptionShown, PersonBrief, ProgrammeCode
from services.personnel.tables import Department, Exemption, Person
from shared.auth import Caller, require
from shared.clock import now
from shared.db import Tx
from shared.events import HealthRecordChanged
from shared.messaging.outbox import publish
from shared.refusals import Refused, wrong
from shared.service import Slice
from shared.story import example_id
from shared.web import Body, Line, Listed, Note, PageNo, PageSize

exemptions = Slice(prefix="/exemptions", tags=["exemptions"])

ExemptionId = Annotated[UUID, Path(examples=[example_id("exemption")])]
ExemptionState = Literal["pending", "approved", "refused"]


class NewExemption(Body):
    """Why somebody need not be vaccinated: until a last day, which still belongs to it, or for good."""

    person_id: UUID
    programme: ProgrammeCode = DEFAULT_PROGRAMME  # type: ignore[assignment]
    kind: Literal["temporary", "permanent"]
    from_on: date
    until_on: date | None = None
    issuer: Line
    certificate: bool
    reason: Note

    model_config = Body.model_config | {
        "json_schema_extra": {
            "example": {
                "person_id": example_id("person"),
                "programme": "covid19",
                "kind": "temporary",
                "from_on": "2021-08-01",
                "until_on": "2021-10-31",
                "issuer": "省人民医院",
                "certificate": True,
                "reason": "药物过敏，待复查",
            }
        }
    }


class Verdict(Body):
    """What the second person decides."""

    verdict: Literal["approved", "refused"]
    note: Note | None = None

    model_config = Body.model_config | {"json_schema_extra": {"example": {"verdict": "approved"}}}


class ExemptionsListed(Listed[ExemptionShown]):
    """A page of exemptions; `counts` says how many there are in each state."""

    counts: dict[ExemptionState, int] = Field(examples=[{"pending": 1, "approved": 0, "refused": 0}])


@exemptions.post("", status_code=201)
async def record_exemption(wish: NewExemption, caller: Annotated[Caller, require("exemption.record")], tx: Tx) -> ExemptionShown:
    """Record an exemption; it waits for another person, and changes nothing until then. 409 `say_who_you_are`. 422: a temporary one
    without its last day, a permanent one with one, a last day before the first, a person who is not here."""
    _be_somebody(caller)
    _check_dates(wish)
    if await tx.scalar(select(Person.id).where(Person.id == wish.person_id)) is None:
        raise wrong("person_id", "unknown_id")
    person, department = await person_of(tx, wish.person_id, hold=True)
    row = Exemption(
        **wish.model_dump(), state="pending", recorded_by=caller.id, recorded_by_name=caller.name, recorded_at=now(), decided_by=None
    )
    tx.add(row)
    await tx.flush()
    publish(tx, HealthRecordChanged(person_ids=[person.id]))
    return _shown(row, person, department, caller)


@exemptions.get("")
async def list_exemptions(
    caller: Annotated[Caller, require("exemption.decide")],
    tx: Tx,
    state: ExemptionState | None = None,
    page: PageNo = 1,
    page_size: PageSize = 50,
) -> ExemptionsListed:
    """Exemptions, the latest first, and how many there are in each state. A leader sees issuer, validity and whether there is a
    certificate, not the reason. A look, recorded."""
    which = [Exemption.state == state] if state else []
    counted = await tx.execute(select(Exemption.state, func.count()).group_by(Exemption.state))
    counts: dict[ExemptionState, int] = dict.fromkeys(get_args(ExemptionState), 0)
    counts |= {row[0]: row[1] for row in counted}  # type: ignore[misc]
    wanted = (
        select(Exemption, Person, Department)
        .join(Person, Person.id == Exemption.person_id)
        .join(Department, Department.id == Person.department_id)
        .where(*which)
        .order_by(Exemption.recorded_at.desc(), Exemption.id.desc())
    )
    found = (await tx.execute(wanted.limit(page_size).offset((page - 1) * page_size))).all()
    asked: dict[str, Any] = {"state": state} if state else {}
    looked(tx, "exemptions", dict.fromkeys(person.id for _, person, _ in found), asked | {"page": page})
    total = counts[state] if state else sum(counts.values())
    return ExemptionsListed(items=[_shown(*row, caller) for row in found], total=total, page=page, page_size=page_size, counts=counts)


@exemptions.get("/{exemption_id}")
async def show_exemption(exemption_id: ExemptionId, caller: Annotated[Caller, require("exemption.decide")], tx: Tx) -> ExemptionShown:
    """One exemption, as the list shows it. A look, recorded. Refused: `not_found`."""
    row = await tx.get(Exemption, exemption_id)
    if row is None:
        raise Refused("not_found", 404)
    person, department = await person_of(tx, row.person_id)
    looked(tx, "exemptions", [person.id], {"exemption_id": exemption_id})
    return _shown(row, person, department, caller)


@exemptions.post("/{exemption_id}/approval")
async def decide_exemption(
    exemption_id: ExemptionId, wish: Verdict, caller: Annotated[Caller, require("exemption.decide")], tx: Tx
) -> ExemptionShown:
    """Approve or refuse an exemption, once; approved, it changes the standing. Refused: `own_approval` for whoever recorded it and for
    whom it is, `say_who_you_are`, `decided_already`, `not_found`."""
    _be_somebody(caller)
    person_id = await tx.scalar(select(Exemption.person_id).where(Exemption.id == exemption_id))
    if person_id is None:
        raise Refused("not_found", 404)
    person, department = await person_of(tx, person_id, hold=True)  # the person first, as everywhere
    row = await tx.get(Exemption, exemption_id, with_for_update=True)
    if row is None:
        raise Refused("not_found", 404)
    if row.state != "pending":
        raise Refused("decided_already", 409, {"state": row.state})
    if caller.id == row.recorded_by or caller.person_id == person_id:
        raise Refused("own_approval", 409)
    row.state, row.decision_note = wish.verdict, wish.note
    row.decided_by, row.decided_by_name, row.decided_at = caller.id, caller.name, now()
    if wish.verdict == "approved":
        await compute_standing(tx, person, row.programme)
    else:
        publish(tx, HealthRecordChanged(person_ids=[person_id]))
    return _shown(row, person, department, caller)


def _shown(row: Exemption, person: Person, department: Department, caller: Caller) -> ExemptionShown:
    return shown_exemption(row, PersonBrief(id=person.id, name=person.name), caller, DepartmentBrief.model_validate(department))


def _be_somebody(caller: Caller) -> None:
    """An exemption takes two persons; an account that belongs to none might be the other's second one."""
    if caller.person_id is None:
        raise Refused("say_who_you_are", 409)


def _check_dates(wish: NewExemption) -> None:
    if wish.from_on.year < 1900:
        raise wrong("from_on", "too_long_ago")
    if wish.kind == "temporary" and wish.until_on is None:
        raise wrong("until_on", "required")
    if wish.kind == "permanent" and wish.until_on is not None:
        raise wrong("until_on", "never_ends")
    if wish.until_on is not None and wish.until_on < wish.from_on:
        raise wrong("until_on", "ends_before_it_begins")
