"""Lists that leave the house come back as they were, and none of their cells becomes a formula."""

import io
from datetime import date

import openpyxl
import pytest
import python_calamine
from hypothesis import given, settings
from hypothesis import strategies as some

from shared.export import Table, Value, xlsx

FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("http://x","y")', "=cmd|' /C calc'!A0"]


def back(data: bytes, sheet: int = 0) -> list[list[object]]:
    return [list(row) for row in python_calamine.load_workbook(io.BytesIO(data)).get_sheet_by_index(sheet).to_python(skip_empty_area=False)]


def test_a_workbook_comes_back_as_it_was() -> None:
    rows: list[list[Value]] = [["0012", "苏木", 5, 2.5, date(2021, 4, 6), None], ["", "甘棠", 0, -1, None, "+8613800138000"]]

    data = xlsx(Table("名册", ["工号", "姓名", "次", "值", "日期", "电话"], rows, about=["筛选：办公室", "2 行"]))

    assert back(data) == [
        ["筛选：办公室", "", "", "", "", ""],
        ["2 行", "", "", "", "", ""],
        ["工号", "姓名", "次", "值", "日期", "电话"],
        ["0012", "苏木", 5.0, 2.5, date(2021, 4, 6), ""],
        ["", "甘棠", 0.0, -1.0, "", "+8613800138000"],
    ]


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_of_a_workbook_becomes_a_formula(text: str) -> None:
    data = xlsx(Table(text, [text], [[text]], about=[text]))

    cells = [cell for row in openpyxl.load_workbook(io.BytesIO(data)).worksheets[0].iter_rows() for cell in row]

    assert [cell.data_type for cell in cells] == ["s", "s", "s"]
    assert cells[2].quotePrefix  # also not after a double click
    assert str(cells[2].value).replace("_x000D_", "\r") == text


def test_several_sheets_have_names_that_are_allowed_and_differ() -> None:
    data = xlsx(
        Table("处室/科室", ["a"], []),
        Table("处室?科室", ["a"], []),
        Table("x" * 40, ["a"], []),
        Table("'", ["a"], []),
        Table("History", [], []),
    )

    assert python_calamine.load_workbook(io.BytesIO(data)).sheet_names == ["处室 科室", "处室 科室 2", "x" * 31, "Sheet", "History 2"]


def test_a_table_may_be_empty_and_a_text_may_be_long() -> None:
    assert back(xlsx(Table("空", ["工号"], iter(())))) == [["工号"]]
    assert back(xlsx(Table("长", ["x"], [["字" * 40_000]])))[1] == ["字" * 32_767]


@settings(max_examples=30)
@given(some.lists(some.text(some.characters(codec="utf-8", categories=["L", "N", "P", "S"]), min_size=1), min_size=1, max_size=5))
def test_any_text_comes_back_from_a_workbook(texts: list[str]) -> None:
    assert back(xlsx(Table("x", ["h"] * len(texts), [texts])))[1] == texts
