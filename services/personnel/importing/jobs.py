"""The two long works of an import: the preview that writes nothing of anybody, and the commit in one transaction."""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import undefer

from services.personnel.importing import acts
from services.personnel.importing.process import Step, child, chunks
from services.personnel.importing.records import fresh_id
from services.personnel.rules.matching import plain_department
from services.personnel.tables import Department, Import, ImportRow
from shared.auth import SYSTEM
from shared.clock import now, today, zone
from shared.db import Database, lock
from shared.due import later
from shared.events import ImportMoved
from shared.house import Due, Job
from shared.job import Finish, Progress
from shared.messaging.outbox import publish
from shared.refusals import Refused

PREVIEW, COMMIT = "import.preview", "import.commit"
TIDY = "import.tidy"
TIDY_AFTER = timedelta(seconds=5)  # first every other service hears of the people
FEW_ROWS = 100  # autovacuum has time enough for so few
ALONE_ROWS = 5000  # one child computes so many alone; for more there are two, since there are two processors
_CHANGED = [{"field": "number", "code": "changed_meanwhile", "params": {}}]


def move(tx: AsyncSession, row: Import, state: str) -> None:
    """An import goes a step on, and whoever looks at it is told."""
    row.state = state
    publish(tx, ImportMoved(import_id=row.id, state=state))


async def _waiting(database: Database, job: Job, state: str) -> Import | None:
    """The import with its cells, if this job is still the one it waits for."""
    async with database.transaction(SYSTEM) as tx:
        row = await tx.get(Import, UUID(job.input["import_id"]), options=[undefer(Import.cells)])
        return row if row is not None and row.state == state and row.job_id == job.id and row.cells is not None else None


async def _still(tx: AsyncSession, job: Job, state: str) -> Import | None:
    """The import, held, if this job is still the one it waits for."""
    row = await tx.get(Import, UUID(job.input["import_id"]), with_for_update=True, populate_existing=True)
    return row if row is not None and row.state == state and row.job_id == job.id else None


async def _nothing(tx: AsyncSession) -> dict[str, Any]:
    return {}


def choices_of(row: Import) -> dict[str, Any]:
    """What the rule of matching is told of the choices."""
    return {name: row.choices.get(name) for name in ("create_departments", "employment", "department")}


async def preview(database: Database, job: Job, progress: Progress) -> Finish:
    """Compare every row with what is on record; only rows of the preview are written."""
    row = await _waiting(database, job, "reading")
    if row is None or row.cells is None:
        return _nothing
    async with child("preview") as asked:
        await asked.send(1, row.cells)
        await asked.tell(
            import_id=str(row.id),
            today=today().isoformat(),
            heading_row=row.choices.get("heading_row", row.found["heading_row"]),
            columns=row.choices.get("columns", {}),
            identity_columns=row.found["identity_columns"],
            choices=choices_of(row),
        )
        said = await asked.hear(progress)
        if "numbers" in said:
            async with database.transaction(SYSTEM) as tx:
                names = list(await tx.scalars(select(Department.name)))
                connection = await acts.connection_of(tx, 120)
                await acts.send_known(connection, asked, chunks(asked.file(2)))
            await asked.tell(departments=names)
            said = await asked.hear(progress)

    async def finish(tx: AsyncSession) -> dict[str, Any]:
        held = await _still(tx, job, "reading")
        if held is None:
            return {}
        await acts.keep_rows(await acts.connection_of(tx, 120), held.id, asked)
        told = {name: said[name] for name in ("columns", "new_departments", "first_rows")}
        held.found = {**held.found, **told}
        held.counts = said["counts"]
        held.problem = {"code": said["problem"], "params": {}} if said["problem"] else None
        move(tx, held, "ready")
        return {"counts": said["counts"]}

    return finish


async def commit(database: Database, job: Job, progress: Progress) -> Finish:
    """Compute outside, write inside: all rows that still hold, or none of them."""
    row = await _waiting(database, job, "committing")
    if row is None:
        return _nothing
    on = today()
    parts = 2 if row.counts["new"] + row.counts["changed"] > ALONE_ROWS else 1
    async with AsyncExitStack() as running:
        children = [await running.enter_async_context(child("effect")) for _ in range(parts)]
        async with database.transaction(SYSTEM) as tx:
            ids = await acts.department_ids(tx)
            made = _departments_to_make(row, ids)
            connection = await acts.connection_of(tx, 120)
            for part, asked in enumerate(children):
                await acts.send_part(connection, asked, row.id, part, parts)
                await asked.tell(today=on.isoformat(), zone=zone().key, choices=choices_of(row), departments={**ids, **made})
        told = await asyncio.gather(*(asked.hear(_together(progress, part, parts)) for part, asked in enumerate(children)))
    stale_before = {row_no for said in told for row_no in said["stale"]}
    entered = acts.Entered(row.committed_by, row.committed_by_name or "", now())

    async def finish(tx: AsyncSession) -> dict[str, Any]:
        held = await _still(tx, job, "committing")
        if held is None:
            return {}
        connection = await acts.connection_of(tx, 300)
        await lock(tx, "import", "commit")  # two lists with the same new people are written one after the other
        await acts.add_departments(tx, made)
        stale = stale_before | await acts.write_effect(tx, connection, held.id, children, entered, on)
        await acts.tell_effect(tx, connection)
        if stale:
            refused = {"outcome": "refused", "errors": _CHANGED, "changes": [], "parsed": {}}
            await tx.execute(update(ImportRow).where(ImportRow.import_id == held.id, ImportRow.row_no.in_(stale)).values(refused))
        held.counts = await _counts(tx, held.id)
        held.committed_at = entered.at
        if held.counts["new"] + held.counts["changed"] > FEW_ROWS:
            await later(tx, TIDY, "people", now() + TIDY_AFTER)
        move(tx, held, "committed")
        return {"counts": held.counts}

    return finish


async def tidy(tx: AsyncSession, due: Due) -> None:
    """What makes people found quickly after a big list; apart, so that nobody waits for it."""
    await acts.tidy(await acts.connection_of(tx, 120))


def _departments_to_make(row: Import, ids: Mapping[str, str]) -> dict[str, str]:
    """Name → new id of those that the preview showed, that were chosen to be made, and that are still not there."""
    if not row.choices.get("create_departments"):
        return {}
    there = {plain_department(name) for name in ids}
    return {one["name"]: fresh_id() for one in row.found["new_departments"] if plain_department(one["name"]) not in there}


def _together(progress: Progress, part: int, parts: int) -> Step | None:
    """The first of several children tells how far all of them are: they have equal shares."""
    if part:
        return None

    async def step(done_count: int, total_count: int) -> None:
        await progress(done_count * parts, total_count * parts)

    return step


async def _counts(tx: AsyncSession, import_id: UUID) -> dict[str, int]:
    counted = select(ImportRow.outcome, func.count()).where(ImportRow.import_id == import_id).group_by(ImportRow.outcome)
    figures = {"new": 0, "changed": 0, "same": 0, "refused": 0}
    for outcome, count in await tx.execute(counted):
        figures[outcome] = count
    return {**figures, "rows": sum(figures.values())}


async def gave_up(tx: AsyncSession, job: Job, no: Refused) -> None:
    """What could not be read or written says so; nothing of it was written."""
    for state in ("reading", "committing"):
        if (row := await _still(tx, job, state)) is not None:
            row.problem = {"code": no.code, "params": no.params}
            move(tx, row, "failed")
