"""What others told notifications: who is here, where they are reached, who holds which role, teams, shifts, and who is on them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.notifications.acts import call_webhooks
from services.notifications.tables import (
    Alert,
    AlertPerson,
    Delivery,
    KnownAssignment,
    KnownContact,
    KnownDepartment,
    KnownHolder,
    KnownPerson,
    KnownShift,
    KnownTeam,
    Notice,
    Record,
)
from shared.clock import now
from shared.events import AssignmentsChanged, ContactsChanged, HoldersChanged, ShiftsChanged, TeamsChanged
from shared.known import blank, known_people, remember


async def _forget(tx: AsyncSession, person_ids: Sequence[UUID]) -> None:
    """Their keep time is over: addresses, roles, alerts and what was said of them go; what they acknowledged stays, as a bare id."""
    for table in (KnownContact, KnownHolder, KnownAssignment, AlertPerson, Delivery):
        await tx.execute(delete(table).where(table.person_id.in_(person_ids)))
    for column in (KnownTeam.leader_id, KnownTeam.deputy_id, KnownShift.leader_id, Alert.closed_by):
        await blank(tx, update(column.class_).where(column.in_(person_ids)).values({column.key: None}))
    for one in person_ids:
        members = func.array_remove(KnownTeam.member_ids, one)
        await blank(tx, update(KnownTeam).where(KnownTeam.member_ids.contains([one])).values(member_ids=members))
    await blank(tx, update(Notice).where(Notice.issued_by.in_(person_ids)).values(issued_by_name=""))
    await blank(tx, update(Record).where(Record.person_id.in_(person_ids), Record.note.is_not(None)).values(note=None))
    await blank(tx, update(Record).where(Record.recorded_by.in_(person_ids)).values(recorded_by_name=""))


known = known_people(KnownPerson, KnownDepartment, {"contacts": KnownContact}, removed=_forget)


@known.on(ContactsChanged)
async def remember_contacts(event: ContactsChanged, tx: AsyncSession) -> None:
    """Where people are reached; no other service is told."""
    await remember(tx, KnownContact, event.contacts, event.telling, key=("person_id",))


@known.on(HoldersChanged)
async def remember_holders(event: HoldersChanged, tx: AsyncSession) -> None:
    """Who holds which given role."""
    await _remember_lists(tx, KnownHolder, "person_id", [one.model_dump() for one in event.holders])


@known.on(TeamsChanged)
async def remember_teams(event: TeamsChanged, tx: AsyncSession) -> None:
    """Teams and who is in them."""
    await _remember_lists(tx, KnownTeam, "id", [one.model_dump() for one in event.teams])


@known.on(ShiftsChanged)
async def remember_shifts(event: ShiftsChanged, tx: AsyncSession) -> None:
    """Shifts and who leads them."""
    await remember(tx, KnownShift, event.shifts, None)


@known.on(AssignmentsChanged)
async def remember_assignments(event: AssignmentsChanged, tx: AsyncSession) -> None:
    """Who is on which shift; whoever was confirmed just now is told to the webhooks."""
    if not event.retold:
        await call_webhooks(tx, event.assignments)
    await remember(tx, KnownAssignment, event.assignments, None)


async def _remember_lists(tx: AsyncSession, table: Any, key: str, told: Sequence[dict[str, Any]]) -> None:
    """Rows that hold lists, which cannot be unnested: several rows of one statement, upserted where they are newer."""
    newest = {row[key]: row | {"heard_at": now()} for row in sorted(told, key=lambda one: int(one["version"]))}
    if not newest:
        return
    upsert = insert(table).values(list(newest.values()))
    fresh = {name: upsert.excluded[name] for name in next(iter(newest.values())) if name != key}
    await tx.execute(upsert.on_conflict_do_update(index_elements=[key], set_=fresh, where=table.version < upsert.excluded.version))
