"""duty's schema on one page: posts, rosters and their duties, how they were amended, the gaps that opened, feeds, and whom duty knows."""

from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Double, ForeignKey, Index, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import UUID as PgUuid
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from shared.db import TYPES, metadata
from shared.known import DepartmentColumns, PersonColumns


class Table(DeclarativeBase):
    """Base of duty's tables; the schema is the search path of the service's role."""

    metadata = metadata()
    type_annotation_map = {**TYPES, list[UUID]: ARRAY(PgUuid(as_uuid=True)), float: Double, str: Text}


def _fresh_id() -> Any:
    return mapped_column(primary_key=True, default=uuid4)  # known before the insert, so that many go in one statement


class Post(Table):
    """A duty that must be covered every day, from a local time on for so many hours. Both pools empty: everyone may hold it."""

    __tablename__ = "post"
    id: Mapped[UUID] = _fresh_id()
    name: Mapped[str]
    starts_at_time: Mapped[str]  # HH:MM on the institution's clock
    hours: Mapped[float]
    head_count: Mapped[int]
    gives_rights: Mapped[bool]  # whoever holds it has the duty officer's rights
    counted_hours: Mapped[float | None]  # of the limit in 24; nothing: all of them
    rest_hours: Mapped[float | None]  # that must follow; nothing: the institution's least rest
    pool_departments: Mapped[list[UUID]]  # with everything below
    pool_people: Mapped[list[UUID]]
    place_in_list: Mapped[int]
    retired: Mapped[bool]
    version: Mapped[int]


class Roster(Table):
    """A week of duties. Published, it keeps the posts as they were then: what is changed of a post later holds for later weeks."""

    __tablename__ = "roster"
    monday: Mapped[date] = mapped_column(primary_key=True)
    state: Mapped[str]  # draft, published
    posts: Mapped[list[dict[str, Any]] | None]
    version: Mapped[int]
    published_at: Mapped[datetime | None]
    published_by: Mapped[UUID | None]


class Duty(Table):
    """A person on a place of a post for a time. Who is relieved in the middle keeps what was served, and another row takes the place."""

    __tablename__ = "duty"
    id: Mapped[UUID] = _fresh_id()
    monday: Mapped[date] = mapped_column(ForeignKey("roster.monday"))
    post_id: Mapped[UUID] = mapped_column(ForeignKey("post.id"))
    on: Mapped[date]
    place: Mapped[int]
    person_id: Mapped[UUID]
    post_name: Mapped[str]
    gives_rights: Mapped[bool]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    state: Mapped[str]  # draft, published, released
    relieved_at: Mapped[datetime | None]
    version: Mapped[int]

    __table_args__ = (Index("duty_person_id_ends_at_idx", "person_id", "ends_at"), Index("duty_ends_at_idx", "ends_at"))


class Amendment(Table):
    """What was changed in a published roster: old, new and why. Only added to."""

    __tablename__ = "amendment"
    id: Mapped[UUID] = _fresh_id()
    monday: Mapped[date] = mapped_column(ForeignKey("roster.monday"), index=True)
    post_id: Mapped[UUID]
    post_name: Mapped[str]
    on: Mapped[date]
    place: Mapped[int]
    old_person_id: Mapped[UUID | None]
    new_person_id: Mapped[UUID | None]
    because: Mapped[str]  # amended, filled; left, unavailable: nobody decided it
    reason: Mapped[str]
    by_id: Mapped[UUID | None]
    by_name: Mapped[str]
    at: Mapped[datetime]


class Gap(Table):
    """Somebody fell out of a published duty, and somebody else has to stand in."""

    __tablename__ = "gap"
    id: Mapped[UUID] = _fresh_id()
    monday: Mapped[date] = mapped_column(ForeignKey("roster.monday"), index=True)
    post_id: Mapped[UUID]
    on: Mapped[date]
    place: Mapped[int]
    person_id: Mapped[UUID]  # who fell out
    because: Mapped[str]  # left, unavailable
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    opened_at: Mapped[datetime]
    filled_at: Mapped[datetime | None]
    filled_by: Mapped[UUID | None]  # who stands in


class Feed(Table):
    """A secret link by which a calendar reads somebody's duties; kept hashed."""

    __tablename__ = "feed"
    id: Mapped[UUID] = _fresh_id()
    person_id: Mapped[UUID] = mapped_column(index=True)
    secret_hash: Mapped[str] = mapped_column(unique=True)
    made_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class KnownPerson(PersonColumns, Table):
    """Who somebody is here, as personnel told it."""

    __tablename__ = "known_person"


class KnownDepartment(DepartmentColumns, Table):
    """A department and those who answer for it, as personnel told it."""

    __tablename__ = "known_department"


class KnownShift(Table):
    """What a shift is of, as dispatch told it: for the calendars of those who are on it."""

    __tablename__ = "known_shift"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    operation_name: Mapped[str]
    site_name: Mapped[str]
    state: Mapped[str]
    version: Mapped[int]
    heard_at: Mapped[datetime]


class KnownAssignment(Table):
    """A person on a shift, as dispatch told it: for their own calendar."""

    __tablename__ = "known_assignment"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    shift_id: Mapped[UUID]
    person_id: Mapped[UUID]
    role: Mapped[str]
    state: Mapped[str]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    version: Mapped[int]
    heard_at: Mapped[datetime]
