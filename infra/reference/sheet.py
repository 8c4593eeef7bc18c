"""The staff list as an HR office keeps it, an XLSX with title rows above Chinese headings: `python -m infra.reference.sheet FILE`."""

import argparse
from collections.abc import Iterable
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path

import xlsxwriter
from xlsxwriter.format import Format

from infra.reference.cast import EMPLOYMENTS, INSTITUTION, ON, Person
from infra.reference.history import PRODUCTS, Dose, on_staff_list
from infra.reference.large import large_list

TITLE_ROWS = 2
DOSES_AT_MOST = 3
PERSON_HEADINGS = ("序号", "工号", "姓名", "处室", "用工形式", "出生日期", "手机号码", "入职日期")
DOSE_HEADINGS = ("疫苗名称", "接种日期", "批号", "接种单位")
HEADINGS = PERSON_HEADINGS + tuple(f"第{nth}针{word}" for nth in "一二三" for word in DOSE_HEADINGS)
_WIDTHS = (6, 11, 10, 16, 9, 12, 14, 12)

Lines = Iterable[tuple[Person, tuple[Dose, ...]]]


def staff_list(lines: Lines | None = None) -> bytes:
    """The file's content; without lines, that of the reference case."""
    stream = BytesIO()
    # constant_memory wants cells in order and keeps one row at a time: 50,000 people need no more than a few.
    with xlsxwriter.Workbook(stream, {"constant_memory": True, "default_date_format": "yyyy/m/d"}) as book:
        book.set_properties({"created": datetime(ON.year, ON.month, ON.day, tzinfo=UTC)})  # else the same list is another file each time
        page = book.add_worksheet("教职工名册")
        bold = book.add_format({"bold": True})
        dated = book.add_format({"num_format": "yyyy/m/d"})
        for column, width in enumerate(_WIDTHS):
            page.set_column(column, column, width)
        page.set_column(len(_WIDTHS), len(HEADINGS) - 1, 18)
        page.write_string(0, 0, f"{INSTITUTION}教职工、派遣人员和学员名册（含新冠疫苗接种情况）", bold)
        page.write_string(1, 0, f"填报：组织人事处，截至 {ON.year} 年 {ON.month} 月 {ON.day} 日")
        page.write_row(TITLE_ROWS, 0, HEADINGS, bold)
        for place, (someone, doses) in enumerate(on_staff_list() if lines is None else lines, start=1):
            _write_line(page, TITLE_ROWS + place, place, _cells(someone, doses), dated)
    return stream.getvalue()


def _cells(someone: Person, doses: tuple[Dose, ...]) -> list[str | date | None]:
    cells: list[str | date | None] = [
        someone.number,
        someone.name,
        someone.department,
        EMPLOYMENTS[someone.employment],
        someone.born_on,
        someone.phone,
        someone.joined_on,
    ]
    for dose in doses[:DOSES_AT_MOST]:
        cells += [PRODUCTS[dose.product], dose.given_on, dose.lot, dose.place]
    return cells


def _write_line(page: xlsxwriter.worksheet.Worksheet, row: int, place: int, cells: list[str | date | None], dated: Format) -> None:
    page.write_number(row, 0, place)
    for column, cell in enumerate(cells, start=1):
        if isinstance(cell, str):
            page.write_string(row, column, cell)  # numbers and phones stay text, or spreadsheets eat their zeros
        elif cell is not None:
            page.write_datetime(row, column, cell, dated)


def main() -> None:
    """Write the reference case's staff list, or one of any size for a benchmark."""
    asked = argparse.ArgumentParser(prog="python -m infra.reference.sheet", description=main.__doc__)
    asked.add_argument("file", type=Path, help="the XLSX to write, for example infra/reference/staff-list.xlsx")
    asked.add_argument("--rows", type=int, metavar="N", help="N invented people in up to 1,200 departments instead of the reference case")
    given = asked.parse_args()
    given.file.write_bytes(staff_list(None if given.rows is None else large_list(given.rows)))


if __name__ == "__main__":
    main()
