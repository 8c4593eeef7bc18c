"""Imports: a staff list is uploaded, shown with everything it would change, and committed; nothing is written before."""

import json
from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID

from fastapi import File, Form, Query, Response, UploadFile
from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import undefer
from sqlalchemy.orm.interfaces import ORMOption

from services.personnel.acts import looked
from services.personnel.importing.copied import line
from services.personnel.importing.jobs import COMMIT, PREVIEW, TIDY, commit, gave_up, move, preview, tidy
from services.personnel.importing.other_sheets import change_sheet, keep_others
from services.personnel.importing.process import ask
from services.personnel.importing.shapes import (
    ColumnsWish,
    Counts,
    Encoding,
    ImportBrief,
    ImportId,
    ImportShown,
    Outcome,
    RowShown,
    RowTold,
)
from services.personnel.rules.headings import FIELDS, IDENTITY
from services.personnel.shapes import Language
from services.personnel.tables import Import, ImportRow, ImportSheet
from shared.auth import Caller, require
from shared.clock import now
from shared.db import Read, Tx
from shared.due import later, never
from shared.house import Due, Job
from shared.job import start
from shared.refusals import Refused, wrong
from shared.service import Slice
from shared.settings import settings
from shared.web import Line, Listed, PageNo, PageSize

imports = Slice(prefix="/imports", tags=["imports"])
imports.job(PREVIEW, gave_up)(preview)
imports.job(COMMIT, gave_up)(commit)
imports.due(TIDY)(tidy)

MOST_FILE_BYTES = 20_000_000
READERS_AT_ONCE = 2
REMOVAL = "import.remove"
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_CSV_EXAMPLE = "工号,姓名,处室,用工形式,疫苗名称,第一针接种日期\n20140312,江采薇,教务处,在编,北京生物,2021-03-12\n"
_MULTIPART = {"requestBody": {"content": {"multipart/form-data": {"example": {"file": _CSV_EXAMPLE}}}}}


class _Readers:
    """How many files are being read now: each takes a child with memory of its own."""

    def __init__(self) -> None:
        self.count = 0

    async def ask(self, task: str, data: dict[int, bytes], wish: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        if self.count >= READERS_AT_ONCE:
            raise Refused("too_many", 429, {"seconds": 5})
        self.count += 1
        try:
            return await ask(task, data, wish)
        finally:
            self.count -= 1


_readers = _Readers()


def _shown(row: Import, job: Job | None, kept_until: Any = None) -> ImportShown:
    found, choices = row.found, row.choices
    heading_row = choices.get("heading_row", found.get("heading_row"))
    return ImportShown(
        **_brief(row).model_dump(),
        progress=job.done_count if job else 0,
        total=job.total_count if job else 0,
        kind=found.get("kind", ""),
        sheet=found.get("sheet", ""),
        other_sheets=found.get("other_sheets", []),
        other_lists=found.get("other_lists", []),
        sheets_to_choose=found.get("sheets_to_choose", []),
        encoding=found.get("encoding"),
        heading_row=None if heading_row is None else heading_row + 1,
        columns=found.get("columns", []),
        fields=[field for field in FIELDS if field != IDENTITY],
        identity_numbers_count=found.get("identity_numbers_count", 0),
        new_departments=found.get("new_departments", []),
        create_departments=bool(choices.get("create_departments")),
        employment=choices.get("employment"),
        department=choices.get("department"),
        first_rows=found.get("first_rows", []),
        job_id=row.job_id,
        kept_until=kept_until,
    )


def _brief(row: Import) -> ImportBrief:
    return ImportBrief(
        id=row.id,
        state=row.state,  # type: ignore[arg-type]
        file_name=row.file_name,
        counts=Counts(**row.counts),
        uploaded_by=row.uploaded_by_name,
        uploaded_at=row.uploaded_at,
        committed_by=row.committed_by_name,
        committed_at=row.committed_at,
        problem=row.problem,  # type: ignore[arg-type]
    )


async def _answer(tx: AsyncSession, row: Import) -> ImportShown:
    job = await tx.get(Job, row.job_id) if row.job_id else None
    kept_until = await tx.scalar(select(Due.due_at).where(Due.kind == REMOVAL, Due.key == str(row.id)))
    return _shown(row, job, kept_until)


async def _held(tx: AsyncSession, import_id: UUID, *options: ORMOption) -> Import:
    row = await tx.get(Import, import_id, options=options, with_for_update=True)
    if row is None:
        raise Refused("not_found", 404)
    return row


async def _begin(tx: AsyncSession, row: Import, kind: str, state: str) -> None:
    row.job_id = (await start(tx, kind, {"import_id": str(row.id)})).id
    move(tx, row, state)


@imports.post("", status_code=202, max_body_size=MOST_FILE_BYTES + 1_000_000, openapi_extra=_MULTIPART)
async def upload(
    caller: Annotated[Caller, require("import.run")],
    tx: Tx,
    file: Annotated[UploadFile, File(description="XLSX, XLS, ODS or CSV, up to 20 MB")],
    encoding: Annotated[Encoding | None, Form(description="Of a text file, where it is not found out by itself")] = None,
    sheet: Annotated[Line | None, Form(description="The sheet, where it is not the one whose headings say most")] = None,
) -> ImportShown:
    """Upload a staff list. It is read at once, without its identity numbers, and compared with what is on record; the file itself is not
    kept. Refused (422) when it cannot be read: `not_a_sheet`, `damaged`, `encrypted`, `too_large`, `empty_sheet` and others; 429 `too_many`
    while other files are being read."""
    data = await file.read()
    if len(data) > MOST_FILE_BYTES:
        raise Refused("too_large", 413)
    name = "".join(one for one in (file.filename or "") if one.isprintable()).strip()[-200:] or "list"
    found, read = await _readers.ask("take", {1: data}, {"file_name": name, "encoding": encoding, "sheet_name": sheet})
    others, end = found.pop("others"), found.pop("length")
    row = Import(
        file_name=found.pop("file_name"),
        cells=read[:end],
        state="reading",
        choices={},
        found=found,
        counts={},
        uploaded_by=caller.id,
        uploaded_by_name=caller.name,
        uploaded_at=now(),
    )
    tx.add(row)
    await tx.flush()
    keep_others(tx, row, others, read[end:])
    await _begin(tx, row, PREVIEW, "reading")
    await later(tx, REMOVAL, str(row.id), now() + timedelta(days=settings().import_days))
    return await _answer(tx, row)


@imports.get("")
async def list_imports(
    caller: Annotated[Caller, require("import.run")], read: Read, page: PageNo = 1, page_size: PageSize = 50
) -> Listed[ImportBrief]:
    """The imports, the latest first."""
    total = await read.scalar(select(func.count()).select_from(Import))
    wanted = select(Import).order_by(Import.uploaded_at.desc(), Import.id.desc()).limit(page_size).offset((page - 1) * page_size)
    return Listed(items=[_brief(row) for row in await read.scalars(wanted)], total=int(total or 0), page=page, page_size=page_size)


@imports.get("/{import_id}")
async def show_import(import_id: ImportId, caller: Annotated[Caller, require("import.run")], read: Read) -> ImportShown:
    """An import: how far it is, how its columns were read, what it would change or has changed. Refused: `not_found`."""
    row = await read.get(Import, import_id)
    if row is None:
        raise Refused("not_found", 404)
    return await _answer(read, row)


@imports.get("/{import_id}/rows")
async def list_rows(
    import_id: ImportId,
    caller: Annotated[Caller, require("import.run")],
    tx: Tx,
    outcome: Annotated[Outcome | None, Query(description="Only rows of this outcome")] = None,
    page: PageNo = 1,
    page_size: PageSize = 50,
) -> Listed[RowShown]:
    """The rows in the order of the file. Where doses or statements on record are shown it is a look, and recorded. Refused: `not_found`."""
    if await tx.scalar(select(Import.id).where(Import.id == import_id)) is None:
        raise Refused("not_found", 404)
    which = [ImportRow.import_id == import_id, *([ImportRow.outcome == outcome] if outcome else [])]
    total = await tx.scalar(select(func.count()).select_from(ImportRow).where(*which))
    found = list(
        await tx.scalars(select(ImportRow).where(*which).order_by(ImportRow.row_no).limit(page_size).offset((page - 1) * page_size))
    )
    seen = [row.person_id for row in found if row.person_id and any(_is_health(one["field"]) for one in row.changes)]
    looked(tx, "list", seen, {"import": str(import_id), "outcome": outcome, "page": page})
    return Listed(items=[_row(row) for row in found], total=int(total or 0), page=page, page_size=page_size)


def _is_health(field: str) -> bool:
    return field.startswith("dose") or field == "statement"


def _row(row: ImportRow) -> RowShown:
    doses = [dict(zip(("ordinal", "given_on", "product", "lot", "place"), one, strict=True)) for one in row.parsed.get("doses", ())]
    return RowShown(
        row_no=row.row_no,
        outcome=row.outcome,  # type: ignore[arg-type]
        person_id=row.person_id,
        number=row.number,
        name=row.name,
        changes=row.changes,  # type: ignore[arg-type]
        errors=row.errors,  # type: ignore[arg-type]
        warnings=row.warnings,  # type: ignore[arg-type]
        says=RowTold.model_validate({**row.parsed, "doses": doses}) if row.outcome in ("new", "changed") else None,
    )


@imports.put("/{import_id}/columns")
async def choose_columns(import_id: ImportId, wish: ColumnsWish, caller: Annotated[Caller, require("import.run")], tx: Tx) -> ImportShown:
    """Say how the list is to be read instead; it is compared again. Refused: `not_ready` once it is being committed, `not_found`; 422 for a
    field that there is not, a sheet that cannot be chosen, an encoding in which the file is no text."""
    row = await _held(tx, import_id, undefer(Import.cells))
    if row.state not in ("reading", "ready") or row.cells is None:
        raise Refused("not_ready", 409, {"state": row.state})
    for index, field in wish.columns.items():
        if field is not None and (field not in FIELDS or field == IDENTITY):
            raise wrong(f"columns.{index}", "not_a_choice")
    if wish.sheet and wish.sheet != row.found["sheet"]:
        await change_sheet(tx, row, wish.sheet)
    given = wish.model_dump(exclude_unset=True, exclude={"columns", "sheet", "encoding", "heading_row"})
    choices = {**row.choices, **given, "columns": {**row.choices.get("columns", {}), **wish.columns}}
    if wish.encoding and row.found["encoding"] is None:
        raise wrong("encoding", "not_a_text_file")
    if wish.heading_row:
        choices["heading_row"] = wish.heading_row - 1
    encoding = wish.encoding or row.found["encoding"]
    if encoding != row.found["encoding"] or wish.heading_row:
        again = {"was": row.found["encoding"], "encoding": encoding, "heading_row": choices.get("heading_row")}
        found, row.cells = await _readers.ask("reread", {1: row.cells}, again)
        identity = {**row.found["identity_columns"], **found["identity_columns"]}
        count = row.found["identity_numbers_count"] + found["identity_numbers_count"]
        row.found = {**row.found, **found, "identity_columns": identity, "identity_numbers_count": count}
    row.choices = choices
    await _begin(tx, row, PREVIEW, "reading")
    return await _answer(tx, row)


@imports.post("/{import_id}/commit", status_code=202)
async def commit_import(import_id: ImportId, caller: Annotated[Caller, require("import.run")], tx: Tx) -> ImportShown:
    """Write what the preview showed, all of it in one transaction; refused rows stay out, and so does a row whose person was changed since
    the preview. Asked again, it answers how far it is. Refused: `not_ready`, `not_found`."""
    row = await _held(tx, import_id)
    if row.state not in ("committing", "committed"):
        if row.state != "ready" or row.problem is not None:
            raise Refused("not_ready", 409, {"state": row.state, "problem": row.problem})
        row.committed_by, row.committed_by_name = caller.id, caller.name
        await _begin(tx, row, COMMIT, "committing")
    return await _answer(tx, row)


@imports.delete("/{import_id}", status_code=204)
async def abandon(import_id: ImportId, caller: Annotated[Caller, require("import.run")], tx: Tx) -> None:
    """Abandon an import: nothing was written, and the list is removed. Refused: `not_ready` when it is being or has been committed."""
    row = await _held(tx, import_id)
    if row.state in ("committing", "committed"):
        raise Refused("not_ready", 409, {"state": row.state})
    if row.state != "abandoned":
        await _remove_list(tx, row)
        await never(tx, REMOVAL, str(row.id))
        move(tx, row, "abandoned")


@imports.get("/{import_id}/refused", response_class=Response, responses={200: {"content": {_XLSX: {}}}})
async def export_refused(
    import_id: ImportId, caller: Annotated[Caller, require("import.run")], tx: Tx, lang: Language = "zh-Hans"
) -> Response:
    """The refused rows as they were in the file, with the headings and what is wrong, to mend and upload again. On record with who and how
    many. Refused: `not_found`, `not_ready`, also when the list is not kept any more."""
    row = await tx.get(Import, import_id, options=[undefer(Import.cells)])
    if row is None:
        raise Refused("not_found", 404)
    heading_row = row.choices.get("heading_row", row.found.get("heading_row"))
    if row.cells is None or heading_row is None or row.state not in ("ready", "committing", "committed"):
        raise Refused("not_ready", 409, {"state": row.state})
    wanted = select(ImportRow.row_no, ImportRow.errors, ImportRow.person_id)
    rows = (
        await tx.execute(wanted.where(ImportRow.import_id == import_id, ImportRow.outcome == "refused").order_by(ImportRow.row_no))
    ).all()
    looked(tx, "export", [one for *_, one in rows if one], {"list": "refused rows", "import": str(import_id), "lang": lang}, len(rows))
    lines = "".join(line((row_no, json.dumps(errors))) for row_no, errors, _ in rows).encode()
    _, content = await _readers.ask("refused", {1: row.cells, 2: lines}, {"heading_row": heading_row, "language": lang})
    stem = row.file_name.rsplit(".", 1)[0][:80]
    name = quote(f"{stem} {'有错的行' if lang == 'zh-Hans' else 'refused rows'}.xlsx", safe="")
    kept_apart = f"attachment; filename=\"refused-rows.xlsx\"; filename*=UTF-8''{name}"
    return Response(content, media_type=_XLSX, headers={"Content-Disposition": kept_apart, "Cache-Control": "no-store"})


async def _remove_list(tx: AsyncSession, row: Import) -> None:
    for table in (ImportRow, ImportSheet):
        await tx.execute(delete(table).where(table.import_id == row.id).execution_options(synchronize_session=False))
    row.cells, row.found, row.choices = None, {}, {}


@imports.due(REMOVAL)
async def remove_list(tx: AsyncSession, due: Due) -> None:
    """At the end of the keep time the list goes; who imported how much stays."""
    row = await tx.get(Import, UUID(due.key), with_for_update=True)
    if row is None:
        return
    if row.state == "committing":
        await later(tx, REMOVAL, due.key, now() + timedelta(days=1))
        return
    await _remove_list(tx, row)
    if row.state in ("reading", "ready", "failed"):
        move(tx, row, "abandoned")
