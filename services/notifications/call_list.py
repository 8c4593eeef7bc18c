"""Whom to call at night: who answers for a department or holds a role, with their numbers, for the duty officer and leaders."""

from collections import defaultdict
from typing import Annotated
from uuid import UUID

from pydantic import Field
from sqlalchemy import or_, select

from services.notifications.reads import is_here
from services.notifications.shapes import PersonBrief
from services.notifications.tables import KnownContact, KnownDepartment, KnownHolder, KnownPerson
from shared.auth import Caller, require
from shared.db import Read, as_system
from shared.service import Slice
from shared.web import Listed, Shown

call_list = Slice(prefix="/call_list", tags=["call list"])

CALLED_FOR = ["leader", "duty_planner", "coordinator", "administrator"]
"""Who fills a duty, who fills a shift, who mends a sign-in, and who decides. Not those who keep health records: no night needs them."""


class Called(Shown):
    """Somebody to call, and why: `roles` given, `heads` the departments they answer for. `phone` is null when none is on record."""

    person: PersonBrief
    roles: list[str]
    heads: list[str] = Field(examples=[["教务处"]])
    phone: str | None


@call_list.get("")
async def show_call_list(caller: Annotated[Caller, require("call_list.read")], read: Read) -> Listed[Called]:
    """Heads of departments, leaders, duty planners, coordinators and administrators, by name; nobody else's number."""
    own_department = KnownDepartment.__table__.alias("own")
    heads: dict[UUID, list[str]] = defaultdict(list)
    for row in await read.execute(select(KnownDepartment.head_id, KnownDepartment.name).order_by(KnownDepartment.name)):
        if row.head_id:
            heads[row.head_id].append(row.name)
    wanted = (
        select(KnownPerson.id, KnownPerson.name, KnownPerson.number, own_department.c.name.label("department"))
        .add_columns(KnownHolder.roles, KnownContact.phone)
        .outerjoin(KnownHolder, KnownHolder.person_id == KnownPerson.id)
        .outerjoin(KnownContact, KnownContact.person_id == KnownPerson.id)
        .outerjoin(own_department, own_department.c.id == KnownPerson.department_id)
        .where(is_here(), or_(KnownPerson.id.in_(heads), KnownHolder.roles.overlap(CALLED_FOR)))
    )
    async with as_system(read):
        found = (await read.execute(wanted.order_by(KnownPerson.sort_key, KnownPerson.id))).all()
    items = [
        Called(
            person=PersonBrief(id=row.id, name=row.name, number=row.number, department=row.department),
            roles=[role for role in CALLED_FOR if role in (row.roles or ())],
            heads=heads.get(row.id, []),
            phone=row.phone,
        )
        for row in found
    ]
    return Listed(items=items, total=len(items), page_size=max(len(items), 1))
