"""Sheets: the codes that HR prints for people, by department, and those that wait for a second person."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import Path, Query
from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError
from sqlalchemy import ColumnElement, exists, func, select, true, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.identity.acts import print_codes, second_person_by_setup_code
from services.identity.reads import (
    PersonShown,
    held_by,
    is_here,
    names_of,
    parties_of,
    party,
    party_of_account,
    people_shown,
    shown,
    the_person,
    with_department,
)
from services.identity.rules import Party, code_waits, has_left, holds_health, what_forbids_deciding
from services.identity.tables import Account, Activation, KnownDepartment, KnownPerson
from shared.auth import Caller, require
from shared.below import with_everything_below
from shared.clock import now, today
from shared.db import Read, Tx, as_system
from shared.once import secret_answer
from shared.policy import HEALTH_ROLES
from shared.refusals import Reason, Refused
from shared.service import Slice
from shared.settings import settings
from shared.story import example_id
from shared.web import Body, Listed, PageNo, PageSize, Secret, Shown

sheets = Slice(prefix="/activations", tags=["activations"])

SHEETS_AT_ONCE = 1000


class PrintWish(Body):
    """For whom codes are wanted: people by id, or all of a department, with everything below, who were never let in."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"person_ids": [example_id("person")]}, {"department_id": example_id("department")}]}
    )
    person_ids: list[UUID] | None = Field(None, min_length=1, max_length=SHEETS_AT_ONCE)
    department_id: UUID | None = None
    setup_code: Secret | None = Field(None, description="Stands for the second person while nobody who can sign in holds health")

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.person_ids is None) == (self.department_id is None):
            raise PydanticCustomError("one_of_both", "either people or a department")
        return self


class Sheet(Shown):
    """What stands on one person's sheet; the code is shown this once. `waiting`: a second person has to agree first."""

    activation_id: UUID
    person: PersonShown
    waiting: bool
    code: str | None = Field(examples=["7K3M9-QXT2W"])
    expires_at: datetime | None = Field(examples=["2021-08-12T08:25:00Z"])
    url: str | None = Field(examples=["https://muster.example.org/activate/7K3M9-QXT2W"], description="What the QR code says")


class Sheets(Shown):
    """The sheets of one printing."""

    items: list[Sheet]


class ActivationShown(Shown):
    """A wish for a code, or a code's state; never the code."""

    id: UUID
    person: PersonShown | None
    state: Literal["waiting", "open", "used", "ended", "refused"] = Field(examples=["open"])
    asked_by: str | None
    asked_at: datetime
    decided_by: str | None
    expires_at: datetime | None = Field(examples=["2021-08-12T08:25:00Z"])
    may_decide: bool


class Verdict(Body):
    """The second person's answer."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"verdict": "approved"}]})
    verdict: Literal["approved", "refused"]


@sheets.get("")
async def list_activations(
    caller: Annotated[Caller, require("activation.print")],
    read: Read,
    state: Annotated[Literal["waiting", "open", "used", "ended", "refused"], Query(description="waiting: for a second person")] = "waiting",
    page: PageNo = 1,
    page_size: PageSize = 50,
) -> Listed[ActivationShown]:
    """Codes and wishes for codes in one state, the latest first."""
    total = await read.scalar(select(func.count()).select_from(Activation).where(Activation.state == state))
    wanted = select(Activation).where(Activation.state == state).order_by(Activation.asked_at.desc(), Activation.id)
    rows = (await read.scalars(wanted.offset((page - 1) * page_size).limit(page_size))).all()
    people = await people_shown(read, [row.person_id for row in rows])
    names = await names_of(read, [one for row in rows for one in (row.asked_by, row.decided_by)])
    askers = await parties_of(read, [row.asked_by for row in rows])
    items = [
        ActivationShown(
            id=row.id,
            person=people.get(row.person_id),
            state=row.state,  # type: ignore[arg-type]  # the table's check holds the same words
            asked_by=names.get(row.asked_by),
            asked_at=row.asked_at,
            decided_by=names.get(row.decided_by) if row.decided_by else None,
            expires_at=row.expires_at,
            may_decide=row.state == "waiting" and not _forbids(caller, row, askers.get(row.asked_by, Party())),
        )
        for row in rows
    ]
    return Listed(items=items, total=total or 0, page=page, page_size=page_size)


def _forbids(caller: Caller, row: Activation, asker: Party) -> list[Reason]:
    return what_forbids_deciding(party(caller), asker, Party(person_id=row.person_id), HEALTH_ROLES)


@sheets.post("", status_code=201)
@secret_answer
async def print_sheets(wish: PrintWish, caller: Annotated[Caller, require("activation.print")], tx: Tx) -> Sheets:
    """Make codes for people; each ends the person's code before. Who holds health gets them at once.

    A code for one who holds health, for an administrator or for a leader already let in, and every code asked for by one without health,
    waits for a second person. Refused 404 `no_person`, 409 `own_roles`, `left`, `too_many_people`, or why the setup code does not do."""
    people = await _wanted(tx, wish, caller)
    held = await held_by(tx, list(people))
    async with as_system(tx):
        let_in = set(await tx.scalars(select(Account.person_id).where(Account.person_id.in_(people), Account.password_hash.is_not(None))))
        before = update(Activation).where(Activation.person_id.in_(people), Activation.state == "waiting").values(state="ended")
        await tx.execute(before.execution_options(synchronize_session=False))
    rows, waiting = [], set()
    for person_id in people:
        roles = held.get(person_id, frozenset())
        waits = code_waits(party(caller), roles, has_account=person_id in let_in)
        if waits and wish.setup_code and holds_health(roles):
            beneficiary = Party(person_id=person_id, roles=roles)
            await second_person_by_setup_code(tx, wish.setup_code, beneficiary, f"activation of {person_id}")
            waits = False
        rows.append(Activation(person_id=person_id, state="waiting", asked_by=caller.id, asked_at=now(), wrong_count=0))
        waiting |= {person_id} if waits else set()
    codes = await print_codes(tx, [row for row in rows if row.person_id not in waiting])
    tx.add_all(rows)
    await tx.flush()
    return Sheets(items=[_sheet(row, people[row.person_id], codes.get(row.person_id)) for row in rows])


async def _wanted(tx: AsyncSession, wish: PrintWish, caller: Caller) -> dict[UUID, PersonShown]:
    """The people that codes are wanted for, in the order of their names."""
    if wish.person_ids is not None:
        which: ColumnElement[bool] = KnownPerson.id.in_(wish.person_ids)
    else:
        assert wish.department_id is not None
        let_in = exists().where(Account.person_id == KnownPerson.id, Account.password_hash.is_not(None))
        which = KnownPerson.department_id.in_(with_everything_below(KnownDepartment, [wish.department_id])) & ~let_in & is_here()
        which &= KnownPerson.id != caller.person_id if caller.person_id else true()
    async with as_system(tx):
        by_name = with_department().where(which).order_by(KnownPerson.sort_key, KnownPerson.id)
        rows = (await tx.execute(by_name.limit(SHEETS_AT_ONCE + 1))).all()
    if len(rows) > SHEETS_AT_ONCE:
        raise Refused("too_many_people", 409, {"max": SHEETS_AT_ONCE})
    if wish.person_ids is not None:
        if len(rows) < len(set(wish.person_ids)):
            raise Refused("no_person", 404)
        if any(has_left(person.left_on, today()) for person, _ in rows):
            raise Refused("left")
        if caller.person_id in wish.person_ids:
            raise Refused("own_roles")
    return {person.id: shown(person, name) for person, name in rows}


def _sheet(row: Activation, person: PersonShown, code: str | None) -> Sheet:
    url = f"{settings().public_url.rstrip('/')}/activate/{code}" if code else None
    return Sheet(activation_id=row.id, person=person, waiting=code is None, code=code, expires_at=row.expires_at, url=url)


@sheets.post("/{activation_id}/approval")
@secret_answer
async def decide_activation(
    activation_id: Annotated[UUID, Path(examples=[example_id("activation")])],
    verdict: Verdict,
    caller: Annotated[Caller, require("activation.print")],
    tx: Tx,
) -> Sheet:
    """Be the second person for a code: one who holds health. It is made now and shown to them, never to an administrator.

    Refused 404 `no_activation`, 409 `decided_already`, `own_roles`, `second_person_needed`, `say_who_you_are`,
    `asker_without_person`, `left`."""
    row = await tx.get(Activation, activation_id, with_for_update=True)
    if row is None:
        raise Refused("no_activation", 404)
    if row.state != "waiting":
        raise Refused("decided_already", 409, {"state": row.state})
    if reasons := _forbids(caller, row, await party_of_account(tx, row.asked_by)):
        raise Refused(reasons[0].code, 409, reasons[0].params)
    person = await the_person(tx, row.person_id)
    row.decided_by, row.decided_at = caller.id, now()
    codes: dict[UUID, str] = {}
    if verdict.verdict == "approved":
        codes = await print_codes(tx, [row])
    else:
        row.state = "refused"
    await tx.flush()
    return _sheet(row, person, codes.get(row.person_id))
