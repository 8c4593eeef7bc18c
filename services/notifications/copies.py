"""The copy: all that notifications keeps about whoever asks, for their download."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field
from sqlalchemy import or_, select

from services.notifications.tables import Alert, AlertPerson, Delivery, KnownContact, KnownHolder, KnownPerson, Notice, Recipient, Record
from shared.auth import Caller, signed_in
from shared.clock import now
from shared.db import Read, as_system
from shared.refusals import Refused
from shared.service import Slice
from shared.web import Shown

copies = Slice(prefix="/people", tags=["people"])


class PersonKept(Shown):
    """Who one is here, as personnel told it."""

    number: str
    name: str
    department_id: UUID
    employment: str
    left_on: date | None


class NoticeKept(Shown):
    """A notice that one was told, and when one did what."""

    title: str
    kind: str = Field(examples=["order"])
    told_at: datetime
    opened_at: datetime | None
    read_at: datetime | None
    recorded_at: datetime | None
    done_at: datetime | None
    late: bool
    done_late: bool


class RecordKept(Shown):
    """What a head recorded of one, or what one recorded as a head."""

    method: str = Field(examples=["in_person"])
    note: str | None = Field(examples=["在门岗当面传达，本人口头回复。"])
    recorded_by_name: str
    recorded_at: datetime


class IssuedKept(Shown):
    """A notice that one issued."""

    title: str
    kind: str = Field(examples=["order"])
    issued_at: datetime


class AlertKept(Shown):
    """An alert that one was shown."""

    kind: str = Field(examples=["place"])
    opened_at: datetime
    closed_at: datetime | None
    seen_at: datetime | None


class DeliveryKept(Shown):
    """What became of an e-mail to one."""

    why: str = Field(examples=["issued"])
    ended_at: datetime
    error: str | None


class Copy(Shown):
    """All that notifications keeps about the caller."""

    made_at: datetime
    person: PersonKept | None
    phone: str | None
    email: str | None
    roles: list[str]
    notices: list[NoticeKept]
    records: list[RecordKept]
    issued: list[IssuedKept]
    alerts: list[AlertKept]
    deliveries: list[DeliveryKept]


@copies.get("/me/copy")
async def copy_own(caller: Annotated[Caller, signed_in], read: Read) -> Copy:
    """All that notifications keeps about the caller, for the download. Refused: `not_found` for an API client or an account without a
    person."""
    own = caller.person_id
    if own is None:
        raise Refused("not_found", 404)
    async with as_system(read):  # one's own rows, named one by one below
        person, contact, holder = [await read.get(table, own) for table in _KNOWN]
        told = select(Notice.title, Notice.kind, *(getattr(Recipient, name) for name in _ANSWERS))
        notices = await read.execute(
            told.join(Notice, Notice.id == Recipient.notice_id).where(Recipient.person_id == own).order_by(Recipient.told_at)
        )
        concerned = or_(Record.person_id == own, Record.recorded_by == own)
        records = await read.scalars(select(Record).where(concerned).order_by(Record.recorded_at))
        issued = await read.scalars(select(Notice).where(Notice.issued_by == own).order_by(Notice.issued_at))
        shown = select(Alert.kind, Alert.opened_at, Alert.closed_at, AlertPerson.seen_at).join(
            AlertPerson, AlertPerson.alert_id == Alert.id
        )
        alerts = await read.execute(shown.where(AlertPerson.person_id == own).order_by(Alert.opened_at))
        deliveries = await read.scalars(select(Delivery).where(Delivery.person_id == own).order_by(Delivery.ended_at))
        return Copy(
            made_at=now(),
            person=PersonKept.model_validate(person) if person else None,
            phone=contact.phone if contact else None,
            email=contact.email if contact else None,
            roles=holder.roles if holder else [],
            notices=[NoticeKept.model_validate(row) for row in notices],
            records=[RecordKept.model_validate(row) for row in records],
            issued=[IssuedKept.model_validate(row) for row in issued],
            alerts=[AlertKept.model_validate(row) for row in alerts],
            deliveries=[DeliveryKept.model_validate(row) for row in deliveries],
        )


_KNOWN: tuple[Any, ...] = (KnownPerson, KnownContact, KnownHolder)
_ANSWERS = ("told_at", "opened_at", "read_at", "recorded_at", "done_at", "late", "done_late")
