"""Records: a head writes down how a notice was conveyed to people of the department, who acknowledged it to them."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Path
from pydantic import Field
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.notifications.reads import notice_of, people_named
from services.notifications.rules import answered_at, is_late
from services.notifications.shapes import Method, NoticeId, PersonBrief
from services.notifications.tables import Correction, KnownDepartment, Notice, Recipient, Record
from shared.auth import Caller, require
from shared.below import with_everything_below
from shared.clock import now
from shared.db import Tx
from shared.events import AcknowledgementsChanged
from shared.messaging.outbox import publish
from shared.refusals import Refused, wrong
from shared.service import Slice
from shared.story import example_id
from shared.web import Body, Note, Shown

records = Slice(prefix="/notices/{notice_id}/records", tags=["records"])

MOST_PEOPLE = 200
RecordId = Annotated[UUID, Path(examples=[example_id("record")])]


class NewRecord(Body):
    """How these people were told, and that they acknowledged it."""

    person_ids: list[UUID] = Field(min_length=1, max_length=MOST_PEOPLE)
    method: Method
    note: Note | None = None

    model_config = Body.model_config | {
        "json_schema_extra": {
            "example": {"person_ids": [example_id("person")], "method": "in_person", "note": "在门岗当面传达，本人口头回复。"}
        }
    }


class RecordCorrection(Body):
    """Why a record was wrong."""

    reason: Note

    model_config = Body.model_config | {"json_schema_extra": {"example": {"reason": "记错了人。"}}}


class Recorded(Shown):
    """What became of it: those who had acknowledged already, or were recorded before, stay as they are."""

    recorded: list[PersonBrief]
    already: list[PersonBrief]


class Corrected(Shown):
    """A record that no longer counts."""

    record_id: UUID
    person_id: UUID
    late: bool


@records.post("", status_code=201)
async def record_people(
    notice_id: NoticeId, wish: NewRecord, caller: Annotated[Caller, require("acknowledgement.record")], tx: Tx
) -> Recorded:
    """Record on behalf of people of one's department; shown apart from what people acknowledge themselves, and late after the deadline.

    Refused: `not_found`, `withdrawn`; 422 `unknown_id` for somebody whom the notice did not reach or who is not of one's department;
    `acknowledged_already` when nothing is left to record."""
    notice = await notice_of(tx, notice_id)
    if notice.withdrawn_at is not None:
        raise Refused("withdrawn", 409, {"reason": notice.withdrawn_reason or ""})
    rows = await _held(tx, caller, notice, wish.person_ids)
    fresh = [row for row in rows if answered_at(row) is None and row.recorded_at is None]
    if not fresh:
        raise Refused("acknowledged_already", 409)
    at = now()
    ids = [row.person_id for row in fresh]
    written = update(Recipient).where(Recipient.notice_id == notice.id, Recipient.person_id.in_(ids))
    values = {"recorded_at": at, "late": is_late(at, notice.deadline_at)}
    await tx.execute(written.values(values).execution_options(synchronize_session=False))
    signed: dict[str, Any] = {
        "method": wish.method,
        "note": wish.note,
        "recorded_by": caller.person_id,
        "recorded_by_name": caller.name,
        "recorded_at": at,
    }
    whose = [{"notice_id": notice.id, "person_id": row.person_id, "department_id": row.department_id} for row in fresh]
    await tx.execute(insert(Record), [{**one, **signed} for one in whose])
    publish(tx, AcknowledgementsChanged(notice_id=notice.id, person_ids=ids))
    people = await people_named(tx, [row.person_id for row in rows])
    done = set(ids)
    shown = [people.get(row.person_id) or PersonBrief(id=row.person_id, name="") for row in rows]
    return Recorded(recorded=[one for one in shown if one.id in done], already=[one for one in shown if one.id not in done])


@records.post("/{record_id}/correction")
async def correct_record(
    notice_id: NoticeId,
    record_id: RecordId,
    wish: RecordCorrection,
    caller: Annotated[Caller, require("acknowledgement.record")],
    tx: Tx,
) -> Corrected:
    """Say that a record was wrong. It stays, with the correction beside it, and counts no more; the person acknowledges by themselves.

    Refused: `not_found`, `corrected_already`."""
    record = await tx.get(Record, record_id)
    notice = await notice_of(tx, notice_id)
    reach = caller.reach("acknowledgement.record")
    if record is None or record.notice_id != notice_id or not reach:
        raise Refused("not_found", 404)
    row = (await _held(tx, caller, notice, [record.person_id]))[0]
    if row.corrected_at is not None:
        raise Refused("corrected_already", 409)
    row.corrected_at = now()
    row.late = is_late(answered_at(row), notice.deadline_at)
    tx.add(Correction(record_id=record_id, reason=wish.reason, corrected_by_name=caller.name, corrected_at=row.corrected_at))
    await tx.flush()
    publish(tx, AcknowledgementsChanged(notice_id=notice_id, person_ids=[row.person_id]))
    return Corrected(record_id=record_id, person_id=row.person_id, late=row.late)


async def _held(tx: AsyncSession, caller: Caller, notice: Notice, person_ids: list[UUID]) -> list[Recipient]:
    """These recipients, held in one order; each must be of a department that the caller answers for, and nobody records for themselves.

    Whoever may follow all of a notice still answers for their own departments alone."""
    wanted = set(person_ids)
    mine = select(Recipient).where(Recipient.notice_id == notice.id, Recipient.person_id.in_(wanted))
    mine = mine.where(Recipient.person_id != caller.person_id)
    reach = caller.reach("acknowledgement.record")
    if not reach.everything:
        mine = mine.where(Recipient.department_id.in_(with_everything_below(KnownDepartment, reach.departments)))
    rows = list(await tx.scalars(mine.order_by(Recipient.person_id).with_for_update()))
    if len(rows) != len(wanted):
        raise wrong("person_ids", "unknown_id")
    return rows
