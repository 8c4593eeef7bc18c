"""Questions that several slices ask: who is it, who is here, how an assignment is shown."""

from collections.abc import Collection, Mapping
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.dispatch.shapes import AssignmentShown, PersonBrief
from services.dispatch.tables import Assignment, KnownDepartment, KnownPerson
from shared.clock import today
from shared.refusals import wrong


async def brief_people(read: AsyncSession, ids: Collection[UUID | None], *, numbers: bool = False) -> dict[UUID, PersonBrief]:
    """Name and department of these people; `numbers` where people of one name must be told apart."""
    wanted = {one for one in ids if one}
    if not wanted:
        return {}
    asked = select(KnownPerson.id, KnownPerson.name, KnownPerson.number, KnownDepartment.name)
    found = await read.execute(
        asked.outerjoin(KnownDepartment, KnownDepartment.id == KnownPerson.department_id).where(KnownPerson.id.in_(wanted))
    )
    return {
        person_id: PersonBrief(id=person_id, name=name, number=number if numbers else None, department=department)
        for person_id, name, number, department in found
    }


def brief(people: Mapping[UUID, PersonBrief], person_id: UUID) -> PersonBrief:
    """This person among those asked for; one whose record is gone has no name any more."""
    return people.get(person_id) or PersonBrief(id=person_id, name="")


async def must_be_here(read: AsyncSession, **fields: Collection[UUID | None]) -> None:
    """422 `unknown_id` at the fields that name somebody who is not here, or has left."""
    wanted = {one for ids in fields.values() for one in ids if one}
    if not wanted:
        return
    here = or_(KnownPerson.left_on.is_(None), KnownPerson.left_on > today())
    found = set(await read.scalars(select(KnownPerson.id).where(KnownPerson.id.in_(wanted), here)))
    for field, ids in fields.items():
        if any(one and one not in found for one in ids):
            raise wrong(field, "unknown_id")


def assignment_shown(row: Assignment, people: Mapping[UUID, PersonBrief]) -> AssignmentShown:
    """An assignment with the person's name."""
    return AssignmentShown(
        id=row.id,
        shift_id=row.shift_id,
        person=brief(people, row.person_id),
        role=row.role,
        state=row.state,  # type: ignore[arg-type]
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        walk_on=row.walk_on,
        late=row.late,
        asked_at=row.asked_at,
        answered_at=row.answered_at,
        reason=row.reason,
        override_reason=row.override_reason,
        override_by=row.override_by_name,
        checked_in_at=row.checked_in_at,
        checked_out_at=row.checked_out_at,
        version=row.version,
    )
