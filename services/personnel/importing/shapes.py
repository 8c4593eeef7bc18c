"""What is asked and answered about imports."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Path
from pydantic import Field

from services.personnel.shapes import EXAMPLE_ID, Employment
from shared.web import Body, Line, Shown

ImportState = Literal["reading", "ready", "committing", "committed", "failed", "abandoned"]
Outcome = Literal["new", "changed", "same", "refused"]
Encoding = Literal["utf-8", "gb18030", "utf-16", "big5"]
ImportId = Annotated[UUID, Path(examples=[EXAMPLE_ID])]


class ColumnShown(Shown):
    """A column of the file and where it is written to. `note` is a code that says why, or what should be looked at."""

    index: int
    heading: str
    sample: str
    field: str | None
    note: str | None


class Counts(Shown):
    """How many rows come to what; `rows` is their sum, and the number of rows of the file."""

    new: int = 0
    changed: int = 0
    same: int = 0
    refused: int = 0
    rows: int = 0


class Problem(Shown):
    """Why a list cannot be judged, or was given up."""

    code: str
    params: dict[str, Any] = {}


class NewDepartment(Shown):
    """A department that stands in the list and not in the system."""

    name: str
    rows_count: int


class FirstRow(Shown):
    """One of the first rows as they were read, so that a wrong encoding or a wrong row of headings is seen."""

    row_no: int
    cells: list[str]


class ImportBrief(Shown):
    """An import in the list of imports. `problem`: why it failed, or why it cannot be judged."""

    id: UUID
    state: ImportState
    file_name: str
    counts: Counts
    uploaded_by: str
    uploaded_at: datetime
    committed_by: str | None
    committed_at: datetime | None
    problem: Problem | None = None


class ImportShown(ImportBrief):
    """An import: how the file was read, where its columns go, what would come of its rows. `progress` of `total` rows are worked on.

    Row numbers are the file's own, from 1. `fields` are those a column may be written to. `create_departments`, `employment` and
    `department` are choices for the whole list: the last two hold for new people whose row does not say. `other_sheets` are those of the
    workbook that were not read; of these `other_lists` look like lists, and `sheets_to_choose` can be read instead without the file.
    """

    progress: int
    total: int
    kind: str
    sheet: str
    other_sheets: list[str]
    other_lists: list[str]
    sheets_to_choose: list[str]
    encoding: Encoding | None
    heading_row: int | None
    columns: list[ColumnShown]
    fields: list[str]
    identity_numbers_count: int
    new_departments: list[NewDepartment]
    create_departments: bool
    employment: Employment | None
    department: str | None
    first_rows: list[FirstRow]
    job_id: UUID | None
    kept_until: datetime | None

    model_config = Shown.model_config | {
        "json_schema_extra": {
            "example": {
                "id": EXAMPLE_ID,
                "state": "ready",
                "file_name": "教职工名册.xlsx",
                "counts": {"new": 118, "changed": 1, "same": 0, "refused": 1, "rows": 120},
                "uploaded_by": "何若宁",
                "uploaded_at": "2021-08-04T00:12:00Z",
                "committed_by": None,
                "committed_at": None,
                "progress": 120,
                "total": 120,
                "kind": "xlsx",
                "sheet": "名册",
                "other_sheets": [],
                "other_lists": [],
                "sheets_to_choose": [],
                "encoding": None,
                "heading_row": 2,
                "columns": [{"index": 0, "heading": "工号", "sample": "20140312", "field": "number", "note": None}],
                "fields": ["number", "name", "department", "employment"],
                "identity_numbers_count": 120,
                "new_departments": [{"name": "信息中心", "rows_count": 4}],
                "create_departments": False,
                "employment": None,
                "department": None,
                "first_rows": [{"row_no": 1, "cells": ["教职工名册"]}],
                "problem": None,
                "job_id": EXAMPLE_ID,
                "kept_until": "2021-09-03T00:12:00Z",
            }
        }
    }


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

    field: str
    old: str | None
    new: str | None


class ErrorShown(Shown):
    """What is wrong in a row, and in which field."""

    field: str
    code: str
    params: dict[str, Any]


class WarningShown(Shown):
    """What is worth telling about a row, and refuses nothing."""

    code: str
    params: dict[str, Any]


class DoseTold(Shown):
    """A dose as the list tells it."""

    ordinal: int
    given_on: date
    product: str
    lot: str | None
    place: str | None


class RowTold(Shown):
    """What a row says; empty is null."""

    department: str | None = None
    employment: Employment | None = None
    phone: str | None = None
    email: str | None = None
    born_on: date | None = None
    joined_on: date | None = None
    left_on: date | None = None
    statement: str | None = None
    doses: list[DoseTold] = []


class RowShown(Shown):
    """A row: what comes of it, what would change (old → new), everything that is wrong with it; `says` for new and changed rows."""

    row_no: int
    outcome: Outcome
    person_id: UUID | None
    number: str | None
    name: str | None
    changes: list[ChangeShown]
    errors: list[ErrorShown]
    warnings: list[WarningShown]
    says: RowTold | None
