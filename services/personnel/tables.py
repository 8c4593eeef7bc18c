"""personnel's schema on one page: the institution, its people, their doses, exemptions and statements, imports, remarks."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from shared.db import TYPES, metadata


class Table(DeclarativeBase):
    """Base of personnel's tables; the schema is the search path of the service's role."""

    metadata = metadata()
    type_annotation_map = {**TYPES, str: Text, list[str]: ARRAY(Text), list[Any]: JSONB}


def _id() -> Mapped[UUID]:
    return mapped_column(primary_key=True, server_default=text("uuidv7()"))


class Institution(Table):
    """The one institution; a single row."""

    __tablename__ = "institution"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str]
    version: Mapped[int]


class Department(Table):
    """A department and those who answer for it; `parent_id` says what it lies below."""

    __tablename__ = "department"
    id: Mapped[UUID] = _id()
    name: Mapped[str] = mapped_column(unique=True)
    sort_key: Mapped[str]
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("department.id"))
    head_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id", use_alter=True))
    reporter_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id", use_alter=True))
    deputy_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id", use_alter=True))
    version: Mapped[int]


class Person(Table):
    """Someone the institution answers for. `pieces` and `findable` serve the search, `sort_key` the order by pinyin."""

    __tablename__ = "person"
    id: Mapped[UUID] = _id()
    number: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    sort_key: Mapped[str]
    findable: Mapped[str]
    pieces: Mapped[list[str]]
    department_id: Mapped[UUID] = mapped_column(ForeignKey("department.id"))
    employment: Mapped[str]
    phone: Mapped[str | None]
    email: Mapped[str | None]
    born_on: Mapped[date | None]
    joined_on: Mapped[date | None]
    left_on: Mapped[date | None]
    version: Mapped[int]
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class Dose(Table):
    """A jab as it was given. A correction is a new row that supersedes it; both stay. Whether it counts is the programme's rule."""

    __tablename__ = "dose"
    id: Mapped[UUID] = _id()
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    programme: Mapped[str]
    product: Mapped[str]
    given_on: Mapped[date]
    lot: Mapped[str | None]
    place: Mapped[str | None]
    source: Mapped[str]
    note: Mapped[str | None]
    corrects_id: Mapped[UUID | None] = mapped_column(ForeignKey("dose.id"))
    superseded: Mapped[bool]
    withdrawn: Mapped[bool]
    entered_by: Mapped[UUID | None]
    entered_by_name: Mapped[str]
    entered_at: Mapped[datetime]


class Exemption(Table):
    """Why someone need not be vaccinated: certificate, issuer, validity; it holds only once another person approved it."""

    __tablename__ = "exemption"
    id: Mapped[UUID] = _id()
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    programme: Mapped[str]
    kind: Mapped[str]
    from_on: Mapped[date]
    until_on: Mapped[date | None]
    issuer: Mapped[str]
    certificate: Mapped[bool]
    reason: Mapped[str]
    state: Mapped[str]
    recorded_by: Mapped[UUID | None]
    recorded_by_name: Mapped[str]
    recorded_at: Mapped[datetime]
    decided_by: Mapped[UUID | None]
    decided_by_name: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    decision_note: Mapped[str | None]


class Statement(Table):
    """What a person said of a programme without a dose to show: declined, not started, had elsewhere."""

    __tablename__ = "statement"
    id: Mapped[UUID] = _id()
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    programme: Mapped[str]
    kind: Mapped[str]
    on: Mapped[date]
    note: Mapped[str | None]
    recorded_by: Mapped[UUID | None]
    recorded_by_name: Mapped[str]
    recorded_at: Mapped[datetime]


class Standing(Table):
    """A person's standing in a programme from a date until another, as the rule computed it when something in the record changed."""

    __tablename__ = "standing"
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), primary_key=True)
    programme: Mapped[str] = mapped_column(primary_key=True)
    from_on: Mapped[date] = mapped_column(primary_key=True)
    until_on: Mapped[date]
    code: Mapped[str]
    valid_count: Mapped[int]
    needed_count: Mapped[int]
    next_from_on: Mapped[date | None]
    next_until_on: Mapped[date | None]
    exempt_until_on: Mapped[date | None]
    notes: Mapped[list[str]]


class Fitness(Table):
    """From when until when a person may be sent where a rule set applies, as the rule computed it; `fit_from` None: not any more. Who never
    was fit has no row."""

    __tablename__ = "fitness"
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), primary_key=True)
    rule: Mapped[str] = mapped_column(primary_key=True)
    fit_from: Mapped[datetime | None]
    fit_until: Mapped[datetime | None]
    version: Mapped[int]


class Import(Table):
    """A staff list on its way in: its cells without identity numbers, how its columns were read, what it would change. The cells of a big
    list are megabytes, so they come only where they are asked for."""

    __tablename__ = "import"
    id: Mapped[UUID] = _id()
    file_name: Mapped[str]
    cells: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    state: Mapped[str]
    choices: Mapped[dict[str, Any]]
    found: Mapped[dict[str, Any]]
    counts: Mapped[dict[str, Any]]
    problem: Mapped[dict[str, Any] | None]
    job_id: Mapped[UUID | None]
    uploaded_by: Mapped[UUID | None]
    uploaded_by_name: Mapped[str]
    uploaded_at: Mapped[datetime]
    committed_by: Mapped[UUID | None]
    committed_by_name: Mapped[str | None]
    committed_at: Mapped[datetime | None]


class ImportSheet(Table):
    """Another sheet of an import's workbook, as it was read; when it is chosen, it and the one that was read change places."""

    __tablename__ = "import_sheet"
    import_id: Mapped[UUID] = mapped_column(ForeignKey("import.id"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    cells: Mapped[bytes] = mapped_column(LargeBinary)
    found: Mapped[dict[str, Any]]


class ImportRow(Table):
    """One row of the file: what it says, what would come of it, all that is wrong with it; `seen`: the state of the person then."""

    __tablename__ = "import_row"
    import_id: Mapped[UUID] = mapped_column(ForeignKey("import.id"), primary_key=True)
    row_no: Mapped[int] = mapped_column(primary_key=True)
    outcome: Mapped[str]
    person_id: Mapped[UUID | None]
    number: Mapped[str | None]
    name: Mapped[str | None]
    parsed: Mapped[dict[str, Any]]
    changes: Mapped[list[dict[str, Any]]]
    errors: Mapped[list[dict[str, Any]]]
    warnings: Mapped[list[dict[str, Any]]]
    seen: Mapped[str | None]


class Remark(Table):
    """An error that a person reports in their own record, and what HR answered."""

    __tablename__ = "remark"
    id: Mapped[UUID] = _id()
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    about: Mapped[str]
    text: Mapped[str]
    written_at: Mapped[datetime]
    answer: Mapped[str | None]
    answered_by_name: Mapped[str | None]
    answered_at: Mapped[datetime | None]
