"""Staff lists as tests bring them to the pages."""

import io
from collections.abc import Sequence
from typing import Any

import openpyxl

HEADINGS = [
    "工号",
    "姓名",
    "处室",
    "用工形式",
    "出生日期",
    "身份证号",
    "第一针疫苗名称",
    "第一针接种日期",
    "第二针疫苗名称",
    "第二针接种日期",
]
NEW = ("20210801", "简一诺", "教务处", "在编", "1990-01-02", "", "北京生物", "2021-03-12", "北京生物", "2021-04-12")
CHANGED = ("20140312", "江采薇", "办公室", "在编", "1985-05-17", "", "", "", "", "")
SAME = ("20150115", "何若宁", "组织人事处", "在编", "1985-05-17", "", "", "", "", "")
WRONG = ("20210802", "喻知秋", "教务处", "在编", "1990-13-02", "", "", "", "", "")
NO_NAME = ("20210803", "", "教务处", "在编", "1990-01-02", "", "", "", "", "")
ELSEWHERE = ("20210804", "解云舒", "外联处", "在编", "1990-01-02", "", "", "", "", "")


def sheet(*rows: Sequence[Any], headings: Sequence[str] = HEADINGS, second: Sequence[Sequence[Any]] = ()) -> bytes:
    """An XLSX with a title row above the headings; `second` is another sheet."""
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    page.title = "教职工名册"
    page.append(["教职工名册"])
    page.append(list(headings))
    for row in rows:
        page.append(list(row))
    if second:
        other = book.create_sheet("学员名册")
        for row in second:
            other.append(list(row))
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()
