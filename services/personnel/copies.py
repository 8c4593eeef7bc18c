"""Copies: everything that personnel keeps about a person, for that person to take away."""

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import Response
from pydantic import Field
from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.personnel.acts import removal_on
from services.personnel.reads import person_of, person_shown, record_of
from services.personnel.shapes import DepartmentBrief, PersonShown, ProgrammeRecord, StandingCode
from services.personnel.tables import Department, Fitness, Import, ImportRow, Person, Remark, Standing
from shared.auth import Caller, require
from shared.clock import now, today
from shared.db import Read, as_system
from shared.refusals import Refused
from shared.service import Slice
from shared.web import Shown

copies = Slice(prefix="/people", tags=["people"])


class StandingKept(Shown):
    """A standing and the days for which it was computed; no first or last day: since ever, for ever."""

    programme: str
    code: StandingCode
    from_on: date | None = Field(examples=["2021-06-26"])
    until_on: date | None
    valid_count: int = Field(examples=[2])
    needed_count: int = Field(examples=[2])
    notes: list[str]


class FitnessKept(Shown):
    """From when until when one may be sent where a rule set applies, as others are told; no beginning: not any more."""

    rule: str
    fit_from: datetime | None
    fit_until: datetime | None


class RemarkKept(Shown):
    """A remark of one's own, and its answer."""

    about: str = Field(examples=["dose"])
    text: str = Field(examples=["第二针是6月12日，不是6月21日。"])
    written_at: datetime
    answer: str | None = Field(examples=["已按接种证更正。"])
    answered_by_name: str | None
    answered_at: datetime | None


class ListRowKept(Shown):
    """A row of a staff list that names the person, as it was read."""

    file_name: str = Field(examples=["教职工名册.xlsx"])
    uploaded_at: datetime
    uploaded_by: str
    row_no: int = Field(examples=[17])
    outcome: str = Field(examples=["changed"])
    parsed: dict[str, Any] = Field(examples=[{"number": "20140312", "name": "江采薇"}])
    changes: list[dict[str, Any]] = Field(examples=[[{"field": "department", "old": "学生处", "new": "教务处"}]])
    errors: list[dict[str, Any]] = Field(examples=[[]])
    warnings: list[dict[str, Any]] = Field(examples=[[]])


class Copy(Shown):
    """All that personnel keeps about a person. Accounts, sessions and looks are identity's to tell."""

    made_at: datetime
    person: PersonShown
    created_at: datetime
    changed_at: datetime
    found_by: str = Field(examples=["江采薇 jiangcaiwei jcw 20140312"])
    answers_for: list[DepartmentBrief]
    programmes: list[ProgrammeRecord]
    standings: list[StandingKept]
    fitness: list[FitnessKept]
    remarks: list[RemarkKept]
    list_rows: list[ListRowKept]
    removal_on: date | None


@copies.get("/me/copy")
async def download_copy(caller: Annotated[Caller, require("person.read")], read: Read, response: Response) -> Copy:
    """Everything that is kept about the caller, to download. Refused: `not_found` for an API client or an account without a person."""
    if caller.person_id is None:
        raise Refused("not_found", 404)
    person, department = await person_of(read, caller.person_id)
    asked = select(Standing).where(Standing.person_id == person.id).order_by(Standing.programme, Standing.from_on)
    standings, on = list(await read.scalars(asked)), today()
    programmes = await record_of(read, person, caller, on, [row for row in standings if row.from_on <= on < row.until_on])
    fitness = await read.scalars(select(Fitness).where(Fitness.person_id == person.id).order_by(Fitness.rule))
    remarks = await read.scalars(select(Remark).where(Remark.person_id == person.id).order_by(Remark.written_at))
    answering = or_(Department.head_id == person.id, Department.reporter_id == person.id, Department.deputy_id == person.id)
    answers_for = await read.scalars(select(Department).where(answering).order_by(Department.sort_key))
    response.headers["Content-Disposition"] = f'attachment; filename="muster-personnel-{today().isoformat()}.json"'
    response.headers["Cache-Control"] = "no-store"
    return Copy(
        made_at=now(),
        person=person_shown(person, department, caller),
        created_at=person.created_at,
        changed_at=person.changed_at,
        found_by=person.findable,
        answers_for=[DepartmentBrief.model_validate(one) for one in answers_for],
        programmes=programmes,
        standings=[_standing(row) for row in standings],
        fitness=[FitnessKept.model_validate(row) for row in fitness],
        remarks=[RemarkKept.model_validate(row) for row in remarks],
        list_rows=await _list_rows(read, person),
        removal_on=removal_on(person),
    )


def _standing(row: Standing) -> StandingKept:
    return StandingKept(
        programme=row.programme,
        code=row.code,  # type: ignore[arg-type]
        from_on=row.from_on if row.from_on > date.min else None,
        until_on=row.until_on if row.until_on < date.max else None,
        valid_count=row.valid_count,
        needed_count=row.needed_count,
        notes=row.notes,
    )


async def _list_rows(read: AsyncSession, person: Person) -> list[ListRowKept]:
    """Staff lists are for those who import them; what a row says of oneself is one's own all the same."""
    naming = or_(ImportRow.person_id == person.id, ImportRow.number == person.number)
    async with as_system(read):
        found = await read.execute(
            select(ImportRow, Import.file_name, Import.uploaded_at, Import.uploaded_by_name)
            .join(Import, Import.id == ImportRow.import_id)
            .where(naming)
            .order_by(Import.uploaded_at, ImportRow.row_no)
        )
        return [
            ListRowKept(
                file_name=file_name,
                uploaded_at=uploaded_at,
                uploaded_by=uploaded_by,
                row_no=row.row_no,
                outcome=row.outcome,
                parsed=row.parsed,
                changes=row.changes,
                errors=row.errors,
                warnings=row.warnings,
            )
            for row, file_name, uploaded_at, uploaded_by in found
        ]
