"""Lists that leave the house: XLSX whose cells cannot become formulas, written row by row."""

import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import quote

from starlette.responses import Response

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
A_FILE: dict[int | str, dict[str, Any]] = {200: {"content": {XLSX: {"schema": {"type": "string", "format": "binary"}}}}}
Value = str | int | float | date | datetime | None
LONGEST_CELL = 32_767  # characters, a limit of the format
_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_NOT_IN_SHEET_NAMES = re.compile(r"[\[\]:*?/\\\x00-\x1f]")


@dataclass(frozen=True, slots=True)
class Table:
    """One sheet: `about` are lines above the headings, such as which filter was set."""

    name: str
    headings: Sequence[str]
    rows: Iterable[Sequence[Value]]
    about: Sequence[str] = ()
    widths: Sequence[int] = ()  # characters a column; else by the heading


def xlsx(*tables: Table) -> bytes:
    """The workbook. Text stays text, also a number's leading zeros; what looks like a formula is text with the quote prefix."""
    import xlsxwriter  # with the first list, rather than by every process at its start

    file = io.BytesIO()
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_numbers": False,
        "strings_to_urls": False,
        "nan_inf_to_errors": True,
        "default_date_format": "yyyy-mm-dd",
    }
    with xlsxwriter.Workbook(file, options) as book:
        bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1})
        day, minute, text = (book.add_format({"num_format": form}) for form in ("yyyy-mm-dd", "yyyy-mm-dd hh:mm", "@"))
        guarded = book.add_format({"num_format": "@", "quote_prefix": True})  # else a double click in the cell makes it a formula
        taken: set[str] = set()
        for table in tables:
            sheet = book.add_worksheet(_sheet_name(table.name, taken))
            for i, heading in enumerate(table.headings):
                sheet.set_column(i, i, table.widths[i] if i < len(table.widths) else max(10, min(40, 2 * len(heading) + 2)))
            for i, line in enumerate(table.about):
                sheet.write_string(i, 0, line[:LONGEST_CELL])
            first = len(table.about)
            for i, heading in enumerate(table.headings):
                sheet.write_string(first, i, heading[:LONGEST_CELL], bold)
            sheet.freeze_panes(first + 1, 0)
            at = first
            for at, row in enumerate(table.rows, first + 1):
                for i, value in enumerate(row):
                    if value is None or value == "":
                        continue
                    if isinstance(value, str):
                        sheet.write_string(at, i, value[:LONGEST_CELL], guarded if value.startswith(_STARTS_A_FORMULA) else text)
                    elif isinstance(value, datetime):
                        sheet.write_datetime(at, i, value.replace(tzinfo=None), minute)
                    elif isinstance(value, date):
                        sheet.write_datetime(at, i, datetime(value.year, value.month, value.day), day)  # noqa: DTZ001  # the format has no zones
                    elif isinstance(value, bool):
                        sheet.write_boolean(at, i, value)
                    else:
                        sheet.write_number(at, i, value)
            if at > first and table.headings:
                sheet.autofilter(first, 0, at, len(table.headings) - 1)
    return file.getvalue()


def download(content: bytes, name: str, plain: str) -> Response:
    """The workbook as a file to keep: `name` in the reader's language, `plain` for programs that know ASCII alone."""
    disposition = f"attachment; filename=\"{plain}.xlsx\"; filename*=UTF-8''{quote(name)}.xlsx"
    return Response(content, media_type=XLSX, headers={"Content-Disposition": disposition, "Cache-Control": "no-store"})


def _sheet_name(name: str, taken: set[str]) -> str:
    plain = _NOT_IN_SHEET_NAMES.sub(" ", name).strip("' ")[:31] or "Sheet"
    unique, count = plain, 1
    while unique.casefold() in taken or unique.casefold() == "history":
        count += 1
        unique = f"{plain[: 30 - len(str(count))]} {count}"
    taken.add(unique.casefold())
    return unique
