"""Progress: how each department stands with a notice at this instant, and person by person."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query, Response
from pydantic import Field
from sqlalchemy import ColumnElement, and_, func, or_, select

from services.notifications.reads import COUNTS, counted, counts_of, notice_of, people_named, unanswered
from services.notifications.rules import state_of
from services.notifications.shapes import (
    Counts,
    DepartmentBrief,
    NoticeId,
    PersonBrief,
    RecipientState,
    RecordShown,
    Withdrawn,
)
from services.notifications.tables import Correction, Delivery, KnownDepartment, KnownPerson, NoticeDepartment, Recipient, Record, Reminder
from shared.auth import Caller, require
from shared.clock import now
from shared.db import Read
from shared.service import Slice
from shared.story import example_id
from shared.web import Listed, PageNo, PageSize, Search, Shown

progress = Slice(prefix="/notices", tags=["progress"])

Standing = Literal["missing", "told", "opened", "read", "by_head", "done", "not_done", "late"]


class DepartmentProgress(Counts):
    """How a department stands; it is the department that people were of when the notice was issued."""

    department: DepartmentBrief
    parent_id: UUID | None
    head: PersonBrief | None


class ReminderShown(Shown):
    """Everybody who had not answered was reminded."""

    kind: Literal["before", "deadline", "done_before", "done_deadline"]
    at: datetime
    missing_count: int = Field(examples=[8])


class MailCounts(Shown):
    """What became of the mails; a mail that failed changes nothing in the inbox."""

    sent_count: int = Field(examples=[118])
    failed_count: int = Field(examples=[2])


class Progress(Shown):
    """How those whom the caller may see stand; departments with most people missing first, and how many there are in all."""

    notice_id: UUID
    as_of: datetime
    totals: Counts
    departments: list[DepartmentProgress]
    department_count: int = Field(examples=[9])
    lacking_count: int = Field(description="Departments where somebody has not answered, or not done what was asked", examples=[4])
    reminders: list[ReminderShown]
    mail: MailCounts


class RecipientShown(Shown):
    """One person and a notice."""

    person: PersonBrief
    state: RecipientState = Field(examples=["by_head"])
    told_at: datetime
    opened_at: datetime | None
    read_at: datetime | None = Field(examples=[None])
    record: RecordShown | None
    done_at: datetime | None
    late: bool
    done_late: bool
    mailed_at: datetime | None
    mail_error: str | None = Field(description="Why the last mail did not arrive")


_missing = NoticeDepartment.told_count - NoticeDepartment.read_count - NoticeDepartment.by_head_count
_not_done = NoticeDepartment.told_count - NoticeDepartment.done_count


@progress.get("/{notice_id}/progress", response_model=Progress)
async def show_progress(
    notice_id: NoticeId,
    caller: Annotated[Caller, require("notice.progress")],
    read: Read,
    lacking: Annotated[bool, Query(description="Only departments where somebody has not answered, or not done what was asked")] = False,
    most: Annotated[int | None, Query(ge=1, le=5_000, description="At most so many departments; all without it")] = None,
) -> Response:
    """How many were told, opened it, acknowledged, were recorded by the head, did it, are late or missing; in all and by department.
    Counted in the transaction of each answer, so it is right at every look. Refused: `not_found`."""
    notice = await notice_of(read, notice_id)
    lacks = or_(_missing > 0, _not_done > 0) if notice.asks_done else _missing > 0
    summed = [func.coalesce(func.sum(getattr(NoticeDepartment, name)), 0).label(name) for name in COUNTS]
    both = (func.count().label("department_count"), func.count().filter(lacks).label("lacking_count"))
    whole = (await read.execute(select(*summed, *both).where(NoticeDepartment.notice_id == notice.id))).one()
    counts = [getattr(NoticeDepartment, name) for name in COUNTS]
    called = (KnownDepartment.name, KnownDepartment.parent_id, KnownDepartment.head_id)
    wanted = select(NoticeDepartment.department_id, *counts, *called, KnownPerson.name.label("head_name"), KnownPerson.number)
    joined = wanted.outerjoin(KnownDepartment, KnownDepartment.id == NoticeDepartment.department_id)
    joined = joined.outerjoin(KnownPerson, KnownPerson.id == KnownDepartment.head_id).where(NoticeDepartment.notice_id == notice.id)
    joined = joined.where(lacks) if lacking else joined
    ordered = joined.order_by(_missing.desc(), _not_done.desc(), KnownDepartment.name, NoticeDepartment.department_id)
    departments = [_department(row) for row in await read.execute(ordered.limit(most))]
    reminded = await read.scalars(select(Reminder).where(Reminder.notice_id == notice_id).order_by(Reminder.reminded_at))
    mailed = select(func.count(Delivery.errand_id).filter(Delivery.error.is_(None)), func.count(Delivery.error))
    sent, failed = (await read.execute(mailed.where(Delivery.notice_id == notice_id))).one()
    shown = Progress(
        notice_id=notice_id,
        as_of=now(),
        totals=counts_of(whole),
        departments=departments,
        department_count=whole.department_count,
        lacking_count=whole.lacking_count,
        reminders=[ReminderShown(kind=one.kind, at=one.reminded_at, missing_count=one.missing_count) for one in reminded],  # type: ignore[arg-type]
        mail=MailCounts(sent_count=sent, failed_count=failed),
    )
    return Response(shown.model_dump_json(), media_type="application/json")  # 1,200 departments are not judged a second time


def _department(row: Any) -> DepartmentProgress:
    head = PersonBrief(id=row.head_id, name=row.head_name or "", number=row.number) if row.head_id else None
    about: dict[str, Any] = {
        "department": DepartmentBrief(id=row.department_id, name=row.name or ""),
        "parent_id": row.parent_id,
        "head": head,
    }
    return DepartmentProgress(**(about | counted(row)))


def _which(state: Standing) -> ColumnElement[bool]:
    by_head = and_(Recipient.recorded_at.is_not(None), Recipient.corrected_at.is_(None))
    return {
        "missing": unanswered(),
        "told": and_(unanswered(), Recipient.opened_at.is_(None)),
        "opened": and_(unanswered(), Recipient.opened_at.is_not(None)),
        "read": Recipient.read_at.is_not(None),
        "by_head": and_(by_head, Recipient.read_at.is_(None)),
        "done": Recipient.done_at.is_not(None),
        "not_done": Recipient.done_at.is_(None),
        "late": or_(Recipient.late, Recipient.done_late),
    }[state]


@progress.get("/{notice_id}/people")
async def list_recipients(
    notice_id: NoticeId,
    caller: Annotated[Caller, require("notice.progress")],
    read: Read,
    department_id: Annotated[UUID | None, Query(description="Only those of one department", examples=[example_id("department")])] = None,
    state: Annotated[Standing | None, Query(description="Only those who stand so; missing are both told and opened")] = None,
    q: Search = None,
    page: PageNo = 1,
    page_size: PageSize = 50,
) -> Listed[RecipientShown]:
    """Person by person, those missing first, then by name. Refused: `not_found`."""
    await notice_of(read, notice_id)
    which: list[ColumnElement[bool]] = [Recipient.notice_id == notice_id]
    which += [Recipient.department_id == department_id] if department_id else []
    which += [_which(state)] if state else []
    joined = select(Recipient, Record, Correction).outerjoin(KnownPerson, KnownPerson.id == Recipient.person_id)
    if q:
        like = "%" + q.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_") + "%"
        spelled = func.replace(KnownPerson.sort_key, " ", "")
        which.append(or_(*(column.ilike(like) for column in (KnownPerson.name, KnownPerson.number, spelled))))
    counted = select(func.count()).select_from(Recipient).outerjoin(KnownPerson, KnownPerson.id == Recipient.person_id)
    total = await read.scalar(counted.where(*which)) or 0
    joined = joined.outerjoin(Record, and_(Record.notice_id == notice_id, Record.person_id == Recipient.person_id))
    joined = joined.outerjoin(Correction, Correction.record_id == Record.id).where(*which)
    order = (unanswered().desc(), KnownPerson.sort_key, Recipient.person_id)
    rows = (await read.execute(joined.order_by(*order).limit(page_size).offset((page - 1) * page_size))).all()
    ids = [row.Recipient.person_id for row in rows]
    people = await people_named(read, ids)
    asked = select(Delivery).where(Delivery.notice_id == notice_id, Delivery.person_id.in_(ids)).order_by(Delivery.ended_at)
    mails = {one.person_id: one for one in await read.scalars(asked)}
    items = [_recipient(row.Recipient, row.Record, row.Correction, people, mails) for row in rows]
    return Listed(items=items, total=total, page=page, page_size=page_size)


def _recipient(
    row: Recipient, record: Record | None, correction: Correction | None, people: dict[UUID, PersonBrief], mails: dict[UUID, Delivery]
) -> RecipientShown:
    shown = corrected = None
    if correction is not None:
        corrected = Withdrawn(at=correction.corrected_at, by=correction.corrected_by_name, reason=correction.reason)
    if record is not None:
        signed = {"by": record.recorded_by_name, "at": record.recorded_at, "corrected": corrected}
        shown = RecordShown(id=record.id, method=record.method, note=record.note, **signed)  # type: ignore[arg-type]
    mail = mails.get(row.person_id)
    return RecipientShown(
        person=people.get(row.person_id) or PersonBrief(id=row.person_id, name=""),
        state=state_of(row),
        told_at=row.told_at,
        opened_at=row.opened_at,
        read_at=row.read_at,
        record=shown,
        done_at=row.done_at,
        late=row.late,
        done_late=row.done_late,
        mailed_at=mail.ended_at if mail and mail.error is None else None,
        mail_error=mail.error if mail else None,
    )
