"""Remarks: a person reports an error in their own record, and whoever keeps the records answers."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Path, Query
from pydantic import Field
from sqlalchemy import ColumnElement, func, select

from services.personnel.acts import looked
from services.personnel.reads import person_of
from services.personnel.shapes import DepartmentBrief, PersonBrief
from services.personnel.tables import Department, Person, Remark
from shared.auth import Caller, require
from shared.clock import now
from shared.db import Tx
from shared.events import RemarkWritten
from shared.messaging.outbox import publish
from shared.refusals import Refused
from shared.service import Slice
from shared.story import example_id
from shared.web import Body, Listed, Note, PageNo, PageSize, Shown

remarks = Slice(prefix="/remarks", tags=["remarks"])

RemarkId = Annotated[UUID, Path(examples=[example_id("remark")])]
OPEN_AT_MOST = 20  # of one person; a held-down key must not fill the list of those who answer

About = Literal["person", "dose", "exemption", "other"]


class NewRemark(Body):
    """What is wrong in one's own record."""

    about: About
    text: Note

    model_config = Body.model_config | {"json_schema_extra": {"example": {"about": "dose", "text": "第二针是6月12日，不是6月21日。"}}}


class Reply(Body):
    """What was done about it."""

    text: Note

    model_config = Body.model_config | {"json_schema_extra": {"example": {"text": "已按接种证更正。"}}}


class RemarkShown(Shown):
    """A remark, and the answer once there is one."""

    id: UUID
    person: PersonBrief
    department: DepartmentBrief
    about: About = Field(examples=["dose"])
    text: str = Field(examples=["第二针是6月12日，不是6月21日。"])
    written_at: datetime
    answer: str | None = Field(examples=["已按接种证更正。"])
    answered_by: str | None
    answered_at: datetime | None


class RemarksListed(Listed[RemarkShown]):
    """A page of remarks; `counts` says how many wait for an answer and how many have one."""

    counts: dict[Literal["open", "answered"], int] = Field(examples=[{"open": 0, "answered": 1}])


@remarks.post("", status_code=201)
async def write_remark(wish: NewRemark, caller: Annotated[Caller, require("remark.write")], tx: Tx) -> RemarkShown:
    """Report an error in one's own record. Refused: `too_many_open` (at most 20 unanswered ones), `not_found` when one is not on record."""
    if caller.person_id is None:
        raise Refused("not_found", 404)
    person, department = await person_of(tx, caller.person_id, hold=True)  # held, so that twenty at once are counted one after the other
    waiting = await tx.scalar(select(func.count()).select_from(Remark).where(Remark.person_id == person.id, Remark.answer.is_(None)))
    if (waiting or 0) >= OPEN_AT_MOST:
        raise Refused("too_many_open", 409, {"limit": OPEN_AT_MOST})
    row = Remark(person_id=person.id, about=wish.about, text=wish.text, written_at=now())
    tx.add(row)
    await tx.flush()
    publish(tx, RemarkWritten(remark_id=row.id, person_id=person.id))
    return _shown(row, person, department)


@remarks.get("")
async def list_remarks(
    caller: Annotated[Caller, require("remark.read")],
    tx: Tx,
    open_: Annotated[bool | None, Query(alias="open", description="Only those without an answer, or only those with one")] = None,
    mine: Annotated[bool, Query(description="One's own alone, also for those who answer everybody's")] = False,
    page: PageNo = 1,
    page_size: PageSize = 50,
) -> RemarksListed:
    """Remarks, the latest first, and how many wait for an answer: one's own; everybody's for those who answer them, which is a look and
    recorded."""
    whose: list[ColumnElement[bool]] = [Remark.person_id == caller.person_id] if mine else []
    which = whose if open_ is None else [*whose, Remark.answer.is_(None) if open_ else Remark.answer.is_not(None)]
    counted = await tx.execute(select(func.count(), func.count(Remark.answer)).select_from(Remark).where(*whose))
    everything, answered = counted.one()
    waiting = everything - answered
    wanted = (
        select(Remark, Person, Department)
        .join(Person, Person.id == Remark.person_id)
        .join(Department, Department.id == Person.department_id)
        .where(*which)
        .order_by(Remark.written_at.desc(), Remark.id.desc())
    )
    found = (await tx.execute(wanted.limit(page_size).offset((page - 1) * page_size))).all() if everything else []
    looked(tx, "list", dict.fromkeys(person.id for _, person, _ in found), {"list": "remarks", "open": open_, "page": page})
    return RemarksListed(
        items=[_shown(*row) for row in found],
        total=everything if open_ is None else waiting if open_ else answered,
        page=page,
        page_size=page_size,
        counts={"open": waiting, "answered": answered},
    )


@remarks.get("/{remark_id}")
async def show_remark(remark_id: RemarkId, caller: Annotated[Caller, require("remark.read")], tx: Tx) -> RemarkShown:
    """One remark: one's own, or anybody's for those who answer them, which is a look and recorded. Refused: `not_found`."""
    row = await tx.get(Remark, remark_id)
    if row is None:
        raise Refused("not_found", 404)
    person, department = await person_of(tx, row.person_id)
    looked(tx, "list", [person.id], {"list": "remarks", "remark_id": remark_id})
    return _shown(row, person, department)


@remarks.post("/{remark_id}/answer")
async def answer_remark(remark_id: RemarkId, wish: Reply, caller: Annotated[Caller, require("remark.answer")], tx: Tx) -> RemarkShown:
    """Answer a remark, once; the person reads it. Refused: `answered_already`, `not_found`."""
    row = await tx.get(Remark, remark_id, with_for_update=True)
    if row is None:
        raise Refused("not_found", 404)
    if row.answer is not None:
        raise Refused("answered_already", 409)
    person, department = await person_of(tx, row.person_id)
    row.answer, row.answered_by_name, row.answered_at = wish.text, caller.name, now()
    publish(tx, RemarkWritten(remark_id=row.id, person_id=row.person_id))
    return _shown(row, person, department)


def _shown(row: Remark, person: Person, department: Department) -> RemarkShown:
    return RemarkShown(
        id=row.id,
        person=PersonBrief(id=person.id, name=person.name),
        department=DepartmentBrief.model_validate(department),
        about=row.about,  # type: ignore[arg-type]
        text=row.text,
        written_at=row.written_at,
        answer=row.answer,
        answered_by=row.answered_by_name,
        answered_at=row.answered_at,
    )
