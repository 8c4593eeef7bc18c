"""The inbox: one's own notices, open first; opened, read, done. Each is a fact that is written once, late ones as late."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from pydantic import Field
from sqlalchemy import ColumnElement, Integer, Uuid, and_, bindparam, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.notifications.reads import alert_waits, unanswered
from services.notifications.rules import answered_at, counted_record, is_late, is_open, state_of
from services.notifications.shapes import Method, NoticeId, NoticeKind, RecipientState, Withdrawn
from services.notifications.tables import Alert, AlertPerson, Notice, Recipient, Record, Reminder
from shared.auth import Caller, require
from shared.clock import now
from shared.db import Read, Tx
from shared.events import AcknowledgementsChanged
from shared.messaging.outbox import publish
from shared.refusals import Refused
from shared.service import Slice
from shared.web import Listed, PageNo, PageSize, Shown

inbox = Slice(prefix="/inbox", tags=["inbox"])


class Recorded(Shown):
    """The head recorded that one was told otherwise."""

    at: datetime
    by: str
    method: Method


class InboxItem(Shown):
    """A notice as the one it reached sees it."""

    notice_id: UUID
    kind: NoticeKind
    state: RecipientState = Field(examples=["read"])
    open: bool = Field(description="It still waits: to be read, or to be done")
    title: str
    text: str
    title_en: str | None
    text_en: str | None
    issued_by: str
    issued_at: datetime
    deadline_at: datetime | None
    overdue: bool = Field(description="It waits, and its deadline has passed")
    asks_done: bool
    done_deadline_at: datetime | None
    told_at: datetime
    opened_at: datetime | None
    read_at: datetime | None
    recorded: Recorded | None
    done_at: datetime | None
    late: bool
    done_late: bool
    reminded_at: datetime | None = Field(description="The last reminder that went to those who had not answered, while it waits")
    withdrawn: Withdrawn | None


class InboxListed(Listed[InboxItem]):
    """A page of the inbox; `open_count` counts what still waits on all pages, `alert_count` the alerts that wait beside the notices."""

    open_count: int = Field(examples=[0])
    alert_count: int = Field(examples=[1])


# composed once: every phone asks for its inbox at every look, and composing took longer than asking
_ME: Any = bindparam("me", type_=Uuid())
_WAITS: ColumnElement[bool] = and_(Notice.withdrawn_at.is_(None), or_(unanswered(), and_(Notice.asks_done, Recipient.done_at.is_(None))))
"""`is_open`, as the database asks it."""
_UNANSWERED_STILL = or_(
    and_(unanswered(), Reminder.kind.in_(("before", "deadline"))),
    and_(Recipient.done_at.is_(None), Reminder.kind.in_(("done_before", "done_deadline"))),
)
_REMINDED = select(func.max(Reminder.reminded_at)).where(Reminder.notice_id == Notice.id, _UNANSWERED_STILL).correlate(Notice, Recipient)
_MINE = (
    select(Recipient, Notice, Record, _REMINDED.scalar_subquery().label("reminded_at"))
    .join(Notice, Notice.id == Recipient.notice_id)
    .outerjoin(Record, and_(Record.notice_id == Recipient.notice_id, Record.person_id == Recipient.person_id))
    .where(Recipient.person_id == _ME)
)
"""One's own rows with their notices, the head's record and the last reminder."""
_ONE = _MINE.where(Recipient.notice_id == bindparam("notice_id", type_=Uuid()))
_NEAREST_FIRST = (
    _MINE.order_by(
        _WAITS.desc(), case((_WAITS, Notice.deadline_at), else_=None).asc().nulls_last(), Notice.issued_at.desc(), Notice.id.desc()
    )
    .limit(bindparam("page_size", type_=Integer()))
    .offset(bindparam("skipped", type_=Integer()))
)
_LISTED: dict[bool | None, Any] = {None: _NEAREST_FIRST, True: _NEAREST_FIRST.where(_WAITS), False: _NEAREST_FIRST.where(~_WAITS)}
_ALERTS = select(func.count()).select_from(Alert).join(AlertPerson, AlertPerson.alert_id == Alert.id)
_COUNTS = (
    select(func.count(), func.count().filter(_WAITS), _ALERTS.where(AlertPerson.person_id == _ME, alert_waits()).scalar_subquery())
    .select_from(Recipient)
    .join(Notice, Notice.id == Recipient.notice_id)
    .where(Recipient.person_id == _ME)
)


@inbox.get("")
async def list_inbox(
    caller: Annotated[Caller, require("notice.read")],
    read: Read,
    open_: Annotated[bool | None, Query(alias="open", description="Only those that wait, or only the others")] = None,
    page: PageNo = 1,
    page_size: PageSize = 50,
) -> InboxListed:
    """One's own notices: those that wait first, the nearest deadline first; then the others, the latest first."""
    whose = {"me": caller.person_id}
    total, open_count, alert_count = (await read.execute(_COUNTS, whose)).one()
    if open_ is not None:
        total = open_count if open_ else total - open_count
    rows = (await read.execute(_LISTED[open_], {**whose, "page_size": page_size, "skipped": (page - 1) * page_size})).all()
    items, counts = [_item(*row) for row in rows], {"open_count": open_count, "alert_count": alert_count}
    return InboxListed(items=items, total=total, page=page, page_size=page_size, **counts)


@inbox.get("/{notice_id}")
async def show_item(notice_id: NoticeId, caller: Annotated[Caller, require("notice.read")], read: Read) -> InboxItem:
    """One of one's own notices. Refused: `not_found`."""
    row = (await read.execute(_ONE, {"me": caller.person_id, "notice_id": notice_id})).one_or_none()
    if row is None:
        raise Refused("not_found", 404)
    return _item(*row)


@inbox.post("/{notice_id}/opening")
async def open_notice(notice_id: NoticeId, caller: Annotated[Caller, require("notice.read")], tx: Tx) -> InboxItem:
    """One has looked at it, which is no acknowledgement yet. Twice is once. Refused: `not_found`."""
    return await _answered(tx, caller, notice_id, "opened")


@inbox.post("/{notice_id}/acknowledgement")
async def acknowledge(notice_id: NoticeId, caller: Annotated[Caller, require("acknowledgement.give")], tx: Tx) -> InboxItem:
    """Read. Twice is once; after the deadline it counts, as late. Refused: `not_found`, `withdrawn`."""
    return await _answered(tx, caller, notice_id, "read")


@inbox.post("/{notice_id}/done")
async def say_done(notice_id: NoticeId, caller: Annotated[Caller, require("acknowledgement.give")], tx: Tx) -> InboxItem:
    """What the notice asks for is done, and so it was read. Twice is once. Refused: `not_found`, `withdrawn`, `no_done_asked`."""
    return await _answered(tx, caller, notice_id, "done")


async def _answered(tx: AsyncSession, caller: Caller, notice_id: UUID, what: Literal["opened", "read", "done"]) -> InboxItem:
    found = (await tx.execute(_ONE.with_for_update(of=Recipient), {"me": caller.person_id, "notice_id": notice_id})).one_or_none()
    if found is None:
        raise Refused("not_found", 404)
    row: Recipient = found.Recipient
    notice: Notice = found.Notice
    if notice.withdrawn_at is not None and what != "opened":
        raise Refused("withdrawn", 409, {"reason": notice.withdrawn_reason or ""})
    if what == "done" and not notice.asks_done:
        raise Refused("no_done_asked", 409)
    if notice.withdrawn_at is None and _write(row, notice, what, now()):
        await tx.flush()
        publish(tx, AcknowledgementsChanged(notice_id=notice_id, person_ids=[row.person_id]))
    return _item(*found)


def _write(row: Recipient, notice: Notice, what: str, at: datetime) -> bool:
    """Write what is new; False when it was written before."""
    if (row.opened_at, row.read_at, row.done_at)[("opened", "read", "done").index(what)] is not None:
        return False
    row.opened_at = row.opened_at or at
    if what != "opened":
        row.read_at = row.read_at or at
        row.late = is_late(answered_at(row), notice.deadline_at)
    if what == "done":
        row.done_at, row.done_late = at, is_late(at, notice.done_deadline_at)
    return True


def _item(row: Recipient, notice: Notice, record: Record | None, reminded_at: datetime | None) -> InboxItem:
    waits = is_open(row, asks_done=notice.asks_done, withdrawn=notice.withdrawn_at is not None)
    recorded = withdrawn = None
    if record is not None and counted_record(row):
        recorded = Recorded(at=record.recorded_at, by=record.recorded_by_name, method=record.method)  # type: ignore[arg-type]
    if notice.withdrawn_at is not None:
        withdrawn = Withdrawn(at=notice.withdrawn_at, by=notice.withdrawn_by_name or "", reason=notice.withdrawn_reason or "")
    late = is_late(now(), notice.deadline_at) if answered_at(row) is None else is_late(now(), notice.done_deadline_at)
    return InboxItem(
        notice_id=notice.id,
        kind=notice.kind,  # type: ignore[arg-type]
        state=state_of(row),
        open=waits,
        title=notice.title,
        text=notice.text,
        title_en=notice.title_en,
        text_en=notice.text_en,
        issued_by=notice.issued_by_name,
        issued_at=notice.issued_at,
        deadline_at=notice.deadline_at,
        overdue=waits and late,
        asks_done=notice.asks_done,
        done_deadline_at=notice.done_deadline_at,
        told_at=row.told_at,
        opened_at=row.opened_at,
        read_at=row.read_at,
        recorded=recorded,
        done_at=row.done_at,
        late=row.late,
        done_late=row.done_late,
        reminded_at=reminded_at if waits else None,
        withdrawn=withdrawn,
    )
