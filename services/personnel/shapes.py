"""What personnel answers, where several slices answer the same."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Path, Query
from pydantic import Field

from services.personnel.rules.cells import LIMITS
from shared.story import example_id
from shared.web import Code, Line, Shown

PersonId = Annotated[UUID, Path(examples=[example_id("person")])]
Language = Annotated[Literal["zh-Hans", "en"], Query(description="The language of headings and words")]
Number = Annotated[Code, Field(max_length=LIMITS["number"])]
"""A staff number, of the same length by API and by list."""
Name = Annotated[Line, Field(max_length=LIMITS["name"])]
"""A person's name, of the same length by API and by list."""
Lot = Annotated[Line, Field(max_length=LIMITS["lot"])]
"""The lot of a dose, of the same length by API and by list."""
Employment = Literal["permanent", "agency", "contract", "trainee", "volunteer"]
ProgrammeCode = Literal["covid19", "tetanus"]
StandingCode = Literal["complete", "due", "overdue", "in_progress", "not_started", "exempt", "declined", "unknown"]


class PersonBrief(Shown):
    """Who it is, in two words."""

    id: UUID
    name: str


class DepartmentBrief(Shown):
    """Which department it is."""

    id: UUID
    name: str


class DepartmentShown(Shown):
    """A department and those who answer for it."""

    id: UUID
    name: str
    parent_id: UUID | None
    head: PersonBrief | None
    reporter: PersonBrief | None
    deputy: PersonBrief | None
    people_count: int = Field(examples=[14])
    version: int


class StandingShown(Shown):
    """How a person stands in a programme on a date. Dates are local; the latest date is the last day that is still in time."""

    programme: ProgrammeCode
    code: StandingCode
    on: date
    valid_count: int = Field(examples=[2])
    needed_count: int = Field(examples=[2])
    next_from_on: date | None
    next_until_on: date | None
    exempt_until_on: date | None
    notes: list[str]


class PersonRow(Shown):
    """A person in a list. `standing` is there only for those who may see it."""

    id: UUID
    number: str
    name: str
    department: DepartmentBrief
    employment: Employment
    left_on: date | None
    standing: StandingShown | None = None


class PersonShown(Shown):
    """A person. `phone`, `email` and `born_on` are there only for those who may see them."""

    id: UUID
    number: str
    name: str
    department: DepartmentBrief
    employment: Employment
    phone: str | None
    email: str | None
    born_on: date | None
    joined_on: date | None
    left_on: date | None
    version: int


class DoseShown(Shown):
    """A dose: given is one fact, valid another. A superseded one stays readable beside the row that corrects it. Number, `valid` and
    reason speak of the other doses too, and are there only for those who may see how the person stands."""

    id: UUID
    number: int | None = Field(examples=[2])
    product: str
    product_names: dict[str, str] = Field(
        examples=[{"zh-Hans": "新冠灭活疫苗（Vero细胞）北京生物", "en": "BBIBP-CorV (Sinopharm Beijing)"}]
    )
    given_on: date
    lot: str | None
    place: str | None = Field(examples=["临澜区社区卫生服务中心"])
    source: str = Field(examples=["own_record"])
    note: str | None = Field(examples=[None])
    entered_by: str
    entered_at: datetime
    valid: bool | None
    reason: str | None
    superseded: bool
    withdrawn: bool
    corrects_id: UUID | None


class ExemptionShown(Shown):
    """An exemption. `reason` is there only for those who may see it."""

    id: UUID
    person: PersonBrief
    department: DepartmentBrief | None = None
    programme: ProgrammeCode
    kind: Literal["temporary", "permanent"]
    from_on: date = Field(examples=["2021-08-01"])
    until_on: date | None = Field(examples=["2021-10-31"])
    issuer: str = Field(examples=["省人民医院"])
    certificate: bool = Field(examples=[True])
    reason: str | None = Field(examples=["药物过敏，待复查"])
    state: Literal["pending", "approved", "refused"]
    recorded_by: str
    recorded_at: datetime
    decided_by: str | None = Field(examples=[None])
    decided_at: datetime | None = Field(examples=[None])
    decision_note: str | None = Field(examples=[None])
    may_decide: bool = Field(False, examples=[True])


class StatementShown(Shown):
    """What a person said of a programme."""

    id: UUID
    programme: ProgrammeCode
    kind: Literal["declined", "not_started", "elsewhere"]
    on: date = Field(examples=["2021-08-04"])
    note: str | None = Field(examples=[None])
    recorded_by: str
    recorded_at: datetime


class ProgrammeRecord(Shown):
    """A person's record in one programme."""

    programme: ProgrammeCode
    standing: StandingShown
    doses: list[DoseShown]
    exemptions: list[ExemptionShown]
    statements: list[StatementShown]


class LackShown(Shown):
    """What would put it right: so many doses in the programme, from that day on (null: any day). `standing`: how the person stands
    instead; an exemption is no protection, and makes nobody fit."""

    programme: ProgrammeCode
    standing: StandingCode
    dose_count: int
    from_on: date | None


class FitnessShown(Shown):
    """Whether a person is fit now, and from when until when; no end: for good. Both null: not at all, and `lacking` says why."""

    rule: str
    fit: bool
    fit_from: datetime | None
    fit_until: datetime | None
    lacking: list[LackShown] = Field(examples=[[]])


class HealthRecord(Shown):
    """A person's health record."""

    person: PersonShown
    programmes: list[ProgrammeRecord]
    fitness: list[FitnessShown]
