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
        }
        told = json.dumps(head, ensure_ascii=False, separators=(",", ":"))
        return f'{told[:-1]},"data":{self.model_dump_json()}}}'.encode()

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
    """What others may know of a person: who they are here."""

    id: UUID
    number: str
    name: str
    sort_key: str
    department_id: UUID
    employment: str
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
    """personnel has told its whole state again: what did not come with this telling is gone. `counts` says how much was told of each:
    people, departments, contacts, proofs, fitness."""

    subject: ClassVar[str] = "event.personnel.state.told"
    telling: UUID
    counts: dict[str, int]
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


class FitnessState(BaseModel):
    """Whether a person may be sent where a rule set applies: fit from, fit until (None: without end), or not at all (`fit_from` None).
    Never why: that stays in personnel."""

    person_id: UUID
    rule: str
    fit_from: datetime | None
    fit_until: datetime | None
    version: int


class FitnessChanged(Event):
    """Who is fit for what changed; up to 200 states in one."""

    subject: ClassVar[str] = "event.personnel.fitness.changed"
    fitness: list[FitnessState] = Field(max_length=PEOPLE_IN_ONE)
    telling: UUID | None = None


class ContactState(BaseModel):
    """Where a person is reached."""

    person_id: UUID
    phone: str | None
    email: str | None
    version: int


class ContactsChanged(Event):
    """Addresses changed. It travels in a stream of its own, CONTACTS, which notifications alone may read."""

    subject: ClassVar[str] = "contact.personnel.contacts.changed"
    contacts: list[ContactState] = Field(max_length=PEOPLE_IN_ONE)
    telling: UUID | None = None


class ProofState(BaseModel):
    """By what a person proves who they are, beside the staff number: the last four digits of their phone number."""

    person_id: UUID
    phone_last4: str | None
    version: int


class ProofsChanged(Event):
    """Phone numbers changed. It travels in a stream of its own, PROOFS, which identity alone may read."""

    subject: ClassVar[str] = "proof.personnel.proofs.changed"
    proofs: list[ProofState] = Field(max_length=PEOPLE_IN_ONE)
    telling: UUID | None = None


# identity


class HolderState(BaseModel):
    """Which roles a person was given; those that come from facts are not among them."""

    person_id: UUID
    roles: list[str]
    version: int


class HoldersChanged(Event):
    """Who holds which given role changed: whoever alerts "the coordinators" must know them."""

    subject: ClassVar[str] = "event.identity.holders.changed"
    holders: list[HolderState] = Field(max_length=PEOPLE_IN_ONE)


class RolesChanged(Event):
    """What an account may do changed: whoever keeps its token asks for a new one."""

    subject: ClassVar[str] = "event.identity.roles.changed"
    account_ids: list[UUID] = Field(max_length=PEOPLE_IN_ONE)


class SessionsEnded(Event):
    """Sessions ended: whoever keeps a token of theirs forgets it."""

    subject: ClassVar[str] = "event.identity.sessions.ended"
    session_ids: list[UUID] = Field(max_length=PEOPLE_IN_ONE)


# duty


class DutyState(BaseModel):
    """A person on a post for a time, as the published roster says. `gives_rights`: whoever holds it has the duty officer's rights."""

    id: UUID
    post_id: UUID
    post_name: str
    person_id: UUID
    starts_at: datetime
    ends_at: datetime
    gives_rights: bool
    state: Literal["published", "released"]
    version: int


class DutiesChanged(Event):
    """Duties were published, amended or released."""

    subject: ClassVar[str] = "event.duty.duties.changed"
    duties: list[DutyState] = Field(max_length=PEOPLE_IN_ONE)


class GapOpened(Event):
    """Somebody fell out of a published duty: whom to ask instead, the best first."""

    subject: ClassVar[str] = "event.duty.gap.opened"
    gap_id: UUID
    post_name: str
    person_id: UUID
    starts_at: datetime
    ends_at: datetime
    because: Literal["left", "unfit", "unavailable"]
    candidate_ids: list[UUID] = Field(max_length=20)


class GapFilled(Event):
    """Somebody else holds the duty now."""

    subject: ClassVar[str] = "event.duty.gap.filled"
    gap_id: UUID
    person_id: UUID


# dispatch


class TeamState(BaseModel):
    """A standing team and who is in it."""

    id: UUID
    name: str
    leader_id: UUID | None
    deputy_id: UUID | None
    member_ids: list[UUID]
    version: int


class TeamsChanged(Event):
    """Teams were formed or changed; one without members is dissolved."""

    subject: ClassVar[str] = "event.dispatch.teams.changed"
    teams: list[TeamState]


class ShiftState(BaseModel):
    """A time at a site. Who leads it, the people of that shift may call."""

    id: UUID
    operation_id: UUID
    operation_name: str
    site_id: UUID
    site_name: str
    starts_at: datetime
    ends_at: datetime
    leader_id: UUID | None
    state: Literal["planned", "open", "cancelled"]
    version: int


class ShiftsChanged(Event):
    """Shifts were made, changed, moved or cancelled."""

    subject: ClassVar[str] = "event.dispatch.shifts.changed"
    shifts: list[ShiftState] = Field(max_length=PEOPLE_IN_ONE)


class AssignmentState(BaseModel):
    """A person on a shift."""

    id: UUID
    shift_id: UUID
    person_id: UUID
    role: str
    state: Literal["proposed", "confirmed", "checked_in", "checked_out", "declined", "released", "no_show"]
    starts_at: datetime
    ends_at: datetime
    version: int


class AssignmentsChanged(Event):
    """Assignments were made or went a step on; `retold`: none did, they are told to whoever lost them, and are no news outside."""

    subject: ClassVar[str] = "event.dispatch.assignments.changed"
    assignments: list[AssignmentState] = Field(max_length=PEOPLE_IN_ONE)
    retold: bool = False


class ShiftMoved(Event):
    """A shift that people are on was moved: each of them is told the old and the new times, and why; and is asked again."""

    subject: ClassVar[str] = "event.dispatch.shift.moved"
    shift_id: UUID
    operation_name: str
    site_name: str
    person_ids: list[UUID]
    old_starts_at: datetime
    old_ends_at: datetime
    starts_at: datetime
    ends_at: datetime
    reason: str | None


class ShiftCancelled(Event):
    """A shift that people are on was cancelled: each of them is told, and why."""

    subject: ClassVar[str] = "event.dispatch.shift.cancelled"
    shift_id: UUID
    operation_name: str
    site_name: str
    person_ids: list[UUID]
    starts_at: datetime
    ends_at: datetime
    reason: str


class PlaceOpened(Event):
    """Somebody fell out of a shift: whom to ask instead, the best first. `because` never says more of a person's health than that."""

    subject: ClassVar[str] = "event.dispatch.place.opened"
    assignment_id: UUID
    shift_id: UUID
    operation_name: str
    site_name: str
    role: str
    person_id: UUID
    starts_at: datetime
    ends_at: datetime
    because: Literal["declined", "left", "unfit", "unavailable", "duty", "released"]
    candidate_ids: list[UUID] = Field(max_length=20)


class PlaceFilled(Event):
    """Somebody else stands in for whoever fell out."""

    subject: ClassVar[str] = "event.dispatch.place.filled"
    assignment_id: UUID  # of the one who fell out
    shift_id: UUID
    person_id: UUID


class PlaceClosed(Event):
    """Nobody is needed any more for the place that somebody fell out of: the shift was cancelled, or has fewer places now."""

    subject: ClassVar[str] = "event.dispatch.place.closed"
    assignment_id: UUID  # of the one who fell out
    shift_id: UUID


class CountsChanged(Event):
    """Sample counts of a site were entered."""

    subject: ClassVar[str] = "event.dispatch.counts.changed"
    operation_id: UUID
    site_id: UUID


# notifications


class NoticesChanged(Event):
    """A notice was issued, withdrawn or its deadline passed."""

    subject: ClassVar[str] = "event.notifications.notices.changed"
    notice_id: UUID
    state: str


class AcknowledgementsChanged(Event):
    """People were told, opened, acknowledged or did what a notice asks."""

    subject: ClassVar[str] = "event.notifications.acknowledgements.changed"
    notice_id: UUID
    person_ids: list[UUID] = Field(max_length=PEOPLE_IN_ONE)


class AlertsChanged(Event):
    """The alerts of these people changed."""

    subject: ClassVar[str] = "event.notifications.alerts.changed"
    person_ids: list[UUID] = Field(max_length=PEOPLE_IN_ONE)
