"""dispatch's schema on one page: teams, operations with their sites and shifts, the people on them, counts, and what others told."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import UUID as PgUuid
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from shared.db import TYPES, metadata
from shared.known import DepartmentColumns, PersonColumns

OPEN_STATES = ("proposed", "confirmed", "checked_in")
"""Who is in one of these holds a place and a booking, and is still to come or to end."""
HOLDS_PLACE = (*OPEN_STATES, "checked_out")
"""Who is in one of these takes one of the role's places."""


class Table(DeclarativeBase):
    """Base of dispatch's tables; the schema is the search path of the service's role."""

    metadata = metadata()
    type_annotation_map = {**TYPES, list[str]: ARRAY(Text), list[UUID]: ARRAY(PgUuid(as_uuid=True)), str: Text}


def _fresh_id() -> Any:
    return mapped_column(primary_key=True, server_default=text("uuidv7()"))


class Team(Table):
    """A standing team. `requirement` names the rule set that its people must be fit for."""

    __tablename__ = "team"
    id: Mapped[UUID] = _fresh_id()
    name: Mapped[str] = mapped_column(unique=True)
    leader_id: Mapped[UUID | None]
    deputy_id: Mapped[UUID | None]
    requirement: Mapped[str | None]
    version: Mapped[int]


class TeamMember(Table):
    """A person in a team."""

    __tablename__ = "team_member"
    team_id: Mapped[UUID] = mapped_column(ForeignKey("team.id"), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(primary_key=True)


class Operation(Table):
    """One deployment, from a day until another. What it requires and asks people to bring holds for all its shifts."""

    __tablename__ = "operation"
    id: Mapped[UUID] = _fresh_id()
    name: Mapped[str]
    kind: Mapped[str]
    place: Mapped[str]
    partner: Mapped[str | None]
    from_on: Mapped[date]
    until_on: Mapped[date]
    requirement: Mapped[str | None]
    bring: Mapped[str | None]
    note: Mapped[str | None]
    state: Mapped[str]
    version: Mapped[int]
    created_at: Mapped[datetime]


class Site(Table):
    """A place of an operation; `code` is what its QR code carries, and who is there checks in with it."""

    __tablename__ = "site"
    id: Mapped[UUID] = _fresh_id()
    operation_id: Mapped[UUID] = mapped_column(ForeignKey("operation.id"))
    name: Mapped[str]
    address: Mapped[str | None]
    leader_id: Mapped[UUID | None]
    place_in_list: Mapped[int]
    code: Mapped[str]
    version: Mapped[int]


class Shift(Table):
    """A time at a site. `bring` beside what the operation asks; `reason` is why it was cancelled or last moved."""

    __tablename__ = "shift"
    id: Mapped[UUID] = _fresh_id()
    operation_id: Mapped[UUID] = mapped_column(ForeignKey("operation.id"))
    site_id: Mapped[UUID] = mapped_column(ForeignKey("site.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    leader_id: Mapped[UUID | None]
    signup: Mapped[bool]
    bring: Mapped[str | None]
    state: Mapped[str]
    reason: Mapped[str | None]
    version: Mapped[int]


class ShiftRole(Table):
    """How many people a shift asks for in a role; none once the role is not needed any more."""

    __tablename__ = "shift_role"
    shift_id: Mapped[UUID] = mapped_column(ForeignKey("shift.id"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    head_count: Mapped[int]
    place_in_list: Mapped[int]


class Assignment(Table):
    """A person on a shift. Its times are the shift's, kept here so that a person's hours need no join; its booking's ref is its id."""

    __tablename__ = "assignment"
    id: Mapped[UUID] = _fresh_id()
    shift_id: Mapped[UUID] = mapped_column(ForeignKey("shift.id"))
    person_id: Mapped[UUID]
    role: Mapped[str]
    state: Mapped[str]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    walk_on: Mapped[bool]
    late: Mapped[bool]
    asked_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    reason: Mapped[str | None]
    override_reason: Mapped[str | None]
    override_by: Mapped[UUID | None]
    override_by_name: Mapped[str | None]
    checked_in_at: Mapped[datetime | None]
    checked_out_at: Mapped[datetime | None]
    version: Mapped[int]
    __table_args__ = (
        ForeignKeyConstraint(["shift_id", "role"], ["shift_role.shift_id", "shift_role.name"], name="assignment__role_unknown"),
    )


class TimeCorrection(Table):
    """When somebody came and went, said anew by whoever leads there: what stood before, what stands since, and why."""

    __tablename__ = "time_correction"
    id: Mapped[UUID] = _fresh_id()
    assignment_id: Mapped[UUID] = mapped_column(ForeignKey("assignment.id"))
    old_checked_in_at: Mapped[datetime]
    old_checked_out_at: Mapped[datetime | None]
    checked_in_at: Mapped[datetime]
    checked_out_at: Mapped[datetime | None]
    reason: Mapped[str]
    corrected_by: Mapped[UUID | None]
    corrected_by_name: Mapped[str]
    corrected_at: Mapped[datetime]


class OpenPlace(Table):
    """Somebody fell out of a shift: an alert until the place is filled, or no longer needed."""

    __tablename__ = "open_place"
    assignment_id: Mapped[UUID] = mapped_column(ForeignKey("assignment.id"), primary_key=True)
    shift_id: Mapped[UUID] = mapped_column(ForeignKey("shift.id"))
    person_id: Mapped[UUID]
    role: Mapped[str]
    because: Mapped[str]
    state: Mapped[str]
    opened_at: Mapped[datetime]
    filled_by: Mapped[UUID | None]
    closed_at: Mapped[datetime | None]


class SampleCount(Table):
    """Samples taken at a site in an hour of a local day. A correction is a new row that supersedes the old; both stay."""

    __tablename__ = "sample_count"
    id: Mapped[UUID] = _fresh_id()
    site_id: Mapped[UUID] = mapped_column(ForeignKey("site.id"))
    on: Mapped[date]
    hour: Mapped[int]
    samples: Mapped[int]
    superseded: Mapped[bool]
    entered_by: Mapped[UUID | None]
    entered_by_name: Mapped[str]
    entered_at: Mapped[datetime]


class KnownFitness(Table):
    """From when until when a person may be sent where a rule set applies, as personnel told it; `fit_from` None: not at all."""

    __tablename__ = "known_fitness"
    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    rule: Mapped[str] = mapped_column(primary_key=True)
    fit_from: Mapped[datetime | None]
    fit_until: Mapped[datetime | None]
    version: Mapped[int]
    telling: Mapped[UUID | None]
    heard_at: Mapped[datetime]


class KnownPerson(PersonColumns, Table):
    """Who somebody is here, as personnel told it."""

    __tablename__ = "known_person"


class KnownDepartment(DepartmentColumns, Table):
    """A department and those who answer for it, as personnel told it."""

    __tablename__ = "known_department"
