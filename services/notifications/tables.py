"""notifications's schema on one page: notices and who they are for, what people answered, alerts, what left the house, what others told."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import UUID as PgUuid
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from shared.db import TYPES, metadata
from shared.known import DepartmentColumns, PersonColumns


class Table(DeclarativeBase):
    """Base of notifications's tables; the schema is the search path of the service's role."""

    metadata = metadata()
    type_annotation_map = {**TYPES, list[str]: ARRAY(Text), list[UUID]: ARRAY(PgUuid(as_uuid=True)), str: Text}


def _fresh_id() -> Any:
    return mapped_column(primary_key=True, server_default=text("uuidv7()"))


class Notice(Table):
    """What was issued; its words, deadlines and audience are never changed afterwards, it is only withdrawn."""

    __tablename__ = "notice"
    id: Mapped[UUID] = _fresh_id()
    kind: Mapped[str]  # order, information, alert
    title: Mapped[str]
    text: Mapped[str]
    title_en: Mapped[str | None]
    text_en: Mapped[str | None]
    audience_kind: Mapped[str]  # everyone, departments, teams, shift, people
    audience_ids: Mapped[list[UUID]]
    deadline_at: Mapped[datetime | None]
    asks_done: Mapped[bool]
    done_deadline_at: Mapped[datetime | None]
    mail: Mapped[bool]
    about_health: Mapped[bool] = mapped_column(default=False)  # whom it is for says how they stand
    head_count: Mapped[int]
    issued_by: Mapped[UUID | None] = mapped_column(index=True)  # the person; nobody where a system issued it
    issued_by_name: Mapped[str]
    issued_at: Mapped[datetime] = mapped_column(index=True)
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by_name: Mapped[str | None]
    withdrawn_reason: Mapped[str | None]


class Recipient(Table):
    """One person whom one notice reaches, and when they did what. An instant that was written stays."""

    __tablename__ = "recipient"
    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    notice_id: Mapped[UUID] = mapped_column(primary_key=True)
    department_id: Mapped[UUID]  # as it was when the notice was issued
    told_at: Mapped[datetime]
    opened_at: Mapped[datetime | None]
    read_at: Mapped[datetime | None]
    recorded_at: Mapped[datetime | None]
    corrected_at: Mapped[datetime | None]  # the head's record was found wrong: it no longer counts
    done_at: Mapped[datetime | None]
    late: Mapped[bool] = mapped_column(default=False)
    done_late: Mapped[bool] = mapped_column(default=False)
    __table_args__ = (Index(None, "notice_id", "department_id"),)


class NoticeDepartment(Table):
    """How a department stands with a notice: counted by the database in the transaction of each answer."""

    __tablename__ = "notice_department"
    notice_id: Mapped[UUID] = mapped_column(ForeignKey("notice.id"), primary_key=True)
    department_id: Mapped[UUID] = mapped_column(primary_key=True, index=True)
    told_count: Mapped[int]
    opened_count: Mapped[int]
    read_count: Mapped[int]
    by_head_count: Mapped[int]
    done_count: Mapped[int]
    late_count: Mapped[int]
    done_late_count: Mapped[int]


class Record(Table):
    """A head recorded how the notice was conveyed to somebody who then acknowledged it to them."""

    __tablename__ = "record"
    id: Mapped[UUID] = _fresh_id()
    notice_id: Mapped[UUID] = mapped_column(ForeignKey("notice.id"))
    person_id: Mapped[UUID]
    department_id: Mapped[UUID]
    method: Mapped[str]  # group_chat, in_person, meeting
    note: Mapped[str | None]
    recorded_by: Mapped[UUID | None]
    recorded_by_name: Mapped[str]
    recorded_at: Mapped[datetime]
    __table_args__ = (UniqueConstraint("notice_id", "person_id", name="record__recorded_already"),)


class Correction(Table):
    """A record that was wrong: why, and who says so. The record itself stays."""

    __tablename__ = "correction"
    record_id: Mapped[UUID] = mapped_column(ForeignKey("record.id"), primary_key=True)
    reason: Mapped[str]
    corrected_by_name: Mapped[str]
    corrected_at: Mapped[datetime]


class Reminder(Table):
    """Everybody who had not answered was reminded; once of each kind. One row, since who has answered says who has not."""

    __tablename__ = "reminder"
    notice_id: Mapped[UUID] = mapped_column(ForeignKey("notice.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)  # before, deadline, done_before, done_deadline
    reminded_at: Mapped[datetime]
    missing_count: Mapped[int]


class Alert(Table):
    """Something that somebody has to see to: people missing, a gap, a place, a shift that moved."""

    __tablename__ = "alert"
    id: Mapped[UUID] = _fresh_id()
    kind: Mapped[str]  # one of AlertKind in shapes.py
    ref: Mapped[str]
    notice_id: Mapped[UUID | None]
    department_id: Mapped[UUID | None]
    params: Mapped[dict[str, Any]]
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[UUID | None]  # the person who stands in
    __table_args__ = (UniqueConstraint("kind", "ref", name="alert__ref_taken"),)


class AlertPerson(Table):
    """Whom an alert is for."""

    __tablename__ = "alert_person"
    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    alert_id: Mapped[UUID] = mapped_column(ForeignKey("alert.id"), primary_key=True, index=True)
    seen_at: Mapped[datetime | None]


class Delivery(Table):
    """What became of a notice's e-mail to a person; the inbox in the app does not depend on it."""

    __tablename__ = "delivery"
    errand_id: Mapped[UUID] = mapped_column(primary_key=True)
    notice_id: Mapped[UUID] = mapped_column(ForeignKey("notice.id"))
    person_id: Mapped[UUID]
    why: Mapped[str]  # issued, or the kind of the reminder
    ended_at: Mapped[datetime]
    error: Mapped[str | None]
    __table_args__ = (Index(None, "notice_id", "person_id"),)


class Webhook(Table):
    """Where an outside system wants to be told."""

    __tablename__ = "webhook"
    id: Mapped[UUID] = _fresh_id()
    url: Mapped[str]
    kind: Mapped[str]  # assignment.confirmed
    secret: Mapped[str]  # signs what is sent, so it cannot be kept hashed
    made_by_name: Mapped[str]
    made_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class KnownPerson(PersonColumns, Table):
    """Who somebody is here, as personnel told it."""

    __tablename__ = "known_person"


class KnownDepartment(DepartmentColumns, Table):
    """A department and those who answer for it, as personnel told it."""

    __tablename__ = "known_department"


class KnownContact(Table):
    """Where a person is reached, as personnel told it to this service alone."""

    __tablename__ = "known_contact"
    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    phone: Mapped[str | None]
    email: Mapped[str | None]
    version: Mapped[int]
    telling: Mapped[UUID | None]
    heard_at: Mapped[datetime]


class KnownHolder(Table):
    """Which roles a person was given, as identity told it."""

    __tablename__ = "known_holder"
    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    roles: Mapped[list[str]]
    version: Mapped[int]
    heard_at: Mapped[datetime]


class KnownTeam(Table):
    """A team and who is in it, as dispatch told it."""

    __tablename__ = "known_team"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    leader_id: Mapped[UUID | None]
    deputy_id: Mapped[UUID | None]
    member_ids: Mapped[list[UUID]]
    version: Mapped[int]
    heard_at: Mapped[datetime]


class KnownShift(Table):
    """A time at a site and who leads it, as dispatch told it."""

    __tablename__ = "known_shift"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    operation_name: Mapped[str]
    site_name: Mapped[str]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    leader_id: Mapped[UUID | None]
    state: Mapped[str]
    version: Mapped[int]
    heard_at: Mapped[datetime]


class KnownAssignment(Table):
    """A person on a shift, as dispatch told it."""

    __tablename__ = "known_assignment"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    shift_id: Mapped[UUID] = mapped_column(index=True)
    person_id: Mapped[UUID] = mapped_column(index=True)
    role: Mapped[str]
    state: Mapped[str]
    version: Mapped[int]
    heard_at: Mapped[datetime]
