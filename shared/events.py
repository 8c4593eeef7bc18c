"""Every event of the system, one class each, by publisher; they travel as CloudEvents 1.0, never with health data or contact addresses."""

import json
from datetime import date, datetime
from typing import Any, ClassVar, Literal, Self
from uuid import UUID, uuid4

from pydantic import BaseModel, ConfigDict, Field

PEOPLE_IN_ONE = 200
"""A command that touches many people tells them in events of so many: relaying 50,000 single ones takes 12 s, 250 take a moment."""


class Event(BaseModel):
    """State and version of what changed. `subject` is where it travels: event.<service>.<noun>.<past tense>."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    subject: ClassVar[str]

    @classmethod
    def source(cls) -> str:
        """The service that publishes it."""
        return cls.subject.split(".")[1]

    def envelope(self, event_id: UUID, at: datetime) -> bytes:
        """The event as CloudEvents 1.0 JSON."""
        head = {
            "specversion": "1.0",
            "id": str(event_id),
            "source": f"/{self.source()}",
            "type": self.subject.removeprefix("event."),
            "time": at.isoformat(),
            "datacontenttype": "application/json",
            "data": self.model_dump(mode="json"),
        }
        return json.dumps(head, ensure_ascii=False, separators=(",", ":")).encode()

    @classmethod
    def from_envelope(cls, body: bytes) -> tuple[UUID, Self]:
        """The id and the event of an envelope."""
        found: dict[str, Any] = json.loads(body)
        return UUID(found["id"]), cls.model_validate(found["data"])


def fresh_id() -> UUID:
    """The id of a new event."""
    return uuid4()


# personnel


class PersonState(BaseModel):
    """What others may know of a person: who they are here. Of the phone number, identity is told the last four digits only."""

    id: UUID
    number: str
    name: str
    sort_key: str
    department_id: UUID
    employment: str
    phone_last4: str | None
    left_on: date | None
    version: int


class PeopleChanged(Event):
    """People were added or changed; up to 200 in one."""

    subject: ClassVar[str] = "event.personnel.people.changed"
    people: list[PersonState] = Field(max_length=PEOPLE_IN_ONE)
    telling: UUID | None = None  # set while a whole state is told again


class PeopleRemoved(Event):
    """The records of people were removed at the end of their keep time."""

    subject: ClassVar[str] = "event.personnel.people.removed"
    person_ids: list[UUID] = Field(max_length=PEOPLE_IN_ONE)


class DepartmentState(BaseModel):
    """A department and those who answer for it."""

    id: UUID
    name: str
    parent_id: UUID | None
    head_id: UUID | None
    reporter_id: UUID | None
    deputy_id: UUID | None
    version: int


class DepartmentsChanged(Event):
    """Departments were added or changed."""

    subject: ClassVar[str] = "event.personnel.departments.changed"
    departments: list[DepartmentState] = Field(max_length=PEOPLE_IN_ONE)
    telling: UUID | None = None


class StateTold(Event):
    """personnel has told its whole state again: what did not come with this telling is gone. `counts` says how much was told."""

    subject: ClassVar[str] = "event.personnel.state.told"
    telling: UUID
    people_count: int
    departments_count: int
    began_at: datetime


class RecordLooked(Event):
    """Somebody looked at health data: whose, or which filter with how many people, on which page."""

    subject: ClassVar[str] = "event.personnel.record.looked"
    account_id: UUID | None
    client_id: UUID | None
    looker_id: UUID | None  # the person behind the account
    looker_name: str
    what: Literal["record", "list", "export", "exemptions", "copy"]
    person_ids: list[UUID] = Field(max_length=PEOPLE_IN_ONE)
    people_count: int
    filter: dict[str, Any]
    purpose: str
    looked_at: datetime


class HealthRecordChanged(Event):
    """Something in a person's health record changed; what, only personnel says, to whom it may."""

    subject: ClassVar[str] = "event.personnel.record.changed"
    person_ids: list[UUID] = Field(max_length=PEOPLE_IN_ONE)


class ImportMoved(Event):
    """An import went a step on: read, ready, committed, failed."""

    subject: ClassVar[str] = "event.personnel.import.moved"
    import_id: UUID
    state: str


class RemarkWritten(Event):
    """A person reported an error in their record, or was answered."""

    subject: ClassVar[str] = "event.personnel.remark.written"
    remark_id: UUID
    person_id: UUID


# identity


class RolesChanged(Event):
    """What an account may do changed: whoever keeps its token asks for a new one."""

    subject: ClassVar[str] = "event.identity.roles.changed"
    account_ids: list[UUID] = Field(max_length=PEOPLE_IN_ONE)


class SessionsEnded(Event):
    """Sessions ended: whoever keeps a token of theirs forgets it."""

    subject: ClassVar[str] = "event.identity.sessions.ended"
    session_ids: list[UUID] = Field(max_length=PEOPLE_IN_ONE)
