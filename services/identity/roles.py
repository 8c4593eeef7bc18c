"""Roles: asked for, given, ended. Nobody changes their own; health and leader wait for a second person who holds health."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import Path, Query
from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.identity.acts import end_setup_when_health_is_in, rights_changed, second_person_by_setup_code
from services.identity.reads import (
    PersonShown,
    health_can_sign_in,
    held_by,
    names_of,
    parties_of,
    party,
    party_of_account,
    people_shown,
    the_person,
)
from services.identity.rules import Party, holds_health, role_waits, what_forbids_asking, what_forbids_deciding
from services.identity.tables import Account, Role
from shared.auth import Caller, require
from shared.clock import now
from shared.db import Read, Tx, as_system, lock
from shared.policy import HEALTH_ROLES
from shared.refusals import Refused
from shared.service import Slice
from shared.story import example_id
from shared.web import Body, Listed, PageNo, PageSize, Secret, Shown

roles = Slice(prefix="/roles", tags=["roles"])

Granted = Literal["health", "duty_planner", "coordinator", "leader", "administrator"]
RoleState = Literal["waiting", "given", "refused", "ended"]
RoleId = Annotated[UUID, Path(examples=[example_id("role")])]


class RoleShown(Shown):
    """A role that somebody was asked for or given."""

    id: UUID
    person: PersonShown | None
    account_id: UUID | None
    name: str = Field(examples=["江采薇"], description="The person's; that of the account where there is no person")
    role: Granted = Field(examples=["coordinator"])
    state: RoleState = Field(examples=["given"])
    asked_by: str | None
    asked_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    by_setup_code: bool = Field(description="Given by the set-up, or the setup code stood for the second person")
    ended_at: datetime | None
    asked_by_me: bool
    may_decide: bool = Field(description="The caller may be the second person")


class RoleWish(Body):
    """Who is to have which role: a person, or an account without one."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"person_id": example_id("person"), "role": "leader"}]})
    person_id: UUID | None = None
    account_id: UUID | None = None
    role: Granted

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.person_id is None) == (self.account_id is None):
            raise PydanticCustomError("one_of_both", "either a person or an account")
        return self


class RoleVerdict(Body):
    """The second person's answer."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"verdict": "approved"}]})
    verdict: Literal["approved", "refused"]
    setup_code: Secret | None = Field(None, description="Stands for the second person while nobody who can sign in holds health")


@roles.get("")
async def list_roles(
    caller: Annotated[Caller, require("role.read")],
    read: Read,
    state: Annotated[RoleState | None, Query(description="Without it: those given and those waiting")] = None,
    person_id: Annotated[UUID | None, Query(description="Only those of one person", examples=[example_id("person")])] = None,
    page: PageNo = 1,
    page_size: PageSize = 50,
) -> Listed[RoleShown]:
    """Roles, those that wait first. Head and reporter are not among them: they follow from the departments."""
    which: list[ColumnElement[bool]] = [Role.state == state] if state else [Role.state.in_(("waiting", "given"))]
    if person_id:
        which.append(Role.person_id == person_id)
    total = await read.scalar(select(func.count()).select_from(Role).where(*which))
    order = (Role.state != "waiting", Role.role, Role.asked_at, Role.id)
    rows = (await read.scalars(select(Role).where(*which).order_by(*order).offset((page - 1) * page_size).limit(page_size))).all()
    return Listed(items=await _shown(read, caller, rows), total=total or 0, page=page, page_size=page_size)


@roles.post("", status_code=201)
async def ask_for_role(wish: RoleWish, caller: Annotated[Caller, require("role.give")], tx: Tx) -> RoleShown:
    """Give a role; health and leader wait for a second person who holds health. A caller who holds health may ask for health, for others.

    Refused 404 `no_person`, `no_account`; 409 `own_roles`, `not_yours_to_give`, `account_without_person`, `already_given`."""
    beneficiary = Party(account_id=wish.account_id, person_id=wish.person_id)
    if wish.person_id:
        await the_person(tx, wish.person_id)
    else:
        beneficiary = await party_of_account(tx, wish.account_id)
        if beneficiary.account_id is None or await tx.get(Account, wish.account_id) is None:
            raise Refused("no_account", 404)
    if reasons := what_forbids_asking(party(caller), beneficiary, wish.role):
        raise Refused(reasons[0].code, 409, reasons[0].params)
    row = Role(person_id=beneficiary.person_id, account_id=None if beneficiary.person_id else beneficiary.account_id, role=wish.role)
    row.asked_by, row.asked_at, row.state = caller.id, now(), "waiting"
    if not role_waits(wish.role):
        row.state, row.decided_by, row.decided_at = "given", caller.id, now()
    tx.add(row)
    await tx.flush()
    if row.state == "given":
        await rights_changed(tx, person_id=row.person_id, account_id=row.account_id, rose=True)
    return (await _shown(tx, caller, [row]))[0]


@roles.post("/{role_id}/approval")
async def decide_role(role_id: RoleId, verdict: RoleVerdict, caller: Annotated[Caller, require("role.give")], tx: Tx) -> RoleShown:
    """Be the second person: one who holds health, who did not ask, and who does not gain. An administrator never is.

    While nobody who can sign in holds health, the setup code stands for the second person, though never for an administrator's gain.
    Both, who asked and who decides, are persons of the staff list: an account without one might be somebody's second account.
    Refused 404 `no_role`, 409 `decided_already`, `own_roles`, `second_person_needed`, `say_who_you_are`, `asker_without_person`,
    `setup_code_wrong`, `not_for_administrator`."""
    row = await tx.get(Role, role_id, with_for_update=True)
    if row is None:
        raise Refused("no_role", 404)
    if row.state != "waiting":
        raise Refused("decided_already", 409, {"state": row.state})
    beneficiary = await _beneficiary(tx, row)
    by_code = verdict.setup_code is not None and verdict.verdict == "approved"
    if by_code:
        assert verdict.setup_code is not None
        if party(caller).is_same_as(beneficiary):
            raise Refused("own_roles")
        await second_person_by_setup_code(tx, verdict.setup_code, beneficiary, f"role {row.id}")
    elif reasons := what_forbids_deciding(party(caller), await party_of_account(tx, row.asked_by), beneficiary, HEALTH_ROLES):
        raise Refused(reasons[0].code, 409, reasons[0].params)
    row.state = "given" if verdict.verdict == "approved" else "refused"
    row.decided_by, row.decided_at = None if by_code else caller.id, now()
    await tx.flush()
    if row.state == "given":
        await rights_changed(tx, person_id=row.person_id, account_id=row.account_id, rose=True)
        await end_setup_when_health_is_in(tx)
    return (await _shown(tx, caller, [row]))[0]


@roles.delete("/{role_id}", status_code=204)
async def end_role(role_id: RoleId, caller: Annotated[Caller, require("role.give")], tx: Tx) -> None:
    """End a role, or take back what was asked for. The last health role of one who can sign in stays: the next is given first.

    Refused 404 `no_role`, 409 `own_roles`, `not_yours_to_give`, `ended_already`, `last_health_role`."""
    await lock(tx, "role", "health")  # two who end the last two at once wait for each other
    row = await tx.get(Role, role_id, with_for_update=True)
    if row is None:
        raise Refused("no_role", 404)
    if row.state not in ("waiting", "given"):
        raise Refused("ended_already", 409, {"state": row.state})
    if reasons := what_forbids_asking(party(caller), await _beneficiary(tx, row), row.role):
        raise Refused(reasons[0].code, 409, reasons[0].params)
    somebody_keeps_health = await health_can_sign_in(tx)
    row.state, row.ended_by, row.ended_at = "ended", caller.id, now()
    await tx.flush()
    if somebody_keeps_health and not await health_can_sign_in(tx):
        raise Refused("last_health_role")
    await rights_changed(tx, person_id=row.person_id, account_id=row.account_id, rose=False)


async def _beneficiary(tx: AsyncSession, row: Role) -> Party:
    """Who gains, by account and by person, with the other roles they hold."""
    async with as_system(tx):
        mine = Account.id == row.account_id if row.account_id else Account.person_id == row.person_id
        account = (await tx.execute(select(Account.id, Account.person_id).where(mine))).one_or_none()
        account_id, person_id = (account.id, account.person_id) if account else (None, row.person_id)
        by_person = await held_by(tx, [person_id]) if person_id else {}
        held = set(by_person.get(person_id, frozenset())) if person_id else set()
        if account_id:
            own = select(Role.role).where(Role.account_id == account_id, Role.state == "given")
            held |= set(await tx.scalars(own))
    return Party(account_id=account_id, person_id=person_id, roles=frozenset(held))


async def _shown(tx: AsyncSession, caller: Caller, found: Sequence[Role]) -> list[RoleShown]:
    people = await people_shown(tx, [row.person_id for row in found if row.person_id])
    names = await names_of(tx, [one for row in found for one in (row.asked_by, row.decided_by, row.account_id)])
    askers = await parties_of(tx, [row.asked_by for row in found])
    me = party(caller)
    shown = []
    for row in found:
        person = people.get(row.person_id) if row.person_id else None
        gains = Party(account_id=row.account_id, person_id=row.person_id)
        may = (
            row.state == "waiting"
            and holds_health(me.roles)
            and not what_forbids_deciding(me, askers.get(row.asked_by, Party()), gains, HEALTH_ROLES)
        )
        shown.append(
            RoleShown(
                id=row.id,
                person=person,
                account_id=row.account_id,
                name=person.name if person else names.get(row.account_id, "") if row.account_id else "",
                role=row.role,  # type: ignore[arg-type]  # the table's check holds the same words
                state=row.state,  # type: ignore[arg-type]
                asked_by=names.get(row.asked_by) if row.asked_by else None,
                asked_at=row.asked_at,
                decided_by=names.get(row.decided_by) if row.decided_by else None,
                decided_at=row.decided_at,
                by_setup_code=row.decided_at is not None and row.decided_by is None,
                ended_at=row.ended_at,
                asked_by_me=me.is_same_as(askers.get(row.asked_by, Party())),
                may_decide=may,
            )
        )
    return shown
