"""Accounts: who has been let in, who is locked, what is kept about oneself; unlocking and ending sessions, never setting a password."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Path, Query
from pydantic import Field
from sqlalchemy import ColumnElement, Row, ScalarSelect, Select, case, delete, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.identity.acts import end_sessions
from services.identity.limits import open_locks
from services.identity.reads import DepartmentShown
from services.identity.tables import Account, Activation, KnownDepartment, KnownDevice, KnownPerson, Lockout, Role, Session, SignIn
from shared.auth import Caller, require
from shared.clock import now, real_now, today
from shared.db import Read, Tx, as_system
from shared.refusals import Refused
from shared.service import Slice
from shared.story import example_id
from shared.web import Listed, PageNo, PageSize, Search, Shown

accounts = Slice(prefix="/accounts", tags=["accounts"])

State = Literal["none", "invited", "active", "locked", "left"]
AccountId = Annotated[UUID, Path(description="The account's id; a person's will do", examples=[example_id("account")])]
Found = Row[KnownPerson | None, Account | None, str, datetime | None, str | None]


class AccountShown(Shown):
    """A person, with or without an account, or an account without a person."""

    account_id: UUID | None
    person_id: UUID | None
    name: str
    number: str | None
    username: str | None = Field(description="What is typed to sign in")
    department: DepartmentShown | None
    employment: str | None
    state: State = Field(examples=["active"])
    roles: list[str] = Field(description="Roles given, and head or reporter where they follow from the departments")
    waiting_roles: list[str] = Field(examples=[[]])
    last_signed_in_at: datetime | None
    locked_seconds: int | None = Field(description="How long until the last lock opens by itself; a known browser is not locked")
    invited_until: datetime | None
    left_on: date | None
    sessions_count: int = Field(examples=[1])


def _locked_until() -> ScalarSelect[datetime | None]:
    """When the last lock of an account opens; each is for one place from which wrong passwords came."""
    return select(func.max(Lockout.locked_until)).where(Lockout.account_id == Account.id).correlate(Account).scalar_subquery()


def _state() -> ColumnElement[str]:
    invited = exists().where(Activation.person_id == KnownPerson.id, Activation.state == "open", Activation.expires_at > now())
    return case(
        (KnownPerson.left_on <= today(), "left"),
        (Account.password_hash.is_not(None) & (_locked_until() > real_now()), "locked"),
        (Account.password_hash.is_not(None), "active"),
        (invited, "invited"),
        else_="none",
    )


def _rows() -> Select[KnownPerson | None, Account | None, str, datetime | None, str | None]:
    name = select(KnownDepartment.name).where(KnownDepartment.id == KnownPerson.department_id).scalar_subquery()
    columns = (_state().label("state"), _locked_until().label("locked_until"), name.label("department_name"))
    joined = select(KnownPerson, Account, *columns).select_from(KnownPerson)
    return joined.outerjoin(Account, Account.person_id == KnownPerson.id, full=True)


@accounts.get("")
async def list_accounts(
    caller: Annotated[Caller, require("account.read")],
    read: Read,
    q: Search = None,
    state: Annotated[State | None, Query(description="Only those in this state")] = None,
    page: PageNo = 1,
    page_size: PageSize = 50,
) -> Listed[AccountShown]:
    """People, also those never let in, and accounts without a person, by name; found by name, staff number or username."""
    which: list[ColumnElement[bool]] = []
    if q:
        columns = (KnownPerson.name, KnownPerson.number, KnownPerson.sort_key, Account.username)
        found = [column.icontains(q, autoescape=True) for column in columns]
        which.append(or_(*found, KnownPerson.id.is_(None) & Account.name.icontains(q, autoescape=True)))
    if state:
        which.append(_state() == state)
    order = (KnownPerson.id.is_not(None), KnownPerson.sort_key, KnownPerson.number, Account.id)
    async with as_system(read):  # whether somebody is locked is told to those who read accounts, and to nobody else
        total = await read.scalar(select(func.count()).select_from(_rows().where(*which).subquery()))
        rows = (await read.execute(_rows().where(*which).order_by(*order).offset((page - 1) * page_size).limit(page_size))).all()
    return Listed(items=await _shown(read, rows), total=total or 0, page=page, page_size=page_size)


@accounts.get("/{account_id}")
async def show_account(account_id: AccountId, caller: Annotated[Caller, require("account.read")], read: Read) -> AccountShown:
    """One account, or one person without an account. Refused 404 `no_account`."""
    wanted = _rows().where(or_(Account.id == account_id, KnownPerson.id == account_id))
    async with as_system(read):
        rows = (await read.execute(wanted.limit(1))).all()
    if not rows:
        raise Refused("no_account", 404)
    return (await _shown(read, rows))[0]


@accounts.post("/{account_id}/unlock", status_code=204)
async def unlock_account(account_id: AccountId, caller: Annotated[Caller, require("account.change")], tx: Tx) -> None:
    """Open the locks that wrong passwords closed; the password stays what it is. Refused 404 `no_account`."""
    account = await _the_account(tx, account_id)
    async with as_system(tx):
        await open_locks(tx, account.id)


@accounts.delete("/{account_id}/sessions", status_code=204)
async def end_account_sessions(account_id: AccountId, caller: Annotated[Caller, require("account.change")], tx: Tx) -> None:
    """End all sessions of an account, for a lost phone or a suspicion. Refused 404 `no_account`."""
    account = await _the_account(tx, account_id)
    await end_sessions(tx, Session.account_id == account.id)
    async with as_system(tx):
        await tx.execute(delete(KnownDevice).where(KnownDevice.account_id == account.id))


async def _the_account(tx: AsyncSession, account_id: UUID) -> Account:
    account = (await tx.scalars(select(Account).where(or_(Account.id == account_id, Account.person_id == account_id)))).one_or_none()
    if account is None:
        raise Refused("no_account", 404)
    return account


async def _shown(read: AsyncSession, rows: Sequence[Found]) -> list[AccountShown]:
    """Roles, invitations, sessions and last sign-ins of a page of accounts: a statement each, however many rows."""
    people = [person.id for person, *_ in rows if person]
    accounts_of = [account.id for _, account, *_ in rows if account]
    async with as_system(read):
        of_them = or_(Role.person_id.in_(people), Role.account_id.in_(accounts_of))
        wanted = select(Role.person_id, Role.account_id, Role.role, Role.state)
        held = (await read.execute(wanted.where(of_them, Role.state.in_(("given", "waiting"))))).all()
        heads = await read.execute(
            select(KnownDepartment.head_id, KnownDepartment.reporter_id, KnownDepartment.deputy_id).where(
                or_(KnownDepartment.head_id.in_(people), KnownDepartment.reporter_id.in_(people), KnownDepartment.deputy_id.in_(people))
            )
        )
        derived = {pair for head, *others in heads for pair in ((head, "head"), *((other, "reporter") for other in others))}
        open_codes = (Activation.person_id.in_(people), Activation.state == "open", Activation.expires_at > now())
        invited = dict((await read.execute(select(Activation.person_id, Activation.expires_at).where(*open_codes))).all())
        let_in = (SignIn.account_id.in_(accounts_of), SignIn.outcome.in_(("in", "activated", "demo")))
        latest = select(SignIn.account_id, func.max(SignIn.at)).where(*let_in).group_by(SignIn.account_id)
        last = dict((await read.execute(latest)).all())
        alive = (Session.account_id.in_(accounts_of), Session.ended_at.is_(None), Session.expires_at > real_now())
        counted = select(Session.account_id, func.count()).where(*alive).group_by(Session.account_id)
        sessions = dict((await read.execute(counted)).all())
    shown = []
    for person, account, state, locked_until, department_name in rows:
        own = [one for one in held if (person and one.person_id == person.id) or (account and one.account_id == account.id)]
        given = {one.role for one in own if one.state == "given"} | {word for one, word in derived if person and one == person.id}
        open_in = int((locked_until - real_now()).total_seconds()) + 1 if state == "locked" and locked_until else None
        shown.append(
            AccountShown(
                account_id=account.id if account else None,
                person_id=person.id if person else account.person_id if account else None,
                name=person.name if person else account.name if account else "",
                number=person.number if person else None,
                username=(account.username if account and account.username else None) or (person.number if person else None),
                department=DepartmentShown(id=person.department_id, name=department_name) if person and department_name else None,
                employment=person.employment if person else None,
                state=state,  # type: ignore[arg-type]  # the case above answers the same words
                roles=sorted(given),
                waiting_roles=sorted(one.role for one in own if one.state == "waiting"),
                last_signed_in_at=last.get(account.id) if account else None,
                locked_seconds=open_in,
                invited_until=invited.get(person.id) if person else None,
                left_on=person.left_on if person else None,
                sessions_count=sessions.get(account.id, 0) if account else 0,
            )
        )
    return shown
