"""Questions that several of identity's slices ask: who somebody is here, what they may do, and who there is for a second pair of eyes."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.identity.rules import Party, has_left, spelled
from services.identity.tables import Account, KnownDepartment, KnownDuty, KnownPerson, Role
from shared.auth import Caller
from shared.clock import now, today
from shared.db import as_system
from shared.policy import HEALTH_ROLES
from shared.refusals import Refused
from shared.settings import settings
from shared.web import Shown


class DepartmentShown(Shown):
    """A department by name."""

    id: UUID
    name: str


class PersonShown(Shown):
    """Who somebody is here."""

    id: UUID
    name: str
    number: str
    department: DepartmentShown | None


@dataclass(frozen=True, slots=True)
class Rights:
    """Who an account is and what it may do at this moment."""

    account_id: UUID
    name: str
    spelled: str
    person: PersonShown | None
    roles: frozenset[str]
    departments: frozenset[UUID]
    reported: frozenset[UUID]
    officer_until: datetime | None
    left: bool


def shown(person: KnownPerson, department_name: str | None) -> PersonShown:
    """A person as pages show them."""
    department = DepartmentShown(id=person.department_id, name=department_name) if department_name else None
    return PersonShown(id=person.id, name=person.name, number=person.number, department=department)


def is_here() -> ColumnElement[bool]:
    """Has this person not left?"""
    return or_(KnownPerson.left_on.is_(None), KnownPerson.left_on > today())


def _answered_for(answers: ColumnElement[bool], name: str) -> Any:
    """The departments that an account answers for in one way, without those below them, as one array; none: null."""
    return select(func.array_agg(KnownDepartment.id)).where(answers).correlate(Account).scalar_subquery().label(name)


def _officer_until() -> Any:
    """Until when this person is on the duty that gives rights, as the published roster says; null: on none at this moment."""
    until = select(func.max(KnownDuty.ends_at)).where(KnownDuty.person_id == Account.person_id, *officer_duty_runs())
    return until.correlate(Account).scalar_subquery()


def officer_duty_runs() -> tuple[ColumnElement[bool], ...]:
    """A duty that gives the officer's rights runs now."""
    return KnownDuty.state == "published", KnownDuty.gives_rights.is_(True), KnownDuty.starts_at <= now(), KnownDuty.ends_at > now()


async def rights_of(tx: AsyncSession, account_id: UUID) -> Rights | None:
    """The roles given, those that follow from facts, and the departments answered for; one statement."""
    heads_it = KnownDepartment.head_id == Account.person_id
    reports_for_it = or_(KnownDepartment.reporter_id == Account.person_id, KnownDepartment.deputy_id == Account.person_id)
    given = select(func.array_agg(Role.role)).where(
        Role.state == "given", or_(Role.account_id == Account.id, Role.person_id == Account.person_id)
    )
    asked = (
        select(
            Account.name,
            KnownPerson,
            select(KnownDepartment.name).where(KnownDepartment.id == KnownPerson.department_id).scalar_subquery().label("department_name"),
            given.correlate(Account).scalar_subquery().label("given"),
            _answered_for(heads_it, "headed"),
            _answered_for(reports_for_it, "reported"),
            _officer_until().label("officer_until"),
            Account.person_id,
        )
        .outerjoin(KnownPerson, KnownPerson.id == Account.person_id)
        .where(Account.id == account_id)
    )
    row = (await tx.execute(asked)).one_or_none()
    if row is None:
        return None
    person: KnownPerson | None = row.KnownPerson
    derived = {"everyone"} if person else set()
    derived |= {"head"} if row.headed else set()
    derived |= {"reporter"} if row.reported else set()
    officer_until = row.officer_until if person else None
    derived |= {"duty_officer"} if officer_until else set()
    return Rights(
        account_id=account_id,
        name=person.name if person else row.name,
        spelled=spelled(person.sort_key) if person else "",
        person=shown(person, row.department_name) if person else None,
        roles=frozenset(derived | set(row.given or ())),
        departments=frozenset(row.headed or ()),
        reported=frozenset(row.reported or ()),
        officer_until=officer_until,
        left=has_left(person.left_on, today()) if person else row.person_id is not None,
    )


async def held_by(tx: AsyncSession, person_ids: Collection[UUID]) -> dict[UUID, frozenset[str]]:
    """The granted roles of people, also of those whose role still waits: what they will hold is guarded like what they hold."""
    open_roles = Role.state.in_(("given", "waiting"))
    by_account = select(Account.person_id, Role.role).join(Account, Account.id == Role.account_id)
    found: dict[UUID, set[str]] = {}
    async with as_system(tx):
        rows = list(await tx.execute(select(Role.person_id, Role.role).where(Role.person_id.in_(person_ids), open_roles)))
        rows += list(await tx.execute(by_account.where(Account.person_id.in_(person_ids), open_roles)))
    for person_id, role in rows:
        if person_id is not None:
            found.setdefault(person_id, set()).add(role)
    return {person_id: frozenset(roles) for person_id, roles in found.items()}


async def health_can_sign_in(tx: AsyncSession) -> bool:
    """Is there anybody who holds health and can sign in? One locked for a while still can; in a demo everybody can who is here."""
    holds = Role.role.in_(HEALTH_ROLES) & (Role.state == "given")
    let_in = Account.password_hash.is_not(None)
    of_accounts = select(Role.id).join(Account, Account.id == Role.account_id).outerjoin(KnownPerson, KnownPerson.id == Account.person_id)
    of_people = select(Role.id).join(KnownPerson, KnownPerson.id == Role.person_id).outerjoin(Account, Account.person_id == Role.person_id)
    if not settings().demo:
        of_people = of_people.where(let_in)
    async with as_system(tx):
        here = or_(Account.person_id.is_(None), KnownPerson.id.is_not(None) & is_here())
        if (await tx.execute(of_accounts.where(holds, let_in, here).limit(1))).first():
            return True
        return (await tx.execute(of_people.where(holds, is_here()).limit(1))).first() is not None


def party(caller: Caller) -> Party:
    """The caller as one who asks or decides."""
    return Party(account_id=caller.account_id, person_id=caller.person_id, roles=caller.roles)


async def party_of_account(tx: AsyncSession, account_id: UUID | None) -> Party:
    """The account behind `asked_by`, with its person; an account that is gone is nobody."""
    if account_id is None:
        return Party()
    return (await parties_of(tx, [account_id])).get(account_id, Party(account_id=account_id))


async def parties_of(tx: AsyncSession, account_ids: Iterable[UUID | None]) -> dict[UUID | None, Party]:
    """The accounts behind `asked_by`, each with its person; without an account there is nobody."""
    wanted = select(Account.id, Account.person_id).where(Account.id.in_({one for one in account_ids if one is not None}))
    async with as_system(tx):
        found: dict[UUID | None, Party] = {one.id: Party(account_id=one.id, person_id=one.person_id) for one in await tx.execute(wanted)}
    return found | {None: Party()}


def with_department() -> Select[KnownPerson, str | None]:
    """People, each with the name of the department."""
    return select(KnownPerson, KnownDepartment.name).outerjoin(KnownDepartment, KnownDepartment.id == KnownPerson.department_id)


async def people_shown(tx: AsyncSession, person_ids: Iterable[UUID]) -> dict[UUID, PersonShown]:
    """Who these people are."""
    wanted = with_department().where(KnownPerson.id.in_(set(person_ids)))
    async with as_system(tx):
        return {person.id: shown(person, name) for person, name in await tx.execute(wanted)}


async def names_of(tx: AsyncSession, account_ids: Iterable[UUID | None]) -> dict[UUID, str]:
    """The names behind accounts, for "asked by" and "decided by"."""
    wanted = {one for one in account_ids if one is not None}
    if not wanted:
        return {}
    name = func.coalesce(KnownPerson.name, Account.name)
    async with as_system(tx):
        rows = await tx.execute(
            select(Account.id, name).outerjoin(KnownPerson, KnownPerson.id == Account.person_id).where(Account.id.in_(wanted))
        )
        return dict(rows.all())


async def the_person(tx: AsyncSession, person_id: UUID) -> PersonShown:
    """A person that must be there. Refused `no_person`."""
    found = await people_shown(tx, [person_id])
    if person_id not in found:
        raise Refused("no_person", 404)
    return found[person_id]
