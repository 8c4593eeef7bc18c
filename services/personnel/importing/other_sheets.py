"""The other sheets of a workbook: read with it, since the file is not kept, and chosen afterwards where the wrong one was taken."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services.personnel.tables import Import, ImportSheet
from shared.refusals import wrong


def keep_others(tx: AsyncSession, row: Import, others: Sequence[dict[str, Any]], cells: bytes) -> None:
    """Keep each sheet (name, length of its cells, what was found in it); the cells stand one behind the other."""
    end = 0
    for one in others:
        begin, end = end, end + one["length"]
        tx.add(ImportSheet(import_id=row.id, name=one["name"], cells=cells[begin:end], found=one["found"]))
    row.found = {**row.found, "sheets_to_choose": [one["name"] for one in others]}


async def change_sheet(tx: AsyncSession, row: Import, name: str) -> None:
    """The sheet that was read and the one that was chosen change places; what was said of the old one's columns holds no more."""
    chosen = await tx.get(ImportSheet, (row.id, name))
    if chosen is None or row.cells is None:
        raise wrong("sheet", "not_a_choice")
    was, lists = row.found["sheet"], [one for one in row.found["other_lists"] if one != name]
    tx.add(ImportSheet(import_id=row.id, name=was, cells=row.cells, found={key: row.found[key] for key in chosen.found}))
    names: dict[str, list[str]] = {
        "other_sheets": [was if one == name else one for one in row.found["other_sheets"]],
        "other_lists": lists if row.found["heading_row"] is None else [*lists, was],
        "sheets_to_choose": [was if one == name else one for one in row.found["sheets_to_choose"]],
    }
    row.cells, row.found = chosen.cells, {**row.found, **chosen.found, **names}
    row.choices = {key: value for key, value in row.choices.items() if key not in ("columns", "heading_row")}
    await tx.delete(chosen)
