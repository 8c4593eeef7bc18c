"""What is asked and answered about imports."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Path
from pydantic import Field

from services.personnel.shapes import Employment
from shared.story import example_id
from shared.web import Body, Line, Shown

ImportState = Literal["reading", "ready", "committing", "committed", "failed", "abandoned"]
Outcome = Literal["new", "changed", "same", "refused"]
Encoding = Literal["utf-8", "gb18030", "utf-16", "big5"]
ImportId = Annotated[UUID, Path(examples=[example_id("import")])]


class ColumnShown(Shown):
    """A column of the file and where it is written to. `note` is a code that says why, or what should be looked at."""

    index: int = Field(examples=[0])
    heading: str = Field(examples=["工号"])
    sample: str = Field(examples=["20140312"])
    field: str | None = Field(examples=["number"])
    note: str | None = Field(examples=[None])


class Counts(Shown):
    """How many rows come to what; `rows` is their sum, and the number of rows of the file."""

    new: int = Field(0, examples=[118])
    changed: int = Field(0, examples=[1])
    same: int = 0
    refused: int = Field(0, examples=[1])
    rows: int = Field(0, examples=[120])


class Problem(Shown):
    """Why a list cannot be judged, or was given up."""

    code: str
    params: dict[str, Any] = {}


class NewDepartment(Shown):
    """A department that stands in the list and not in the system."""

    name: str = Field(examples=["信息中心"])
    rows_count: int = Field(examples=[4])


class FirstRow(Shown):
    """One of the first rows as they were read, so that a wrong encoding or a wrong row of headings is seen."""

    row_no: int = Field(examples=[1])
    cells: list[str] = Field(examples=[["澜江学院教职工名册"]])


class ImportBrief(Shown):
    """An import in the list of imports. `problem`: why it failed, or why it cannot be judged."""

    id: UUID
    state: ImportState = Field(examples=["ready"])
    file_name: str = Field(examples=["教职工名册.xlsx"])
    counts: Counts
    uploaded_by: str
    uploaded_at: datetime = Field(examples=["2021-08-04T00:12:00Z"])
    committed_by: str | None
    committed_at: datetime | None
    problem: Problem | None = None


class ImportShown(ImportBrief):
    """An import: how the file was read, where its columns go, what would come of its rows. `progress` of `total` rows are worked on.

    Row numbers are the file's own, from 1. `fields` are those a column may be written to. `create_departments`, `employment` and
    `department` are choices for the whole list: the last two hold for new people whose row does not say. `other_sheets` are those of the
    workbook that were not read; of these `other_lists` look like lists, and `sheets_to_choose` can be read instead without the file.
    """

    progress: int = Field(examples=[120])
    total: int = Field(examples=[120])
    kind: str = Field(examples=["xlsx"])
    sheet: str = Field(examples=["名册"])
    other_sheets: list[str] = Field(examples=[[]])
    other_lists: list[str] = Field(examples=[[]])
    sheets_to_choose: list[str] = Field(examples=[[]])
    encoding: Encoding | None = Field(examples=[None])
    heading_row: int | None = Field(examples=[2])
    columns: list[ColumnShown]
    fields: list[str] = Field(examples=[["number", "name", "department", "employment"]])
    identity_numbers_count: int = Field(examples=[120])
    new_departments: list[NewDepartment]
    create_departments: bool
    employment: Employment | None = Field(examples=[None])
    department: str | None = Field(examples=[None])
    first_rows: list[FirstRow]
    job_id: UUID | None
    kept_until: datetime | None = Field(examples=["2021-09-03T00:12:00Z"])


class ColumnsWish(Body):
    """How the list is to be read instead. What is not sent stays as it was chosen. A column's index → field, or null: leave it out. With
    another `sheet`, one of `sheets_to_choose`, its columns and row of headings are found anew; those that are sent speak of that sheet."""

    columns: dict[Annotated[str, Field(pattern=r"^\d{1,3}$")], str | None] = Field({}, max_length=200)
    sheet: Line | None = None
    encoding: Encoding | None = None
    heading_row: Annotated[int, Field(ge=1, le=60_000)] | None = None
    create_departments: bool | None = None
    employment: Employment | None = None
    department: Line | None = None

    model_config = Body.model_config | {
        "json_schema_extra": {"example": {"columns": {"1": "number", "2": "name", "9": None}, "create_departments": True}}
    }


class ChangeShown(Shown):
    """What would change: dates in ISO, products and kinds of employment as codes; null is empty."""

    field: str = Field(examples=["department"])
    old: str | None = Field(examples=["学生处"])
    new: str | None = Field(examples=["教务处"])


class ErrorShown(Shown):
    """What is wrong in a row, and in which field."""

    field: str = Field(examples=["given_on"])
    code: str = Field(examples=["in_future"])
    params: dict[str, Any]


class WarningShown(Shown):
    """What is worth telling about a row, and refuses nothing."""

    code: str = Field(examples=["date_guessed"])
    params: dict[str, Any]


class DoseTold(Shown):
    """A dose as the list tells it."""

    ordinal: int = Field(examples=[2])
    given_on: date
    product: str
    lot: str | None
    place: str | None = Field(examples=["临澜区社区卫生服务中心"])


class RowTold(Shown):
    """What a row says; empty is null."""

    department: str | None = None
    employment: Employment | None = None
    phone: str | None = None
    email: str | None = None
    born_on: date | None = None
    joined_on: date | None = None
    left_on: date | None = None
    statement: str | None = Field(None, examples=[None])
    doses: list[DoseTold] = []


class RowShown(Shown):
    """A row: what comes of it, what would change (old → new), everything that is wrong with it; `says` for new and changed rows."""

    row_no: int = Field(examples=[17])
    outcome: Outcome = Field(examples=["changed"])
    person_id: UUID | None
    number: str | None
    name: str | None
    changes: list[ChangeShown]
    errors: list[ErrorShown] = Field(examples=[[]])
    warnings: list[WarningShown] = Field(examples=[[]])
    says: RowTold | None
