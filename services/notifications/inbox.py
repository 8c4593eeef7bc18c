"""The inbox: one's own notices, open first; opened, read, done. Each is a fact that is written once, late ones as late."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from pydantic import Field
from sqlalchemy import ColumnElement, and_, case, func, or_, select
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


def _waits() -> ColumnElement[bool]:
    """`is_open`, as the database asks it."""
    return and_(Notice.withdrawn_at.is_(None), or_(unanswered(), and_(Notice.asks_done, Recipient.done_at.is_(None))))


def _mine(caller: Caller) -> Any:
    """One's own rows with their notices, the head's record and the last reminder, in one statement."""
    to_read, to_do = ("before", "deadline"), ("done_before", "done_deadline")
    of_mine = or_(and_(unanswered(), Reminder.kind.in_(to_read)), and_(Recipient.done_at.is_(None), Reminder.kind.in_(to_do)))
    asked = select(func.max(Reminder.reminded_at)).where(Reminder.notice_id == Notice.id, of_mine)
    reminded = asked.correlate(Notice, Recipient).scalar_subquery()
    wanted = select(Recipient, Notice, Record, reminded.label("reminded_at")).join(Notice, Notice.id == Recipient.notice_id)
    by_head = and_(Record.notice_id == Recipient.notice_id, Record.person_id == Recipient.person_id)
    return wanted.outerjoin(Record, by_head).where(Recipient.person_id == caller.person_id)


@inbox.get("")
async def list_inbox(
    caller: Annotated[Caller, require("notice.read")],
    read: Read,
    open_: Annotated[bool | None, Query(alias="open", description="Only those that wait, or only the others")] = None,
    page: PageNo = 1,
    page_size: PageSize = 50,
) -> InboxListed:
    """One's own notices: those that wait first, the nearest deadline first; then the others, the latest first."""
    alerts = select(func.count()).select_from(Alert).join(AlertPerson, AlertPerson.alert_id == Alert.id)
    alerts_of_mine = alerts.where(AlertPerson.person_id == caller.person_id, alert_waits()).scalar_subquery()
    mine = select(func.count(), func.count().filter(_waits()), alerts_of_mine).select_from(Recipient)
    mine = mine.join(Notice, Notice.id == Recipient.notice_id).where(Recipient.person_id == caller.person_id)
    total, open_count, alert_count = (await read.execute(mine)).one()
    wanted = _mine(caller)
    if open_ is not None:
        wanted, total = wanted.where(_waits() if open_ else ~_waits()), open_count if open_ else total - open_count
    nearest = case((_waits(), Notice.deadline_at), else_=None)
    wanted = wanted.order_by(_waits().desc(), nearest.asc().nulls_last(), Notice.issued_at.desc(), Notice.id.desc())
    rows = (await read.execute(wanted.limit(page_size).offset((page - 1) * page_size))).all()
    items, counts = [_item(*row) for row in rows], {"open_count": open_count, "alert_count": alert_count}
    return InboxListed(items=items, total=total, page=page, page_size=page_size, **counts)


@inbox.get("/{notice_id}")
async def show_item(notice_id: NoticeId, caller: Annotated[Caller, require("notice.read")], read: Read) -> InboxItem:
    """One of one's own notices. Refused: `not_found`."""
    row = (await read.execute(_mine(caller).where(Recipient.notice_id == notice_id))).one_or_none()
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
    wanted = _mine(caller).where(Recipient.notice_id == notice_id)
    found = (await tx.execute(wanted.with_for_update(of=Recipient))).one_or_none()
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
