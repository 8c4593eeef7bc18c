"""Notices: issued to an audience that is frozen in that instant, listed, withdrawn; never edited."""

from typing import Annotated
from uuid import uuid4

from fastapi import Query
from pydantic import AwareDatetime, Field
from sqlalchemy import ColumnElement, false, func, select

from services.notifications.acts import count_audience, freeze_audience, mail_later, remind_later, remind_never
from services.notifications.reads import notice_of, notices_shown, people_of
from services.notifications.rules import what_is_wrong
from services.notifications.shapes import Audience, DepartmentBrief, NoticeId, NoticeKind, NoticeShown
from services.notifications.tables import KnownDepartment, Notice
from shared.auth import Caller, require
from shared.clock import now
from shared.db import Read, Tx, as_system
from shared.events import NoticesChanged
from shared.messaging.outbox import publish
from shared.refusals import FieldError, Refused, wrong
from shared.service import Slice
from shared.story import example_id
from shared.web import Body, Line, Listed, Note, PageNo, PageSize, Shown

notices = Slice(prefix="/notices", tags=["notices"])


class NewNotice(Body):
    """What is to be issued. Once it is, nothing of it can be changed, only withdrawn."""

    kind: NoticeKind
    title: Line
    text: Note
    title_en: Line | None = None
    text_en: Note | None = None
    audience: Audience
    deadline_at: AwareDatetime | None = Field(None, description="By when it is to be acknowledged")
    asks_done: bool = Field(False, description="Done is a second fact, beside read")
    done_deadline_at: AwareDatetime | None = None
    mail: bool = Field(False, description="By e-mail as well, where there is an address; the inbox does not depend on it")
    about_health: bool = Field(
        False, description="Whom it is for says how they stand: only whoever issues it, and who may read whom to urge, follow it"
    )

    model_config = Body.model_config | {
        "json_schema_extra": {
            "example": {
                "kind": "order",
                "title": "今日起全员手机24小时开机",
                "text": "请各处室立即传达，读后逐人回复。",
                "title_en": "Phones stay on day and night from today",
                "text_en": "Pass this on at once; everybody answers after reading.",
                "audience": {"kind": "everyone", "ids": []},
                "deadline_at": "2021-08-04T10:00:00+08:00",
                "asks_done": False,
                "done_deadline_at": None,
                "mail": True,
            }
        }
    }


class Preview(Body):
    """An audience to be counted."""

    audience: Audience

    model_config = Body.model_config | {
        "json_schema_extra": {"example": {"audience": {"kind": "departments", "ids": [example_id("department")]}}}
    }


class DepartmentCount(DepartmentBrief):
    """So many of a department."""

    count: int = Field(examples=[14])


class Previewed(Shown):
    """How many an audience is, and of which departments, the largest first."""

    count: int = Field(examples=[120])
    departments: list[DepartmentCount]


class Withdrawal(Body):
    """Why a notice no longer holds; everybody it reached reads it."""

    reason: Note

    model_config = Body.model_config | {"json_schema_extra": {"example": {"reason": "时间有误，以下一条通知为准。"}}}


def _judged(audience: Audience) -> Audience:
    """Refused `ids_missing`, `ids_not_wanted`, `one_shift`."""
    if audience.kind == "everyone" and audience.ids:
        raise wrong("audience.ids", "ids_not_wanted")
    if audience.kind != "everyone" and not audience.ids:
        raise wrong("audience.ids", "ids_missing")
    if audience.kind == "shift" and len(set(audience.ids)) > 1:
        raise wrong("audience.ids", "one_shift")
    return Audience(kind=audience.kind, ids=list(dict.fromkeys(audience.ids)))


@notices.get("")
async def list_notices(
    caller: Annotated[Caller, require("notice.progress")],
    read: Read,
    open_: Annotated[bool | None, Query(alias="open", description="Only those still in force, or only those withdrawn")] = None,
    over: Annotated[bool | None, Query(description="Only those whose last deadline has passed, or only those whose has not")] = None,
    mine: Annotated[bool, Query(description="Only those one issued oneself")] = False,
    page: PageNo = 1,
    page_size: PageSize = 20,
) -> Listed[NoticeShown]:
    """Notices, the latest first, each with its counts: all for whoever issues, else those that reached one's departments."""
    which: list[ColumnElement[bool]] = []
    if open_ is not None:
        which.append(Notice.withdrawn_at.is_(None) if open_ else Notice.withdrawn_at.is_not(None))
    if over is not None:
        passed = func.coalesce(func.greatest(Notice.deadline_at, Notice.done_deadline_at) <= now(), false())
        which.append(passed if over else ~passed)
    if mine:
        which.append(Notice.issued_by == caller.person_id)
    total = await read.scalar(select(func.count()).select_from(Notice).where(*which))
    wanted = select(Notice).where(*which).order_by(Notice.issued_at.desc(), Notice.id.desc())
    rows = (await read.scalars(wanted.limit(page_size).offset((page - 1) * page_size))).all()
    return Listed(items=await notices_shown(read, caller, rows), total=total or 0, page=page, page_size=page_size)


@notices.post("", status_code=201)
async def issue_notice(wish: NewNotice, caller: Annotated[Caller, require("notice.issue")], tx: Tx) -> NoticeShown:
    """Issue a notice: whoever is in the audience at this instant has it in their inbox when this is answered.

    Refused 422: `nobody` of the audience, `ids_missing`, `ids_not_wanted`, `one_shift`, `passed_already`, `too_far_ahead`,
    `before_deadline`, `no_done_asked`, `half_translated`."""
    at, audience = now(), _judged(wish.audience)
    halves = (wish.title_en is not None, wish.text_en is not None)
    if errors := what_is_wrong(at, wish.deadline_at, wish.done_deadline_at, asks_done=wish.asks_done, halves=halves):
        raise Refused("invalid", 422, errors=errors)
    notice_id = uuid4()
    if not (head_count := await freeze_audience(tx, notice_id, audience, at)):
        raise Refused("invalid", 422, errors=[FieldError("audience.ids", "nobody")])
    row = Notice(
        id=notice_id,
        **wish.model_dump(exclude={"audience"}),
        audience_kind=audience.kind,
        audience_ids=audience.ids,
        head_count=head_count,
        issued_by=caller.person_id,
        issued_by_name=caller.name,
        issued_at=at,
    )
    tx.add(row)
    await tx.flush()
    await count_audience(tx, row)
    await remind_later(tx, row)
    await mail_later(tx, row, "issued")
    publish(tx, NoticesChanged(notice_id=row.id, state="issued"))
    return (await notices_shown(tx, caller, [row]))[0]


@notices.post("/preview")
async def preview_audience(wish: Preview, caller: Annotated[Caller, require("notice.issue")], read: Read) -> Previewed:
    """Count an audience before anything is issued. One that is nobody is 0 here, and refused when it is issued."""
    people = people_of(_judged(wish.audience)).subquery()
    counted = select(people.c.department_id, func.count().label("people_count")).group_by(people.c.department_id).subquery()
    named = select(counted.c.department_id, KnownDepartment.name, counted.c.people_count)
    async with as_system(read):
        found = (await read.execute(named.outerjoin(KnownDepartment, KnownDepartment.id == counted.c.department_id))).all()
    rows = sorted(found, key=lambda row: (-row.people_count, row.name or ""))
    departments = [DepartmentCount(id=row.department_id, name=row.name or "", count=row.people_count) for row in rows]
    return Previewed(count=sum(one.count for one in departments), departments=departments)


@notices.get("/{notice_id}")
async def show_notice(notice_id: NoticeId, caller: Annotated[Caller, require("notice.progress")], read: Read) -> NoticeShown:
    """One notice with its counts. Refused: `not_found`. One's own copy of it is /inbox/{notice_id}."""
    return (await notices_shown(read, caller, [await notice_of(read, notice_id)]))[0]


@notices.post("/{notice_id}/withdrawal")
async def withdraw_notice(notice_id: NoticeId, wish: Withdrawal, caller: Annotated[Caller, require("notice.issue")], tx: Tx) -> NoticeShown:
    """Withdraw a notice: it stays in every inbox, marked with the reason, and nobody is reminded any more. Refused: `not_found`,
    `withdrawn_already`."""
    row = await notice_of(tx, notice_id, hold=True)
    if row.withdrawn_at is not None:
        raise Refused("withdrawn_already", 409, {"by": row.withdrawn_by_name or ""})
    row.withdrawn_at, row.withdrawn_by_name, row.withdrawn_reason = now(), caller.name, wish.reason
    await tx.flush()
    await remind_never(tx, row)
    publish(tx, NoticesChanged(notice_id=row.id, state="withdrawn"))
    return (await notices_shown(tx, caller, [row]))[0]
